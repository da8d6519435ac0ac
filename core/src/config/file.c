/* SPDX-License-Identifier: Apache-2.0 */
#include "config/file.h"

#include "base/read.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int32_t fl_file_read(const char *path, const char *where, struct fl_file *out,
                     struct flame_error *err)
{
    /* A FIFO or a terminal must not stop the program before fstat() can refuse it. */
    fl_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct fl_file file = {0};
    struct stat info;
    ssize_t size;

    if (fd < 0 || fstat(fd, &info) != 0)
        return fl_fail_errno(err, errno, "%scannot read '%s'", where, path);
    if (!S_ISREG(info.st_mode))
        return fl_fail(err, FLAME_ERR_IO, "%scannot read '%s': not a regular file", where, path);
    file.mode = info.st_mode;
    file.bytes = malloc(FL_FILE_MAX + 1);
    if (!file.bytes)
        return fl_fail_memory(err);
    size = fl_read_all(fd, file.bytes, FL_FILE_MAX + 1);
    file.size = size < 0 ? 0 : (size_t)size;
    if (size >= 0 && size <= FL_FILE_MAX) {
        *out = file;
        return FLAME_OK;
    }
    fl_file_done(&file);
    if (size < 0)
        return fl_fail_errno(err, errno, "%scannot read '%s'", where, path);
    return fl_fail(err, FLAME_ERR_INVALID, "%s'%s' is larger than 1 MiB", where, path);
}

void fl_file_done(struct fl_file *file)
{
    fl_wipe(file->bytes, file->size);
    free(file->bytes);
    *file = (struct fl_file){0};
}
