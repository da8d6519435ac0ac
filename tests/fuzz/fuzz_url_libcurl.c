/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever our parser accepts, libcurl's must read as the same host, port, path, query and user:
 * two parsers that disagree are a hole. */
#include "base/text.h"
#include "url/url.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void disagree(const char *text, const char *part, const char *ours, const char *theirs)
{
    (void)fprintf(stderr, "%s of '%s': ours '%s', libcurl's '%s'\n", part, text,
                  ours ? ours : "(none)", theirs ? theirs : "(none)");
    abort();
}

static void compare(CURLU *curl, const char *text, CURLUPart part, const char *name,
                    const char *ours)
{
    char *theirs = NULL;
    CURLUcode code =
        curl_url_get(curl, part, &theirs, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0);

    if (code != CURLUE_OK && ours && *ours)
        disagree(text, name, ours, NULL);
    if (code == CURLUE_OK && strcasecmp(theirs, ours ? ours : "") != 0)
        disagree(text, name, ours, theirs);
    curl_free(theirs);
}

static void compare_host(CURLU *curl, const char *text, const struct fl_url *url)
{
    char *ours = NULL;

    if (asprintf(&ours, strchr(url->host, ':') ? "[%s]" : "%s", url->host) < 0)
        abort();
    compare(curl, text, CURLUPART_HOST, "host", ours);
    free(ours);
}

/* Our normal text must mean to libcurl what our parts say. */
static void compare_all(const char *text, const struct fl_url *url)
{
    CURLU *curl = curl_url();
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", url->port);
    if (!curl || curl_url_set(curl, CURLUPART_URL, text, CURLU_PATH_AS_IS) != CURLUE_OK)
        disagree(text, "url", url->text, NULL);
    compare_host(curl, text, url);
    compare(curl, text, CURLUPART_PORT, "port", port);
    if (strcmp(text, url->text) == 0) {
        compare(curl, text, CURLUPART_PATH, "path", url->path);
        compare(curl, text, CURLUPART_QUERY, "query", url->query);
    }
    curl_url_cleanup(curl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    struct fl_url url = {0};
    bool is_https = text && strncasecmp(text, "https:", 6) == 0;
    bool is_http = is_https || (text && strncasecmp(text, "http:", 5) == 0);

    if (is_http && fl_url_parse(text, is_https ? 443 : 80, &url, NULL) == FLAME_OK) {
        compare_all(url.text, &url);
        if (!strchr(url.host, ':')) /* libcurl keeps an IPv6 address as it was written */
            compare_all(text, &url);
        fl_url_done(&url);
    }
    free(text);
    return 0;
}
