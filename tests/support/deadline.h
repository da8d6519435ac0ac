/* SPDX-License-Identifier: Apache-2.0 */
/* How soon a cancelled task returns, and how long something took. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <time.h>

/* The promise; the sanitizers' own work (certificates are read and freed meanwhile) comes on top.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DEADLINE_MS 500
#else
#define DEADLINE_MS 100
#endif

/* Of the monotonic clock. */
static inline double ms_since(const struct timespec *then)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) * 1e3 + (double)(now.tv_nsec - then->tv_nsec) / 1e6;
}

#endif
