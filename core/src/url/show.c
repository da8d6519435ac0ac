/* SPDX-License-Identifier: Apache-2.0 */
#include "url/url.h"

#include "base/text.h"
#include "url/ascii.h"

#include <string.h>

/* Does the grammar say where userinfo can be? Only in text that parses and names a host; a file
 * needs none. "http:/u:p@h" and "u:p@h" parse too, as paths, and were meant otherwise. */
static bool is_clear(const char *text)
{
    struct fl_url url = {0};
    bool is_clear = fl_url_parse(text, 0, &url, NULL) == FLAME_OK &&
                    (url.host[0] || strcmp(url.scheme, "file") == 0);

    fl_url_done(&url);
    return is_clear;
}

/* "scheme://" at the start, or 0. */
static size_t prefix_size(const char *text)
{
    char scheme[FL_SCHEME_MAX];
    size_t size = fl_url_scheme(text, scheme, NULL) == FLAME_OK ? strlen(scheme) : 0;

    return size > 0 && strncmp(text + size, "://", 3) == 0 ? size + 3 : 0;
}

/* Of text that is not clear nothing in front of the last '@' is shown: a password may hold every
 * byte. Where that '@' may belong to the query, nothing behind it is shown either. */
char *fl_url_redact(const char *text)
{
    size_t prefix = prefix_size(text);
    const char *rest = text + prefix;
    const char *end = rest + strcspn(rest, "?#");
    const char *at = is_clear(text) ? memrchr(rest, '@', strcspn(rest, "/?#")) : strrchr(rest, '@');

    if (at)
        rest = at < end ? at + 1 : end;
    return fl_format("%.*s%.*s%s", (int)prefix, text, (int)(end - rest), rest,
                     *end == '?' ? "?***" : "");
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
        if (fl_ascii_is_control(*at))
            return false;
    return true;
}

int32_t fl_url_file_name(const struct fl_url *url, char **out, struct flame_error *err)
{
    const char *slash = strrchr(url->path, '/');
    const char *segment = slash ? slash + 1 : url->path;
    fl_auto_free char *name = fl_url_decode(segment, strlen(segment));

    if (!name) /* a parsed path holds no %00 */
        return fl_fail_memory(err);
    if (!is_file_name(name))
        return fl_fail(err, FLAME_ERR_UNSAFE_NAME, "the url ends in no usable file name");
    *out = fl_take(name);
    return FLAME_OK;
}
