/* SPDX-License-Identifier: Apache-2.0 */
#include "head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct text {
    const char *at;
    size_t size;
};

static struct text trimmed(const char *at, size_t size)
{
    while (size > 0 && (*at == ' ' || *at == '\t')) {
        at++;
        size--;
    }
    while (size > 0 && strchr(" \t\r\n", at[size - 1]))
        size--;
    return (struct text){at, size};
}

static bool is_word(const struct text *text, const char *word)
{
    return text->size == strlen(word) && strncasecmp(text->at, word, text->size) == 0;
}

static bool fail(struct fl_head *head, const char *fault)
{
    if (!head->fault)
        head->fault = fault;
    return false;
}

/* 1 to 18 digits and nothing else: no sign, no blank, no overflow. Returns digits read. */
static size_t read_number(const char *at, size_t size, uint64_t *out)
{
    uint64_t number = 0;
    size_t digits = 0;

    while (digits < size && isdigit((unsigned char)at[digits]) && digits < 19)
        number = number * 10 + (uint64_t)(at[digits++] - '0');
    if (digits == 0 || digits > 18)
        return 0;
    *out = number;
    return digits;
}

/* ---- the status line ------------------------------------------------------------------------- */

static void keep(const struct text *value, char *out, size_t capacity)
{
    if (value->size >= capacity || memchr(value->at, '\0', value->size))
        return; /* too long to be what it should be */
    memcpy(out, value->at, value->size);
    out[value->size] = '\0';
}

