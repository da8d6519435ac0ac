/* SPDX-License-Identifier: Apache-2.0 */
#include "url/normal.h"

#include "base/text.h"
#include "url/ascii.h"

#include <string.h>

static bool is_unreserved(char c)
{
    return fl_ascii_is_letter(c) || fl_ascii_is_digit(c) || (c && strchr("-._~", c));
}

static bool is_allowed(char c, const char *extra)
{
    return c != '\0' && (is_unreserved(c) || strchr("!$&'()*+,;=", c) || strchr(extra, c));
}

static int32_t bad_byte(struct flame_error *err, char c)
{
    return fl_fail(err, FLAME_ERR_INVALID_URL, "the byte 0x%02x must be percent-encoded in a url",
                   (unsigned char)c);
}

/* One percent-encoding; writes one or three bytes. 0 = it is broken. */
static size_t normal_escape(const char *text, size_t left, char *out)
{
    int high = left > 2 ? fl_hex_digit(text[1]) : -1;
    int low = left > 2 ? fl_hex_digit(text[2]) : -1;
    int byte = high * 16 + low;

    if (high < 0 || low < 0 || byte == 0)
        return 0;
    if (is_unreserved((char)byte)) {
        out[0] = (char)byte;
        return 1;
    }
    out[0] = '%';
    out[1] = "0123456789ABCDEF"[high];
    out[2] = "0123456789ABCDEF"[low];
    return 3;
}

static int32_t normal_copy(const char *text, size_t size, const char *extra, char *copy,
                           struct flame_error *err)
{
    size_t used = 0;

    for (size_t i = 0; i < size;) {
        size_t written = 1;

        if (text[i] == '%') {
            written = normal_escape(text + i, size - i, copy + used);
            if (written == 0)
                return fl_fail(err, FLAME_ERR_INVALID_URL, "a broken percent-encoding, or %%00");
            i += 3;
        } else if (is_allowed(text[i], extra)) {
            copy[used] = text[i++];
        } else {
            return bad_byte(err, text[i]);
        }
        used += written;
    }
    copy[used] = '\0';
    return FLAME_OK;
}

int32_t fl_normal_text(const char *text, size_t size, const char *extra, char **out,
                       struct flame_error *err)
{
    fl_auto_free char *copy = malloc(size + 1);
    int32_t status;

    if (!copy)
        return fl_fail_memory(err);
    status = normal_copy(text, size, extra, copy, err);
    if (status == FLAME_OK)
        *out = fl_take(copy);
    else
        fl_wipe(copy, size); /* it may be half a password */
    return status;
}

/* Drop the last segment written, with its slash. */
static char *drop_segment(char *path, char *end)
{
    while (end > path && *--end != '/')
        continue;
    return end;
}

void fl_normal_dots(char *path)
{
    const char *in = path;
    char *out = path;

    while (*in) {
        size_t length = 1 + strcspn(in + 1, "/"); /* "/segment" */
        bool is_last = in[length] == '\0';
        bool is_dot = length == 2 && in[1] == '.';
        bool is_dots = length == 3 && in[1] == '.' && in[2] == '.';

        if (is_dots)
            out = drop_segment(path, out);
        if (!is_dot && !is_dots) {
            memmove(out, in, length);
            out += length;
        } else if (is_last) {
            *out++ = '/';
        }
        in += length;
    }
    *out = '\0';
}
