/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time by the monotonic clock, in milliseconds. Header-only, any thread. */
#ifndef FL_GRPC_DEADLINE_H
#define FL_GRPC_DEADLINE_H

#include <stdint.h>
#include <time.h>

static inline int64_t fl_grpc_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* UINT32_MAX = never. */
static inline int64_t fl_grpc_deadline(uint32_t timeout_ms)
{
    return timeout_ms == UINT32_MAX ? INT64_MAX : fl_grpc_now_ms() + timeout_ms;
}

/* Not below 0; INT64_MAX = for ever. */
static inline int64_t fl_grpc_left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms == INT64_MAX ? INT64_MAX : deadline_ms - fl_grpc_now_ms();

    return left < 0 ? 0 : left;
}

#endif
