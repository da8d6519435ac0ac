/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "cleanup.h"

#include <errno.h>
#include <sys/uio.h>

#define PIECES 64
#define COPY_SIZE ((size_t)256 * 1024)

bool fl_cache_read_at(int fd, uint64_t offset, void *out, size_t size)
{
    uint8_t *at = out;

    while (size > 0) {
        ssize_t got = pread(fd, at, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

/* What is left of the vectors behind `size` written bytes. */
static void advance(struct iovec **vector, int *count, size_t size)
{
    while (*count > 0 && size >= (*vector)->iov_len) {
        size -= (*vector)->iov_len;
        (*vector)++;
        (*count)--;
    }
    if (*count > 0) {
        (*vector)->iov_base = (uint8_t *)(*vector)->iov_base + size;
        (*vector)->iov_len -= size;
    }
}

static bool write_vectors(int fd, uint64_t *offset, struct iovec *vector, int count)
{
    advance(&vector, &count, 0);
    while (count > 0) {
        ssize_t put = pwritev(fd, vector, count, (off_t)*offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        *offset += (uint64_t)put;
        advance(&vector, &count, (size_t)put);
    }
    return true;
}

bool fl_cache_write_at(int fd, uint64_t offset, const struct flame_slice *slices, uint32_t count,
                       struct fl_cache_status *status)
{
    struct iovec vector[PIECES];

    while (count > 0) {
        uint32_t some = count < PIECES ? count : PIECES;

        for (uint32_t i = 0; i < some; i++)
            vector[i] = (struct iovec){(void *)(uintptr_t)slices[i].data, (size_t)slices[i].size};
        if (!write_vectors(fd, &offset, vector, (int)some))
            return fl_cache_fail_errno(status, "could not keep the object");
        slices += some;
        count -= some;
    }
    return true;
}

bool fl_cache_copy(int from, uint64_t size, int to, uint64_t offset, struct fl_cache_status *status)
{
    fl_auto_free uint8_t *room = malloc(COPY_SIZE);
    uint64_t at = 0;

    if (!room)
        return fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    while (at < size) {
        size_t some = size - at < COPY_SIZE ? (size_t)(size - at) : COPY_SIZE;
        struct flame_slice slice = {room, some};

        if (!fl_cache_read_at(from, at, room, some))
            return fl_cache_fail(status, FL_CACHE_DATA_LOSS, "an object became shorter");
        if (!fl_cache_write_at(to, offset + at, &slice, 1, status))
            return false;
        at += some;
    }
    return true;
}