static bool begin(struct fl_head *head, const char *line, size_t size)
{
    struct fl_head fresh = {.bytes = head->bytes, .heads = head->heads + 1};
    const char *blank = memchr(line, ' ', size);
    struct text reason;
    uint64_t status = 0;
    size_t left;

    *head = fresh;
    if (head->heads > FL_HEAD_COUNT_MAX)
        return fail(head, "too many interim replies");
    left = blank ? size - (size_t)(blank + 1 - line) : 0;
    if (left < 3 || read_number(blank + 1, 3, &status) != 3 || status < 100)
        return fail(head, "a malformed status line");
    if (left > 3 && !strchr(" \r\n", blank[4]))
        return fail(head, "a malformed status line");
    head->status = (uint32_t)status;
    head->is_http2 = line[5] >= '2';
    head->is_http10 = strncmp(line, "HTTP/1.0", 8) == 0;
    reason = trimmed(blank + 4, left - 3);
    if (reason.size >= sizeof(head->reason))
        reason.size = sizeof(head->reason) - 1;
    keep(&reason, head->reason, sizeof(head->reason));
    return true;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Repeated lengths, in one field or several, must agree (RFC 9110 8.6). */
static bool take_length(struct fl_head *head, struct text value)
{
    while (value.size > 0) {
        const char *comma = memchr(value.at, ',', value.size);
        size_t part_size = comma ? (size_t)(comma - value.at) : value.size;
        struct text part = trimmed(value.at, part_size);
        uint64_t length = 0;

        if (read_number(part.at, part.size, &length) != part.size || part.size == 0)
            return fail(head, "a malformed Content-Length");
        if (head->has_length && head->length != length)
            return fail(head, "two different Content-Lengths");
        head->has_length = true;
        head->length = length;
        value.at += part_size + (comma ? 1 : 0);
        value.size -= part_size + (comma ? 1 : 0);
    }
    return head->has_length ? true : fail(head, "an empty Content-Length");
}

static bool take_transfer_encoding(struct fl_head *head, struct text value)
{
    if (head->is_chunked || !is_word(&value, "chunked"))
        return fail(head, "a Transfer-Encoding that is not just chunked");
    head->is_chunked = true;
    return true;
}

/* "bytes 0-9/10", "bytes 0-9/(star)", "bytes (star)/10" (RFC 9110 14.4). */
static bool take_content_range(struct fl_head *head, struct text value)
{
    const char *end = value.at + value.size;
    const char *at = value.at + 6;
    size_t digits;

    if (value.size < 9 || strncasecmp(value.at, "bytes ", 6) != 0 || head->has_content_range)
        return fail(head, "a malformed Content-Range");
    head->range_first = 1;
    head->range_last = 0;
    if (*at == '*') {
        at++;
    } else {
        digits = read_number(at, (size_t)(end - at), &head->range_first);
        at += digits;
        if (digits == 0 || at == end || *at++ != '-')
            return fail(head, "a malformed Content-Range");
        digits = read_number(at, (size_t)(end - at), &head->range_last);
        at += digits;
        if (digits == 0 || head->range_last < head->range_first)
            return fail(head, "a malformed Content-Range");
    }
    head->range_total = UINT64_MAX;
    if (at == end || *at++ != '/' || at == end)
        return fail(head, "a malformed Content-Range");
    if (end - at != 1 || *at != '*')
        if (read_number(at, (size_t)(end - at), &head->range_total) != (size_t)(end - at))
            return fail(head, "a malformed Content-Range");
    head->has_content_range = true;
    return true;
}

static bool take_content_encoding(struct fl_head *head, struct text value)
{
    if (value.size > 0 && !is_word(&value, "identity"))
        head->has_encoding = true;
    return true;
}

static bool take_ranges(struct fl_head *head, struct text value)
{
    head->serves_ranges = is_word(&value, "bytes");
    return true;
}

static bool take_location(struct fl_head *head, struct text value)
{
    if (head->location[0])
        return fail(head, "two Locations");
    if (value.size >= sizeof(head->location))
        return fail(head, "a Location longer than any url");
    keep(&value, head->location, sizeof(head->location));
    return true;
}

struct field {
    const char *name;
    bool (*take)(struct fl_head *head, struct text value); /* or, where NULL, it is just kept: */
    size_t offset;
    size_t capacity;
};

#define KEPT(name, member)                                                                         \
    {                                                                                              \
        name, NULL, offsetof(struct fl_head, member), sizeof(((struct fl_head *)0)->member)        \
    }

static const struct field fields[] = {
    {"Content-Length", take_length, 0, 0},
    {"Transfer-Encoding", take_transfer_encoding, 0, 0},
    {"Content-Encoding", take_content_encoding, 0, 0},
    {"Content-Range", take_content_range, 0, 0},
    {"Accept-Ranges", take_ranges, 0, 0},
    {"Location", take_location, 0, 0},
    KEPT("ETag", etag),
    KEPT("Last-Modified", last_modified),
    KEPT("Content-Type", content_type),
    KEPT("Repr-Digest", repr_digest),
    KEPT("Content-Digest", content_digest),
    KEPT("Retry-After", retry_after),
};

static bool take_value(struct fl_head *head, const struct field *field, struct text value)
{
    if (field->take)
        return field->take(head, value);
    keep(&value, (char *)head + field->offset, field->capacity);
    return true;
}

static bool take_field(struct fl_head *head, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    struct text name;

    if (*line == ' ' || *line == '\t')
        return fail(head, "a folded header line"); /* obsolete: RFC 9112 5.2 */
    if (!colon || colon == line)
        return fail(head, "a header line without a name");
    name = (struct text){line, (size_t)(colon - line)};
    if (memchr(line, '\0', size) || strchr(" \t", name.at[name.size - 1]))
        return fail(head, "a malformed header line");
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (is_word(&name, fields[i].name))
            return take_value(head, &fields[i], trimmed(colon + 1, size - name.size - 1));
    return true;
}

bool fl_head_line(struct fl_head *head, const char *line, size_t size)
{
    bool is_blank = size == 0 || (size == 1 && line[0] == '\n') ||
                    (size == 2 && line[0] == '\r' && line[1] == '\n');

    head->bytes += size;
    if (head->fault)
        return false;
    if (head->bytes > FL_HEAD_BYTES_MAX)
        return fail(head, "more than 300 KiB of headers");
    if (size > 5 && strncmp(line, "HTTP/", 5) == 0 && (head->status == 0 || head->is_complete))
        return begin(head, line, size);
    if (head->status == 0)
        return fail(head, "no status line");
    if (head->is_complete)
        return true;
    if (!is_blank)
        return take_field(head, line, size);
    head->is_complete = true;
    return true;
}

bool fl_head_is_final(const struct fl_head *head)
{
    return head->is_complete && head->status >= 200;
}
