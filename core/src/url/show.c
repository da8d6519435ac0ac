/* SPDX-License-Identifier: Apache-2.0 */
#include "url/url.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

/* Of text that need not parse: does userinfo end at `at`? A password may hold '/', '?' and '#', so
 * an '@' behind them counts too, unless what stands before them can only be a host and a port. */
static bool ends_userinfo(const char *authority, const char *at)
{
    size_t host = strcspn(authority, "/?#");
    const char *colon = memchr(authority, ':', host);

    if (!at)
        return false;
    if (at < authority + host)
        return true;
    return colon && strspn(colon + 1, "0123456789") != (size_t)(authority + host - colon - 1);
}

char *fl_url_redact(const char *text)
{
    size_t scheme = strcspn(text, ":/?#@");
    const char *authority = text + (strncmp(text + scheme, "://", 3) == 0 ? scheme + 3 : 0);
    const char *at = strrchr(authority, '@');
    const char *rest = ends_userinfo(authority, at) ? at + 1 : authority;
    size_t shown = strcspn(rest, "?#");

    return fl_format("%.*s%.*s%s", (int)(authority - text), text, (int)shown, rest,
                     rest[shown] == '?' ? "?***" : "");
}

char *fl_url_decode(const char *text, size_t size)
{
    fl_auto_free char *decoded = malloc(size + 1);
    size_t used = 0;

    if (!decoded)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        bool is_escape = text[i] == '%' && i + 2 < size && fl_hex_digit(text[i + 1]) >= 0 &&
                         fl_hex_digit(text[i + 2]) >= 0;

        decoded[used] = is_escape
                            ? (char)(fl_hex_digit(text[i + 1]) * 16 + fl_hex_digit(text[i + 2]))
                            : text[i];
        if (decoded[used++] == '\0')
            return NULL;
        i += is_escape ? 2 : 0;
    }
    decoded[used] = '\0';
    return fl_take(decoded);
}

static bool is_file_name(const char *name)
{
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > 255)
        return false;
    if (strchr(name, '/') || strncmp(name, ".flame-", 7) == 0)
        return false;
    for (const char *at = name; *at; at++)
        if (iscntrl((unsigned char)*at))
            return false;
    return true;
}

int32_t fl_url_file_name(const struct fl_url *url, char **out, struct flame_error *err)
{
    const char *slash = strrchr(url->path, '/');
    const char *segment = slash ? slash + 1 : url->path;
    fl_auto_free char *name = fl_url_decode(segment, strlen(segment));

    if (!name || !is_file_name(name))
        return fl_fail(err, FLAME_ERR_UNSAFE_NAME, "the url ends in no usable file name");
    *out = fl_take(name);
    return FLAME_OK;
}
