/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include "location.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 65536
#define BLANKS " \t"

/* A line, and where it stands. */
struct reader {
    struct cli_batch *batch;
    const char *name; /* of the file */
    size_t number;
    size_t first; /* item of this file: options belong to none before it */
    struct flame_error *err;
};

int32_t cli_batch_add(struct cli_batch *batch, const char *url, struct flame_error *err)
{
    struct cli_item *grown = realloc(batch->items, (batch->count + 1) * sizeof(*grown));

    if (!grown)
        return cli_fail_memory(err);
    batch->items = grown;
    grown[batch->count] = (struct cli_item){.url = strdup(url)};
    if (!grown[batch->count].url)
        return cli_fail_memory(err);
    batch->count++;
    return FLAME_OK;
}

/* ---- one line -------------------------------------------------------------------------------- */

static int32_t refuse(const struct reader *reader, const char *what)
{
    return cli_fail(reader->err, FLAME_ERR_INVALID, "%s:%zu: %s", reader->name, reader->number,
                    what);
}

static void cut_end(char *text, const char *unwanted)
{
    size_t size = strlen(text);

    while (size > 0 && strchr(unwanted, text[size - 1]))
        text[--size] = '\0';
}

static void cut_blanks(char *text)
{
    cut_end(text, BLANKS "\r\n");
}

static int32_t read_urls(struct reader *reader, char *line)
{
    char *rest = line;
    char *url = strsep(&rest, "\t");
    struct cli_item *item;
    int32_t status;

    cut_blanks(url);
    status = cli_batch_add(reader->batch, url, reader->err);
    if (status != FLAME_OK)
        return status;
    item = &reader->batch->items[reader->batch->count - 1];
    while (status == FLAME_OK && (url = strsep(&rest, "\t")) != NULL) {
        cut_blanks(url);
        if (*url)
            status = cli_list_add(&item->mirrors, url, reader->err);
    }
    return status;
}

static int32_t set_text(struct reader *reader, char **to, char *text)
{
    if (!text)
        return cli_fail_memory(reader->err);
    free(*to);
    *to = text;
    return FLAME_OK;
}

static int32_t set_place(struct reader *reader, char **to, const char *name, char *path)
{
    const char *reason = cli_unsafe_below(path);

    if (reason)
        return cli_fail(reader->err, FLAME_ERR_UNSAFE_NAME, "%s:%zu: '%s=%s' %s", reader->name,
                        reader->number, name, path, reason);
    return set_text(reader, to, strdup(path));
}

/* "sha256:<hex>" with the digits that it has; what the library would say has no line number. */
static bool is_digest(const char *text)
{
    size_t digits = strncmp(text, "sha256:", 7) == 0 ? 64 : 128;

    if (digits == 128 && strncmp(text, "sha512:", 7) != 0)
        return false;
    for (size_t i = 0; i < digits; i++)
        if (!isxdigit((unsigned char)text[7 + i]))
            return false;
    return text[7 + digits] == '\0';
}

static int32_t set_digest(struct reader *reader, char **to, const char *text)
{
    bool has_dash = strncmp(text, "sha-", 4) == 0;
    size_t size = strcspn(text, ":=");
    cli_auto_text char *digest = NULL;

    if (text[size])
        digest = has_dash ? cli_format("sha%.*s:%s", (int)size - 4, text + 4, text + size + 1)
                          : cli_format("%.*s:%s", (int)size, text, text + size + 1);
    if (text[size] && !digest)
        return cli_fail_memory(reader->err);
    if (!digest || !is_digest(digest))
        return refuse(reader, "checksum= must be sha256:HEX or sha512:HEX");
    return set_text(reader, to, cli_take(&digest));
}

static int32_t set_option(struct reader *reader, struct cli_item *item, const char *name,
                          char *value)
{
    if (strcmp(name, "out") == 0)
        return set_place(reader, &item->out, name, value);
    if (strcmp(name, "dir") == 0) {
        cut_end(value, "/");
        return set_place(reader, &item->dir, name, value);
    }
    if (strcmp(name, "checksum") == 0)
        return set_digest(reader, &item->digest, value);
    return cli_fail(reader->err, FLAME_ERR_INVALID,
                    "%s:%zu: unknown option '%s' (out, dir and checksum are known)", reader->name,
                    reader->number, name);
}

static int32_t read_option(struct reader *reader, char *line)
{
    const struct cli_batch *batch = reader->batch;
    char *value = strchr(line, '=');

    if (batch->count == reader->first)
        return refuse(reader, "an indented line without a url above it");
    if (!value)
        return refuse(reader, "an indented line is NAME=VALUE");
    *value++ = '\0';
    return set_option(reader, &batch->items[batch->count - 1], line, value);
}

static int32_t read_line(struct reader *reader, char *line, size_t size)
{
    size_t indent = strspn(line, BLANKS);

    if (strlen(line) != size)
        return refuse(reader, "a NUL byte");
    if (size > LINE_BYTES_MAX)
        return refuse(reader, "too long a line");
    cut_blanks(line);
    if (line[0] == '\0' || line[indent] == '\0' || line[indent] == '#')
        return FLAME_OK;
    return indent > 0 ? read_option(reader, line + indent) : read_urls(reader, line);
}

/* ---- the file -------------------------------------------------------------------------------- */

static int32_t read_lines(struct reader *reader, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    int32_t status = FLAME_OK;
    ssize_t size;

    errno = 0;
    while (status == FLAME_OK && (size = getline(&line, &capacity, file)) >= 0) {
        reader->number++;
        status = read_line(reader, line, (size_t)size);
        errno = 0;
    }
    if (status == FLAME_OK && !feof(file))
        status = cli_fail(reader->err, errno == ENOMEM ? FLAME_ERR_NO_MEMORY : FLAME_ERR_IO,
                          "cannot read '%s': %s", reader->name, strerror(errno));
    if (line)
        explicit_bzero(line, capacity);
    free(line);
    return status;
}

int32_t cli_batch_read(struct cli_batch *batch, const char *path, struct flame_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct reader reader = {
        .batch = batch,
        .name = is_stdin ? "standard input" : path,
        .first = batch->count,
        .err = err,
    };
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    int32_t status;

    if (!file && errno == ENOMEM)
        return cli_fail_memory(err);
    if (!file) {
        err->flags |= FLAME_ERROR_SOURCE;
        return cli_fail(err, FLAME_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
    }
    status = read_lines(&reader, file);
    if (status == FLAME_ERR_IO)
        err->flags |= FLAME_ERROR_SOURCE;
    if (!is_stdin)
        (void)fclose(file);
    return status;
}

void cli_batch_done(struct cli_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct cli_item *item = &batch->items[i];

        cli_wipe_free(item->url);
        cli_list_done(&item->mirrors);
        free(item->out);
        free(item->dir);
        free(item->digest);
    }
    free(batch->items);
    *batch = (struct cli_batch){0};
}
