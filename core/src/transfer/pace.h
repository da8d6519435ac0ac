/* SPDX-License-Identifier: Apache-2.0 */
/* A pace: so many bytes a second, shared by all that take from it. The lock guards the clock. Any
 * thread. */
#ifndef FL_TRANSFER_PACE_H
#define FL_TRANSFER_PACE_H

#include <pthread.h>
#include <stdint.h>

struct fl_pace {
    uint64_t bytes_per_second; /* UINT64_MAX = no limit; constant */
    pthread_mutex_t lock;
    uint64_t free_at_ns; /* when the bytes taken so far have had their time */
};

void fl_pace_init(struct fl_pace *pace, uint64_t bytes_per_second);
void fl_pace_done(struct fl_pace *pace);

/* Take `bytes`; returns how many nanoseconds to wait now, so that the pace is kept. */
uint64_t fl_pace_take(struct fl_pace *pace, uint64_t bytes);

/* A good size of one step: what a tenth of a second allows, within reason. */
uint64_t fl_pace_step(const struct fl_pace *pace);

#endif
