/* SPDX-License-Identifier: Apache-2.0 */
#include "config/secret.h"

#include "base/text.h"
#include "config/file.h"

#include <stdio.h>
#include <string.h>

bool fl_secret_is_literal(const char *text)
{
    return text[0] != '@';
}

static void strip_line_end(struct fl_file *file)
{
    if (file->size > 0 && file->bytes[file->size - 1] == '\n') {
        file->size--;
        if (file->size > 0 && file->bytes[file->size - 1] == '\r')
            file->size--;
    }
}

static int32_t copy_secret(const char *bytes, size_t size, const char *where, char **out,
                           struct flame_error *err)
{
    char *copy;

    if (size == 0)
        return fl_fail(err, FLAME_ERR_INVALID, "%s: the secret is empty", where);
    if (memchr(bytes, '\0', size))
        return fl_fail(err, FLAME_ERR_INVALID, "%s: the secret holds a zero byte", where);
    copy = strndup(bytes, size);
    if (!copy)
        return fl_fail_memory(err);
    *out = copy;
    return FLAME_OK;
}

static int32_t read_file(const char *path, const char *where, char **out, struct flame_error *err)
{
    char prefix[FL_PLACE_MAX + sizeof(": ")];
    struct fl_file file;
    int32_t status;

    (void)snprintf(prefix, sizeof(prefix), "%s: ", where);
    status = fl_file_read(path, prefix, &file, err);
    if (status != FLAME_OK)
        return status;
    strip_line_end(&file);
    status = copy_secret(file.bytes, file.size, where, out, err);
    fl_file_done(&file);
    return status;
}

int32_t fl_secret_read(const char *text, const struct fl_place *place, char **out,
                       struct flame_error *err)
{
    char where[FL_PLACE_MAX];

    (void)fl_place_text(place, where);
    if (fl_secret_is_literal(text))
        return copy_secret(text, strlen(text), where, out, err);
    if (text[1] != '/')
        return fl_fail(err, FLAME_ERR_INVALID,
                       "%s: '@' must be followed by the absolute path of a file", where);
    return read_file(text + 1, where, out, err);
}
