/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a file to its end, whatever each single read() brings. */
#ifndef FL_BASE_READ_H
#define FL_BASE_READ_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* Up to `capacity` bytes, fewer at the end only; -1 with errno. */
static inline ssize_t fl_read_all(int fd, char *bytes, size_t capacity)
{
    size_t used = 0;

    while (used < capacity) {
        ssize_t got = read(fd, bytes + used, capacity - used);

        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -1;
        used += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)used;
}

#endif
