/* SPDX-License-Identifier: Apache-2.0 */
/* Patience: when a peer has said "not before", all tasks for that origin wait, not only the one
 * that heard it. And how long to pause before the next try. The lock guards the list. Any thread.
 */
#ifndef FL_RUN_PATIENCE_H
#define FL_RUN_PATIENCE_H

#include <pthread.h>
#include <stdint.h>

#define FL_PAUSE_MAX_MS 30000u

struct fl_patience_row;

struct fl_patience {
    pthread_mutex_t lock;
    struct fl_patience_row *first;
};

void fl_patience_init(struct fl_patience *patience);
void fl_patience_done(struct fl_patience *patience);

/* `origin` asks to be left alone until `until_ns` of the monotonic clock. Without memory it is
 * forgotten. */
void fl_patience_note(struct fl_patience *patience, const char *origin, uint64_t until_ns);

/* Not before then; 0 = at once. */
uint64_t fl_patience_until(struct fl_patience *patience, const char *origin);

/* Exponential with full jitter: anything below `delay_ms` doubled with each try after the first,
 * FL_PAUSE_MAX_MS at most. `tries`: how many have failed. */
uint32_t fl_pause_ms(uint32_t delay_ms, uint32_t tries);

/* What a peer's Retry-After comes to: capped, and a little later than it said, so that not all who
 * heard it come at once. */
uint32_t fl_pause_wished_ms(int64_t retry_after_ms);

#endif
