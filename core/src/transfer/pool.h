/* SPDX-License-Identifier: Apache-2.0 */
/* The threads on which plugin code runs: at most so many, made when needed, kept for the next.
 *
 * Jobs queue in lanes, one for each origin. The lanes take turns, and no more than so many jobs of
 * one lane run at a time, so that a slow origin with a thousand jobs starves no other. The lock
 * guards lanes and counts. Any thread. */
#ifndef FL_TRANSFER_POOL_H
#define FL_TRANSFER_POOL_H

#include "base/error.h"

#include <stdbool.h>

struct fl_pool;
struct fl_lane;

struct fl_pool_job { /* the caller's; lives until its body has run or it was withdrawn */
    void (*body)(void *data);
    void *data;
    const char *lane; /* its name; "" is a lane too */
    struct fl_pool_job *next;
    struct fl_lane *queue; /* the pool's: the lane it waits in */
};

/* Fails with NO_MEMORY. */
int32_t fl_pool_open(uint32_t max_threads, uint32_t per_lane, struct fl_pool **out,
                     struct flame_error *err) FL_CHECK;
void fl_pool_close(struct fl_pool *pool); /* does what is queued first; takes NULL */

/* Run the job on a thread of the pool, now or when one is free. Fails with IO, NO_MEMORY when there
 * is no thread at all. */
int32_t fl_pool_submit(struct fl_pool *pool, struct fl_pool_job *job,
                       struct flame_error *err) FL_CHECK;

/* Take a job back that has not been started. false: it has. */
bool fl_pool_withdraw(struct fl_pool *pool, struct fl_pool_job *job);

/* Jobs that wait and jobs that run, now. */
void fl_pool_counts(struct fl_pool *pool, uint64_t *waiting, uint32_t *running);

#endif
