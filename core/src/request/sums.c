/* SPDX-License-Identifier: Apache-2.0 */
#include "request/sums.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct span {
    const char *at;
    size_t size;
};

struct entry {
    enum fl_digest_kind kind; /* NONE: an algorithm that is not ours */
    struct span hex;
    struct span name; /* empty: none is said */
};

enum frame { NO_FRAME, FRAME_HEADER, FRAME_TEXT, FRAME_OVER };

/* How well an entry's name fits. */
enum rank { NO_MATCH, LAST_SEGMENT, WHOLE_PATH };

struct search {
    struct span wanted;
    enum frame frame;
    size_t lines; /* that are not blank and no comments */
    size_t understood;
    enum rank rank; /* of what was found */
    struct fl_digest found[FL_DIGEST_SHA512 + 1];
    bool is_ambiguous;
    struct fl_digest lone;
    char name[FL_SUMS_LINE_MAX]; /* of the current entry, without escapes */
};

/* ---- spans ----------------------------------------------------------------------------------- */

static bool begins(struct span span, char c)
{
    return span.size > 0 && span.at[0] == c;
}

static bool equals(struct span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.at, text, span.size) == 0;
}

static struct span behind(struct span span, size_t size)
{
    return (struct span){span.at + size, span.size - size};
}

static struct span without(struct span span, char c)
{
    return begins(span, c) ? behind(span, 1) : span;
}

static size_t count_hex(struct span span)
{
    size_t count = 0;

    while (count < span.size && fl_hex_digit(span.at[count]) >= 0)
        count++;
    return count;
}

/* ---- one line -------------------------------------------------------------------------------- */

static enum fl_digest_kind kind_by_length(size_t digits)
{
    return digits == 64 ? FL_DIGEST_SHA256 : digits == 128 ? FL_DIGEST_SHA512 : FL_DIGEST_NONE;
}

static enum fl_digest_kind kind_by_algorithm(struct span algorithm)
{
    if (equals(algorithm, "SHA256") || equals(algorithm, "SHA2-256"))
        return FL_DIGEST_SHA256;
    if (equals(algorithm, "SHA512") || equals(algorithm, "SHA2-512"))
        return FL_DIGEST_SHA512;
    return FL_DIGEST_NONE;
}

/* As many digits as md5, sha1 and the members of SHA-2 have. */
static bool is_length_of_digest(size_t digits)
{
    return digits == 32 || digits == 40 || digits == 56 || digits == 96 ||
           kind_by_length(digits) != FL_DIGEST_NONE;
}

static bool read_gnu(struct span line, struct entry *out)
{
    size_t digits = count_hex(line);
    struct span rest = behind(line, digits);

    if (!is_length_of_digest(digits))
        return false;
    *out = (struct entry){kind_by_length(digits), {line.at, digits}, rest};
    if (rest.size == 0)
        return true;
    if (!begins(rest, ' ') && !begins(rest, '\t'))
        return false;
    rest = behind(rest, 1);
    out->name = begins(rest, ' ') ? behind(rest, 1) : without(rest, '*');
    return true;
}

static size_t algorithm_length(struct span line)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-/_";
    size_t size = 0;

    while (size < line.size && memchr(letters, line.at[size], sizeof(letters) - 1))
        size++;
    return size;
}

static bool read_bsd(struct span line, struct entry *out)
{
    struct span algorithm = {line.at, algorithm_length(line)};
    struct span open = without(behind(line, algorithm.size), ' ');
    /* The last one: a name may have its own. */
    const char *close = memrchr(open.at, ')', open.size);
    struct span value;

    if (algorithm.size == 0 || !begins(open, '(') || !close)
        return false;
    value = without(behind(open, (size_t)(close + 1 - open.at)), ' ');
    if (!begins(value, '='))
        return false;
    value = without(behind(value, 1), ' ');
    *out = (struct entry){.kind = kind_by_algorithm(algorithm),
                          .hex = value,
                          .name = {open.at + 1, (size_t)(close - open.at) - 1}};
    if (out->name.size == 0 || value.size == 0 || count_hex(value) != value.size)
        return false;
    return out->kind == FL_DIGEST_NONE || out->kind == kind_by_length(value.size);
}

/* Undo what coreutils do to a name with a backslash or a line end in it. */
static bool unescape(struct span *name, char *buffer)
{
    size_t used = 0;

    for (size_t i = 0; i < name->size; i++) {
        char c = name->at[i];

        if (c == '\\') {
            char next = i + 1 < name->size ? name->at[++i] : '\0';

            c = next == '\\' ? '\\' : next == 'n' ? '\n' : next == 'r' ? '\r' : '\0';
        }
        if (c == '\0')
            return false;
        buffer[used++] = c;
    }
    *name = (struct span){buffer, used};
    return true;
}

static bool read_entry(struct span line, char *buffer, struct entry *out)
{
    bool is_escaped = begins(line, '\\');

    line = without(line, '\\');
    if (line.size > FL_SUMS_LINE_MAX || (!read_gnu(line, out) && !read_bsd(line, out)))
        return false;
    return !is_escaped || unescape(&out->name, buffer);
}

/* ---- the search ------------------------------------------------------------------------------ */

