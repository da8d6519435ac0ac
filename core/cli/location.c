/* SPDX-License-Identifier: Apache-2.0 */
#include "location.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NAME_BYTES_MAX 255
#define RESERVED_PREFIX ".flame-"

static const char *authority_of(const char *url)
{
    const char *slashes = strstr(url, "://");

    return slashes ? slashes + 3 : url;
}

/* What stands between the slashes and the path can be nothing but a host and a port. */
static bool is_plain_authority(const char *authority, size_t size)
{
    const char *colon = memchr(authority, ':', size);

    if (memchr(authority, '@', size))
        return false;
    if (!colon || authority[0] == '[')
        return true;
    for (const char *at = colon + 1; at < authority + size; at++)
        if (!isdigit((unsigned char)*at))
            return false;
    return true;
}

/* A password that was not encoded may hold '/', '?' and '#': in doubt more is taken for userinfo,
 * since what is not shown does no harm. */
const char *cli_userinfo(const char *url, size_t *size)
{
    const char *authority = authority_of(url);
    size_t length = strcspn(authority, "/?#");
    const char *end;

    if (is_plain_authority(authority, length))
        end = NULL;
    else if (memchr(authority, '@', length))
        end = memrchr(authority, '@', length);
    else
        end = strrchr(authority, '@');
    *size = end ? (size_t)(end - authority) : 0;
    return authority;
}

char *cli_shown_url(const char *url)
{
    size_t hidden;
    const char *authority = cli_userinfo(url, &hidden);
    const char *rest = authority + hidden + (hidden > 0 && authority[hidden] == '@');
    size_t shown = strcspn(rest, "?#");
    cli_auto_text char *text = cli_format("%.*s%.*s%s", (int)(authority - url), url, (int)shown,
                                          rest, rest[shown] == '?' ? "?***" : "");

    return text ? cli_escaped(text) : NULL;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return found ? (int)(found - digits) : -1;
}

char *cli_percent_decoded(const char *text, size_t length, size_t *size)
{
    char *out = malloc(length + 1);
    size_t used = 0;

    for (size_t i = 0; out && i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

        out[used++] = low >= 0 ? (char)(high * 16 + low) : text[i];
        i += low >= 0 ? 2 : 0;
    }
    if (!out)
        return NULL;
    out[used] = '\0';
    *size = used;
    return out;
}

static const char *unsafe_because(const char *name, size_t size)
{
    if (size == 0 || (size == 1 && name[0] == '.') || (size == 2 && memcmp(name, "..", 2) == 0))
        return "is no file name";
    if (size > NAME_BYTES_MAX)
        return "is too long for a file name";
    if (strncmp(name, RESERVED_PREFIX, strlen(RESERVED_PREFIX)) == 0)
        return "begins with '" RESERVED_PREFIX "', which is kept for own files";
    for (size_t i = 0; i < size; i++)
        if (name[i] == '/' || iscntrl((unsigned char)name[i]))
            return "hides a character that no file name should have";
    return NULL;
}

const char *cli_unsafe_below(const char *path)
{
    if (path[0] == '/')
        return "is absolute";
    for (const char *at = path;; at++) {
        size_t size = strcspn(at, "/");
        bool is_here = size == 1 && at[0] == '.' && at[size];
        const char *reason = is_here ? NULL : unsafe_because(at, size);

        if (size == 2 && memcmp(at, "..", 2) == 0)
            return "leads out of the output directory";
        if (reason || !at[size])
            return reason;
        at += size;
    }
}

int32_t cli_name_of_url(const char *url, char **out, struct flame_error *err)
{
    const char *authority = authority_of(url);
    size_t path_end = strcspn(authority, "?#");
    const char *slash = memrchr(authority, '/', path_end);
    const char *segment = slash ? slash + 1 : authority + path_end;
    size_t size = 0;
    cli_auto_text char *name =
        cli_percent_decoded(segment, (size_t)(authority + path_end - segment), &size);
    const char *reason;

    if (!name)
        return cli_fail_memory(err);
    reason = unsafe_because(name, size);
    if (reason)
        return cli_fail(err, FLAME_ERR_UNSAFE_NAME, "the url's last segment %s: name one with -o",
                        reason);
    *out = cli_take(&name);
    return FLAME_OK;
}

bool cli_is_same_origin(const char *one, const char *other)
{
    const char *authority = authority_of(one);
    size_t size = (size_t)(authority - one) + strcspn(authority, "/\\?#");

    return authority != one && strncasecmp(one, other, size) == 0 &&
           (other[size] == '\0' || strchr("/\\?#", other[size]));
}

static const char *last_segment(const char *url)
{
    const char *end = url + strlen(url);

    while (end > url && end[-1] == '/')
        end--;
    while (end > url && end[-1] != '/')
        end--;
    return end;
}

char *cli_name_in_list(const char *listed, const char *entry)
{
    size_t size = strcspn(listed, "?#");
    const char *rest = entry;
    size_t decoded;

    if (strncmp(listed, entry, size) == 0)
        rest = entry + size + strspn(entry + size, "/");
    if (!*rest)
        rest = last_segment(entry);
    return rest == entry ? strdup(entry) : cli_percent_decoded(rest, strlen(rest), &decoded);
}

int32_t cli_absolute(const char *path, char **out, struct flame_error *err)
{
    cli_auto_text char *place = NULL;
    char *joined;

    if (path[0] != '/') {
        place = getcwd(NULL, 0);
        if (!place)
            return cli_fail(err, FLAME_ERR_IO, "cannot find the working directory: %s",
                            strerror(errno));
    }
    joined = place ? cli_format("%s/%s", place, path) : strdup(path);
    if (!joined)
        return cli_fail_memory(err);
    *out = joined;
    return FLAME_OK;
}

static bool is_plain_in_path(unsigned char c)
{
    return isalnum(c) || strchr("/-._~", c);
}

static char *encoded_path(const char *path)
{
    static const char hex[] = "0123456789ABCDEF";
    char *url = malloc(strlen("file://") + strlen(path) * 3 + 1);
    char *end = url ? stpcpy(url, "file://") : NULL;

    for (const unsigned char *at = (const unsigned char *)path; end && *at; at++) {
        bool plain = is_plain_in_path(*at);

        *end++ = plain ? (char)*at : '%';
        if (!plain) {
            *end++ = hex[*at >> 4];
            *end++ = hex[*at & 15];
        }
    }
    if (end)
        *end = '\0';
    return url;
}

int32_t cli_file_url(const char *path, char **out, struct flame_error *err)
{
    cli_auto_text char *real = realpath(path, NULL);
    bool is_missing = errno == ENOENT || errno == ENOTDIR;
    char *url;

    if (!real && errno == ENOMEM)
        return cli_fail_memory(err);
    if (!real) {
        err->flags |= FLAME_ERROR_SOURCE;
        err->errno_code = errno;
        return cli_fail(err, is_missing ? FLAME_ERR_NOT_FOUND : FLAME_ERR_IO, "cannot open it: %s",
                        strerror(errno));
    }
    url = encoded_path(real);
    if (!url)
        return cli_fail_memory(err);
    *out = url;
    return FLAME_OK;
}
