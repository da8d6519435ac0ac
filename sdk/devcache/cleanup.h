/* SPDX-License-Identifier: Apache-2.0 */
/* What a variable owns is released on every return: fl_auto_free for memory, fl_auto_fd for a
 * descriptor, whose empty value is -1. Header-only, any thread. */
#ifndef FL_CACHE_CLEANUP_H
#define FL_CACHE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void fl_cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

/* errno stays: it is often what the function is about to report. */
static inline void fl_cleanup_fd(const int *fd)
{
    int errnum = errno;

    if (*fd >= 0)
        (void)close(*fd);
    errno = errnum;
}

#define fl_auto_free __attribute__((cleanup(fl_cleanup_free)))
#define fl_auto_fd __attribute__((cleanup(fl_cleanup_fd)))

/* The one line where ownership leaves a variable marked fl_auto_fd. */
static inline int fl_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#endif
