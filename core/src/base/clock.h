/* SPDX-License-Identifier: Apache-2.0 */
/* The monotonic clock, the only one that decides anything. */
#ifndef FL_BASE_CLOCK_H
#define FL_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define FL_NS_PER_MS 1000000ULL
#define FL_NS_PER_S 1000000000ULL

static inline uint64_t fl_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * FL_NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif
