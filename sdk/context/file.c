/* SPDX-License-Identifier: Apache-2.0 */
#include "context/file.h"

#include "base/read.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/stat.h>

int fl_small_file_open(const char *path)
{
    /* A FIFO or a terminal must not stop us before fstat() can refuse it. */
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int32_t fl_small_file_read(int fd, size_t limit, const char *where, const char *path,
                           struct fl_small_file *out, struct flame_error *err)
{
    struct fl_small_file file = {0};
    struct stat info;
    ssize_t size;

    if (fstat(fd, &info) != 0)
        return fl_fail_errno(err, errno, "%scannot read '%s'", where, path);
    if (!S_ISREG(info.st_mode))
        return fl_fail(err, FLAME_ERR_IO, "%scannot read '%s': not a regular file", where, path);
    file.bytes = malloc(limit + 1);
    if (!file.bytes)
        return fl_fail_memory(err);
    size = fl_read_all(fd, file.bytes, limit + 1);
    file.size = size < 0 ? 0 : (size_t)size;
    if (size >= 0 && file.size <= limit) {
        file.bytes[file.size] = '\0';
        *out = file;
        return FLAME_OK;
    }
    fl_small_file_done(&file);
    if (size < 0)
        return fl_fail_errno(err, errno, "%scannot read '%s'", where, path);
    return fl_fail(err, FLAME_ERR_LIMIT, "%s'%s' is larger than %zu KiB", where, path, limit >> 10);
}

void fl_small_file_done(struct fl_small_file *file)
{
    fl_wipe(file->bytes, file->size);
    free(file->bytes);
    *file = (struct fl_small_file){0};
}