static struct span without_here(struct span path)
{
    while (path.size >= 2 && path.at[0] == '.' && path.at[1] == '/')
        path = behind(path, 2);
    return path;
}

static enum rank rank_of(struct span wanted, struct span path)
{
    const char *slash;

    path = without_here(path);
    if (wanted.size == 0)
        return NO_MATCH;
    if (path.size == wanted.size && memcmp(path.at, wanted.at, path.size) == 0)
        return WHOLE_PATH;
    slash = memrchr(path.at, '/', path.size);
    if (!slash)
        return NO_MATCH;
    path = behind(path, (size_t)(slash + 1 - path.at));
    return path.size == wanted.size && memcmp(path.at, wanted.at, path.size) == 0 ? LAST_SEGMENT
                                                                                  : NO_MATCH;
}

static void keep(struct search *search, enum rank rank, const struct fl_digest *digest)
{
    struct fl_digest *slot = &search->found[digest->kind];

    if (rank == NO_MATCH || rank < search->rank)
        return;
    if (rank > search->rank) {
        memset(search->found, 0, sizeof(search->found));
        search->is_ambiguous = false;
        search->rank = rank;
    }
    if (slot->kind == FL_DIGEST_NONE)
        *slot = *digest;
    else if (!fl_digest_equal(slot, digest))
        search->is_ambiguous = true;
}

static void take_entry(struct search *search, const struct entry *entry)
{
    char text[FL_DIGEST_TEXT_MAX];
    struct fl_digest digest;

    if (entry->kind == FL_DIGEST_NONE)
        return;
    (void)snprintf(text, sizeof(text), "%s:%.*s",
                   entry->kind == FL_DIGEST_SHA256 ? "sha256" : "sha512", (int)entry->hex.size,
                   entry->hex.at);
    if (fl_digest_parse(text, &digest, NULL) != FLAME_OK)
        return;
    if (entry->name.size == 0 || equals(entry->name, "-")) /* "-": from a pipe */
        search->lone = digest;
    keep(search, rank_of(search->wanted, entry->name), &digest);
}

static void take_text(struct search *search, struct span line)
{
    struct entry entry;

    while (begins(line, ' ') || begins(line, '\t'))
        line = behind(line, 1);
    if (line.size == 0 || begins(line, '#'))
        return;
    search->lines++;
    if (!read_entry(line, search->name, &entry))
        return;
    search->understood++;
    take_entry(search, &entry);
}

/* Nobody signed what stood before. */
static void enter_frame(struct search *search)
{
    *search = (struct search){.wanted = search->wanted, .frame = FRAME_HEADER};
}

static void take_line(struct search *search, struct span line)
{
    if (line.size > 0 && line.at[line.size - 1] == '\r')
        line.size--;
    if (search->frame == NO_FRAME && equals(line, "-----BEGIN PGP SIGNED MESSAGE-----"))
        enter_frame(search);
    else if (search->frame == FRAME_HEADER)
        search->frame = line.size == 0 ? FRAME_TEXT : FRAME_HEADER;
    else if (search->frame == FRAME_TEXT && equals(line, "-----BEGIN PGP SIGNATURE-----"))
        search->frame = FRAME_OVER;
    else if (search->frame == FRAME_TEXT && line.size >= 2 && memcmp(line.at, "- ", 2) == 0)
        take_text(search, behind(line, 2));
    else if (search->frame != FRAME_OVER)
        take_text(search, line);
}

static int32_t conclude(const struct search *search, struct fl_digest *out, struct flame_error *err)
{
    const struct fl_digest *best = &search->found[FL_DIGEST_SHA512];

    if (search->understood == 0)
        return fl_fail(err, FLAME_ERR_INVALID, "no line of the checksum file is a checksum");
    if (search->is_ambiguous)
        return fl_fail(err, FLAME_ERR_INVALID, "the checksum file has different digests of '%.*s'",
                       (int)search->wanted.size, search->wanted.at);
    if (best->kind == FL_DIGEST_NONE)
        best = &search->found[FL_DIGEST_SHA256];
    if (best->kind == FL_DIGEST_NONE && search->lines == 1)
        best = &search->lone;
    if (best->kind == FL_DIGEST_NONE)
        return fl_fail(err, FLAME_ERR_NOT_FOUND,
                       "the checksum file has no sha256 or sha512 of '%.*s'",
                       (int)search->wanted.size, search->wanted.at);
    *out = *best;
    return FLAME_OK;
}

int32_t fl_sums_find(const char *text, size_t size, const char *name, struct fl_digest *out,
                     struct flame_error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct search search = {.wanted = without_here((struct span){name, strlen(name)})};
    struct span rest = {text, size};

    if (size > FL_SUMS_BYTES_MAX)
        return fl_fail(err, FLAME_ERR_LIMIT, "the checksum file is larger than 1 MiB");
    if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        rest = behind(rest, 3);
    while (rest.size > 0) {
        const char *end = memchr(rest.at, '\n', rest.size);
        size_t length = end ? (size_t)(end - rest.at) : rest.size;

        take_line(&search, (struct span){rest.at, length});
        rest = behind(rest, length + (end ? 1 : 0));
    }
    return conclude(&search, out, err);
}
