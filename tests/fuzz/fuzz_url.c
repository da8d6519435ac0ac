/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a URL: what is accepted has one spelling, that spelling parses to itself, a
 * reference without a host stays at its origin, and redacted text never shows a secret. */
#include "base/text.h"
#include "url/url.h"

#include <stdint.h>
#include <string.h>

#define CANARY "Zq7Xw9Kj"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void same(const char *a, const char *b)
{
    require((a == NULL) == (b == NULL));
    require(!a || strcmp(a, b) == 0);
}

static void parses_to_itself(const struct fl_url *url, uint32_t default_port)
{
    struct fl_url again = {0};

    require(fl_url_parse(url->text, default_port, &again, NULL) == FLAME_OK);
    same(again.text, url->text);
    same(again.scheme, url->scheme);
    same(again.origin, url->origin);
    same(again.host, url->host);
    same(again.path, url->path);
    same(again.query, url->query);
    require(again.port == url->port && again.has_authority == url->has_authority);
    require(!again.userinfo && !again.fragment && fl_url_same_origin(&again, url));
    fl_url_done(&again);
}

static bool has_dot_segments(const char *path)
{
    size_t size = strlen(path);

    return strstr(path, "/../") || strstr(path, "/./") ||
           (size >= 2 && strcmp(path + size - 2, "/.") == 0) ||
           (size >= 3 && strcmp(path + size - 3, "/..") == 0);
}

/* The parts say what the text says. */
static void is_consistent(const struct fl_url *url, uint32_t default_port)
{
    const char *open = strchr(url->host, ':') ? "[" : "";
    fl_auto_free char *place = fl_format("%s:%s%s%s%s", url->scheme, url->has_authority ? "//" : "",
                                         open, url->host, *open ? "]" : "");
    fl_auto_free char *port = fl_format(":%u", url->port);
    bool is_said = url->port != 0 && url->port != default_port;
    fl_auto_free char *text = fl_format("%s%s%s%s%s", place, is_said ? port : "", url->path,
                                        url->query ? "?" : "", url->query ? url->query : "");
    fl_auto_free char *origin = fl_format("%s%s", place, url->port != 0 ? port : "");

    same(url->text, text);
    same(url->origin, origin);
}

static void keeps_its_promises(const struct fl_url *url, uint32_t default_port)
{
    require(strlen(url->text) <= FL_URL_MAX && url->port <= 65535);
    for (const char *at = url->text; *at; at++)
        require(*at > ' ' && *at < 0x7f && !strchr("\\<>\"^`{|}#", *at));
    for (const char *at = url->host; *at; at++)
        require(strchr("abcdefghijklmnopqrstuvwxyz0123456789-._:", *at) != NULL);
    require(default_port == 0 || (url->host[0] && url->path[0] == '/' && url->port != 0));
    require(!url->has_authority || url->path[0] == '/' || url->path[0] == '\0');
    if (url->path[0] == '/') /* anything else is opaque */
        require(!has_dot_segments(url->path));
    require(!strpbrk(url->path, "?[]") && !(url->query && strpbrk(url->query, "[]")));
}

/* The canary never appears, whatever stands around it: `text` holds it where a secret is. */
static void hides_the_canary(char *text)
{
    char *shown = text ? fl_url_redact(text) : NULL;

    require(shown != NULL && !strstr(shown, CANARY) && !strchr(shown, '#'));
    require(strcspn(shown, "?") == strlen(shown) || strcmp(strchr(shown, '?'), "?***") == 0);
    free(shown);
    free(text);
}

/* By the grammar "http://CANARY:1/...@" names a host: whoever writes that has no password. */
static bool ends_a_port(const char *rest)
{
    char end = rest[strspn(rest, "0123456789")];

    return end != '\0' && strchr("/?#", end);
}

static void redacts(const char *text)
{
    char *shown = fl_url_redact(text);

    require(shown && strlen(shown) <= strlen(text) + strlen("***"));
    free(shown);
    if (strstr(text, CANARY))
        return;
    hides_the_canary(fl_format("%s?%s%s", text, CANARY, text));
    hides_the_canary(fl_format("%s#%s%s", text, CANARY, text));
    hides_the_canary(fl_format("http://u:%s@%s", CANARY, text));
    hides_the_canary(fl_format("%s@%s", CANARY, text));
    hides_the_canary(fl_format("http:/u:%s%s@h/", CANARY, text));
    if (strncmp(text, "//", 2) != 0) /* a scheme is no secret */
        hides_the_canary(fl_format("%s:%s@h", CANARY, text));
    if (!ends_a_port(text))
        hides_the_canary(fl_format("http://%s:%s@h/", CANARY, text));
}

/* Only a scheme or "//" leads a reference away. */
static void stays_at_home(const char *reference)
{
    struct fl_url base = {0};
    struct fl_url url = {0};
    char *text = NULL;

    require(fl_url_parse("http://u:p@h:81/a/b;c?d", 80, &base, NULL) == FLAME_OK);
    if (fl_url_resolve(&base, reference, &text, NULL) == FLAME_OK &&
        fl_url_parse(text, 80, &url, NULL) == FLAME_OK) {
        bool may_leave =
            reference[strcspn(reference, ":/?#")] == ':' || strncmp(reference, "//", 2) == 0;

        require(may_leave || (fl_url_same_origin(&base, &url) && !url.userinfo));
    }
    free(text);
    fl_url_done(&url);
    fl_url_done(&base);
}

static void names_a_file(const struct fl_url *url)
{
    char *name = NULL;

    if (fl_url_file_name(url, &name, NULL) != FLAME_OK)
        return;
    require(name[0] && !strchr(name, '/') && strlen(name) <= 255);
    require(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    for (const char *at = name; *at; at++)
        require((unsigned char)*at >= 0x20 && *at != 0x7f);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t ports[] = {0, 80};
    char *text = strndup((const char *)data, size);

    require(text != NULL);
    redacts(text);
    stays_at_home(text);
    for (size_t i = 0; i < 2; i++) {
        struct fl_url url = {0};
        char *resolved = NULL;

        if (fl_url_parse(text, ports[i], &url, NULL) != FLAME_OK)
            continue;
        keeps_its_promises(&url, ports[i]);
        is_consistent(&url, ports[i]);
        parses_to_itself(&url, ports[i]);
        names_a_file(&url);
        require(fl_url_resolve(&url, text, &resolved, NULL) == FLAME_OK);
        same(resolved, text); /* absolute text is its own target */
        free(resolved);
        fl_url_done(&url);
    }
    free(text);
    return 0;
}
