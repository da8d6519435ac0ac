/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

static int32_t write_failed(int errnum, struct flame_error *err)
{
    return fl_fail_errno(err, errnum, "cannot write");
}

int32_t fl_output_file(int fd, const void *bytes, size_t size, uint64_t offset,
                       struct flame_error *err)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t written = pwrite(fd, at, size, (off_t)offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return write_failed(written < 0 ? errno : EIO, err);
        at += written;
        offset += (uint64_t)written;
        size -= (size_t)written;
    }
    return FLAME_OK;
}

/* How much one write() may be given so that a slow reader does not hold us in it: a pipe that is
 * not empty promises no more than PIPE_BUF (pipe(7)). */
static size_t room_in(int fd, size_t size)
{
    int used = 0;
    int capacity = fcntl(fd, F_GETPIPE_SZ);

    if (capacity <= 0)
        return size;
    if (ioctl(fd, FIONREAD, &used) != 0 || used > 0)
        capacity = PIPE_BUF;
    return size < (size_t)capacity ? size : (size_t)capacity;
}

static int32_t wait_for_room(const struct fl_sink_options *options)
{
    struct pollfd watched[] = {{.fd = options->fd, .events = POLLOUT},
                               {.fd = options->cancel_fd, .events = POLLIN}};

    while (poll(watched, 2, -1) < 0 && errno == EINTR)
        continue;
    return options->wanted(options->data);
}

int32_t fl_output_stream(const struct fl_sink_options *options, const void *bytes, size_t size,
                         struct flame_error *err)
{
    const char *at = bytes;

    while (size > 0) {
        int32_t status = wait_for_room(options);
        ssize_t written;

        if (status != FLAME_OK)
            return status;
        written = write(options->fd, at, room_in(options->fd, size));
        if (written < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (written <= 0)
            return write_failed(written < 0 ? errno : EIO, err);
        at += written;
        size -= (size_t)written;
    }
    return FLAME_OK;
}

/* These say "not between those two files", and the next way may do: EXDEV, EOPNOTSUPP and EINVAL by
 * the manual, ENOSYS and EPERM from sandboxes, EIO and ETXTBSY from network file systems. */
static bool is_refusal(int errnum)
{
    return errnum == EXDEV || errnum == EINVAL || errnum == EOPNOTSUPP || errnum == ENOSYS ||
           errnum == EPERM || errnum == EIO || errnum == ENOTTY || errnum == ETXTBSY ||
           errnum == EBADF || errnum == EOVERFLOW;
}

/* Shares the blocks, in constant time, where the file system can (ioctl_ficlonerange(2)). */
static ssize_t clone_range(const struct fl_piece *piece, uint64_t done)
{
    struct file_clone_range range = {.src_fd = piece->from,
                                     .src_offset = piece->from_offset + done,
                                     .src_length = piece->size - done,
                                     .dest_offset = piece->to_offset + done};

    return ioctl(piece->to, FICLONERANGE, &range) == 0 ? (ssize_t)range.src_length : -1;
}

static ssize_t copy_range(const struct fl_piece *piece, uint64_t done)
{
    off_t from = (off_t)(piece->from_offset + done);
    off_t to = (off_t)(piece->to_offset + done);

    return copy_file_range(piece->from, &from, piece->to, &to, (size_t)(piece->size - done), 0);
}

static ssize_t send_range(const struct fl_piece *piece, uint64_t done)
{
    off_t from = (off_t)(piece->from_offset + done);

    if (lseek(piece->to, (off_t)(piece->to_offset + done), SEEK_SET) < 0)
        return -1;
    return sendfile(piece->to, piece->from, &from, (size_t)(piece->size - done));
}

int32_t fl_output_copy(const struct fl_piece *piece, uint64_t *copied, struct flame_error *err)
{
    static ssize_t (*const ways[])(const struct fl_piece *, uint64_t) = {clone_range, copy_range,
                                                                         send_range};
    size_t way = 0;

    *copied = 0;
    while (*copied < piece->size) {
        ssize_t done = ways[way](piece, *copied);

        if (done > 0)
            *copied += (uint64_t)done;
        else if (done < 0 && errno == EINTR)
            continue;
        else if (done < 0 && !is_refusal(errno))
            return write_failed(errno, err);
        else if (++way == sizeof(ways) / sizeof(*ways))
            return FLAME_ERR_UNSUPPORTED; /* 0 is the end, or a file that only reading knows */
    }
    return FLAME_OK;
}
