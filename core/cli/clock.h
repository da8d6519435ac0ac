/* SPDX-License-Identifier: Apache-2.0 */
/* The clock that rates and event times are measured with. */
#ifndef CLI_CLOCK_H
#define CLI_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLI_NS_PER_MS 1000000ULL
#define CLI_NS_PER_S 1000000000ULL

static inline uint64_t cli_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * CLI_NS_PER_S + (uint64_t)now.tv_nsec;
}

#endif
