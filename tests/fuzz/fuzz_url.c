/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a URL: what is accepted has one spelling, that spelling parses to itself, and the
 * redacted text never shows a credential. */
#include "base/text.h"
#include "url/url.h"

#include <stdint.h>
#include <string.h>

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
    same(again.origin, url->origin);
    same(again.host, url->host);
    same(again.path, url->path);
    same(again.query, url->query);
    require(again.port == url->port && !again.userinfo && !again.fragment);
    fl_url_done(&again);
}

static void keeps_its_promises(const struct fl_url *url, uint32_t default_port)
{
    for (const char *at = url->text; *at; at++)
        require(*at > ' ' && *at < 0x7f && !strchr("\\<>\"^`{|}", *at));
    require(default_port == 0 || (url->host[0] && url->path[0] == '/' && url->port != 0));
    if (url->path[0] == '/') /* anything else is opaque */
        require(!strstr(url->path, "/../") && !strstr(url->path, "/./"));
    require(strncmp(url->text, url->scheme, strlen(url->scheme)) == 0);
    require(!strchr(url->host, '@') && !strchr(url->host, '/'));
}

/* A password between ':' and '@' of the authority is not in the redacted text. */
static void redacts(const char *text)
{
    char *shown = fl_url_redact(text);
    const char *canary = strstr(text, ":canary@");

    require(shown != NULL);
    require(!strchr(shown, '#'));
    require(!canary || strstr(canary + 1, ":canary") || !strstr(shown, ":canary@") ||
            (canary > text && memchr(text, '/', (size_t)(canary - text))));
    free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t ports[] = {0, 80};
    char *text = strndup((const char *)data, size);

    require(text != NULL);
    redacts(text);
    for (size_t i = 0; i < 2; i++) {
        struct fl_url url = {0};
        char *resolved = NULL;
        char *name = NULL;

        if (fl_url_parse(text, ports[i], &url, NULL) != FLAME_OK)
            continue;
        keeps_its_promises(&url, ports[i]);
        parses_to_itself(&url, ports[i]);
        if (fl_url_resolve(&url, text, &resolved, NULL) == FLAME_OK)
            free(resolved);
        if (fl_url_file_name(&url, &name, NULL) == FLAME_OK)
            require(name[0] && !strchr(name, '/') && strlen(name) <= 255);
        free(name);
        fl_url_done(&url);
    }
    free(text);
    return 0;
}
