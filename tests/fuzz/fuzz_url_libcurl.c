/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever our parser accepts, libcurl's must read as the same host, port, path, query and user:
 * two parsers that disagree are a hole. Three ways in: the text as it was said, its normal form,
 * and the parts one by one, as plugins/http hands them over. */
#include "base/text.h"
#include "url/url.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const char *text, const char *part, const char *ours, const char *theirs)
{
    if (!ours || !theirs ? ours == theirs : strcmp(ours, theirs) == 0)
        return;
    (void)fprintf(stderr, "%s of '%s': ours '%s', libcurl's '%s'\n", part, text,
                  ours ? ours : "(none)", theirs ? theirs : "(none)");
    abort();
}

static void need(const char *text, const void *memory)
{
    if (!memory)
        compare(text, "memory", text, NULL);
}

static char *get(CURLU *curl, CURLUPart part, unsigned flags)
{
    char *theirs = NULL;

    return curl_url_get(curl, part, &theirs, flags) == CURLUE_OK ? theirs : NULL;
}

static void compare_part(CURLU *curl, CURLUPart part, const char *text, const char *name,
                         const char *ours)
{
    char *theirs = get(curl, part, CURLU_DEFAULT_PORT);

    compare(text, name, ours, theirs);
    curl_free(theirs);
}

/* The host, spelled as an address or a name for both. */
static void compare_host(CURLU *curl, const char *text, const struct fl_url *url)
{
    char *theirs = get(curl, CURLUPART_HOST, 0);
    fl_auto_free char *again = fl_format("http://%s/", theirs ? theirs : "");
    struct fl_url read = {0};

    need(text, again);
    if (fl_url_parse(again, 80, &read, NULL) != FLAME_OK)
        compare(text, "host", url->host, theirs);
    else
        compare(text, "host", url->host, read.host);
    fl_url_done(&read);
    curl_free(theirs);
}

/* libcurl leaves path and query as they were said; normalised they must be ours. */
static void compare_rest(CURLU *curl, const char *text, const struct fl_url *url)
{
    char *path = get(curl, CURLUPART_PATH, 0);
    char *query = get(curl, CURLUPART_QUERY, 0);
    fl_auto_free char *again =
        fl_format("http://h%s%s%s", path ? path : "", query ? "?" : "", query ? query : "");
    struct fl_url read = {0};

    need(text, again);
    if (fl_url_parse(again, 80, &read, NULL) != FLAME_OK)
        compare(text, "path and query", url->text, again);
    compare(text, "path", url->path, read.path);
    /* Some versions of libcurl do not tell "?" from no query. */
    compare(text, "query", url->query ? url->query : "", read.query ? read.query : "");
    fl_url_done(&read);
    curl_free(path);
    curl_free(query);
}

static void compare_user(CURLU *curl, const char *text, const struct fl_url *url)
{
    char *user = get(curl, CURLUPART_USER, CURLU_URLDECODE);
    char *password = get(curl, CURLUPART_PASSWORD, CURLU_URLDECODE);
    bool has_colon = url->userinfo && strchr(url->userinfo, ':');
    fl_auto_free char *theirs =
        fl_format("%s%s%s", user ? user : "", has_colon ? ":" : "", password ? password : "");

    need(text, theirs);
    compare(text, "user", url->userinfo ? url->userinfo : "", theirs);
    curl_free(user);
    curl_free(password);
}

static void compare_all(CURLU *curl, const char *text, const struct fl_url *url)
{
    char port[16];

    (void)snprintf(port, sizeof(port), "%u", url->port);
    compare_part(curl, CURLUPART_SCHEME, text, "scheme", url->scheme);
    compare_part(curl, CURLUPART_PORT, text, "port", port);
    compare_host(curl, text, url);
    compare_rest(curl, text, url);
}

static CURLU *read_text(const char *text, unsigned flags)
{
    CURLU *curl = curl_url();

    need(text, curl);
    if (curl_url_set(curl, CURLUPART_URL, text, flags) != CURLUE_OK)
        compare(text, "url", text, NULL);
    return curl;
}

/* As it was said, and in its normal form. libcurl's own removal of dots takes "%2e" for a name, so
 * it is off for the first, and must change nothing in the second. */
static void by_text(const char *text, const struct fl_url *url)
{
    CURLU *curl = read_text(text, CURLU_PATH_AS_IS);

    compare_all(curl, text, url);
    compare_user(curl, text, url);
    curl_url_cleanup(curl);
    curl = read_text(url->text, 0);
    compare_all(curl, url->text, url);
    compare_part(curl, CURLUPART_PATH, url->text, "normal path", url->path);
    curl_url_cleanup(curl);
}

static void set(CURLU *curl, CURLUPart part, const char *text, const char *value)
{
    if (value && curl_url_set(curl, part, value, 0) != CURLUE_OK)
        compare(text, "a part", value, NULL);
}

/* (Set alone, libcurl spells percent-encodings in lower case: compare_rest looks behind that.) */
static void by_parts(const char *text, const struct fl_url *url)
{
    CURLU *curl = curl_url();
    char host[280];
    char port[16];

    need(text, curl);
    (void)snprintf(host, sizeof(host), strchr(url->host, ':') ? "[%s]" : "%s", url->host);
    (void)snprintf(port, sizeof(port), "%u", url->port);
    set(curl, CURLUPART_SCHEME, text, url->scheme);
    set(curl, CURLUPART_HOST, text, host);
    set(curl, CURLUPART_PORT, text, port);
    set(curl, CURLUPART_PATH, text, url->path);
    set(curl, CURLUPART_QUERY, text, url->query);
    compare_all(curl, text, url);
    compare_part(curl, CURLUPART_HOST, text, "host as set", host);
    curl_url_cleanup(curl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    struct fl_url url = {0};
    bool is_https = text && strncasecmp(text, "https:", 6) == 0;
    bool is_http = is_https || (text && strncasecmp(text, "http:", 5) == 0);

    if (is_http && fl_url_parse(text, is_https ? 443 : 80, &url, NULL) == FLAME_OK) {
        by_text(text, &url);
        by_parts(text, &url);
        fl_url_done(&url);
    }
    free(text);
    return 0;
}
