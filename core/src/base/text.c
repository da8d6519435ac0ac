/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char *fl_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int size;

    va_start(args, format);
    size = vasprintf(&text, format, args);
    va_end(args);
    return size < 0 ? NULL : text;
}

/* Length of the valid UTF-8 sequence at `s` (RFC 3629), 0 if there is none; *code = its value. */
static size_t utf8_length(const unsigned char *s, size_t left, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = s[0] < 0x80       ? 1
                    : s[0] >> 5 == 6  ? 2
                    : s[0] >> 4 == 14 ? 3
                    : s[0] >> 3 == 30 ? 4
                                      : 0;

    if (length == 0 || length > left)
        return 0;
    *code = length == 1 ? s[0] : s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3f);
    }
    if (*code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
        return 0;
    return length;
}

/* Controls, and characters that reorder or hide the text around them. */
static bool is_harmful(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c ||
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
           (code >= 0xfff0 && code <= 0xfffb);
}

size_t fl_escape(const char *bytes, size_t size, char *out, size_t capacity)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *s = (const unsigned char *)bytes;
    size_t used = 0;

    if (capacity == 0)
        return 0;
    for (size_t i = 0; i < size;) {
        uint32_t code = 0;
        size_t length = utf8_length(s + i, size - i, &code);
        bool keep = length > 0 && !is_harmful(code);
        size_t need = keep ? length : 4;

        if (used + need >= capacity)
            break;
        if (keep)
            memcpy(out + used, s + i, length);
        else
            memcpy(out + used, (char[]){'\\', 'x', hex[s[i] >> 4], hex[s[i] & 15]}, 4);
        used += need;
        i += keep ? length : 1;
    }
    out[used] = '\0';
    return used;
}

void fl_wipe(void *memory, size_t size)
{
    if (memory)
        explicit_bzero(memory, size);
}

void fl_wipe_free(char *text)
{
    if (text)
        fl_wipe(text, strlen(text));
    free(text);
}

int fl_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool fl_pairs_add(struct fl_pairs *pairs, const char *name, const char *value)
{
    fl_auto_free char *name_copy = strdup(name);
    fl_auto_free char *value_copy = strdup(value);
    char **grown;

    if (!name_copy || !value_copy)
        return false;
    grown = realloc(pairs->items, (pairs->count + 3) * sizeof(*grown));
    if (!grown)
        return false;
    grown[pairs->count++] = fl_take(name_copy);
    grown[pairs->count++] = fl_take(value_copy);
    grown[pairs->count] = NULL;
    pairs->items = grown;
    return true;
}

bool fl_pairs_set(struct fl_pairs *pairs, const char *name, const char *value)
{
    for (size_t i = 0; i < pairs->count; i += 2) {
        char *copy;

        if (strcmp(pairs->items[i], name) != 0)
            continue;
        copy = strdup(value);
        if (!copy)
            return false;
        fl_wipe_free(pairs->items[i + 1]);
        pairs->items[i + 1] = copy;
        return true;
    }
    return fl_pairs_add(pairs, name, value);
}

bool fl_pairs_copy(struct fl_pairs *pairs, const char *const *items)
{
    for (size_t i = 0; items && items[i] && items[i + 1]; i += 2)
        if (!fl_pairs_add(pairs, items[i], items[i + 1]))
            return false;
    return true;
}

const char *fl_pairs_get(const struct fl_pairs *pairs, const char *name)
{
    return fl_list_get((const char *const *)pairs->items, name);
}

const char *const *fl_pairs_list(const struct fl_pairs *pairs)
{
    static const char *const empty[] = {NULL};

    return pairs->items ? (const char *const *)pairs->items : empty;
}

void fl_pairs_done(struct fl_pairs *pairs, bool wipe)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (wipe)
            fl_wipe(pairs->items[i], strlen(pairs->items[i]));
        free(pairs->items[i]);
    }
    free(pairs->items);
    *pairs = (struct fl_pairs){0};
}

const char *fl_list_get(const char *const *items, const char *name)
{
    for (size_t i = 0; items && items[i] && items[i + 1]; i += 2)
        if (strcmp(items[i], name) == 0)
            return items[i + 1];
    return NULL;
}
