/* SPDX-License-Identifier: Apache-2.0 */
/* Ownership helpers: what a function opened is released on every return. Header-only, no state. */
#ifndef FL_BASE_CLEANUP_H
#define FL_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FL_CHECK __attribute__((warn_unused_result))
#define FL_PRINTF(string, first) __attribute__((format(printf, string, first)))

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

/* The one line where ownership leaves a variable marked fl_auto_free. */
#define fl_take(pointer)                                                                           \
    (__extension__({                                                                               \
        __typeof__(pointer) fl_taken_ = (pointer);                                                 \
        (pointer) = NULL;                                                                          \
        fl_taken_;                                                                                 \
    }))

static inline int fl_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#endif
