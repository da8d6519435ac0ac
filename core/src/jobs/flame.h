/* SPDX-License-Identifier: Apache-2.0 */
/* The context: what flame_open() makes. Tasks of it become jobs (job.h); jobs that want the same
 * become one flight (flight.h); who waits in the background is looked after by the patrol.
 *
 * The lock guards what is marked below; it is never held over plugin code or a callback. Order of
 * locks: the context's, then a job's, then a mailbox's or pool's. Any thread. */
#ifndef FL_JOBS_FLAME_H
#define FL_JOBS_FLAME_H

#include "run/run.h"

#include <sys/types.h>

#define FL_FLIGHT_BUCKETS 1024

struct flame {
    struct fl_engine engine;
    struct fl_mailbox mailbox;
    pthread_mutex_t log_lock;
    struct fl_log_target log;
    struct flame_config said; /* the caller's, with strings of its own, for a reload */
    pid_t pid;                /* a fork's child has none of our threads */

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct fl_setup *setup;
    struct flame_job *flights[FL_FLIGHT_BUCKETS]; /* the leaders, by their keys */
    struct flame_job *living;                     /* jobs in the background that have not ended */
    struct flame_job **last_living;
    size_t living_count;
    bool is_closing;
    bool has_patrol;
    pthread_t patrol;
    uint64_t succeeded;
    uint64_t failed;
    uint64_t joined;
    uint64_t following; /* jobs that wait for another one's transfer */
};

/* Fails with INTERNAL in a process that only inherited the context. */
int32_t fl_flame_check(const struct flame *flame, struct flame_error *err) FL_CHECK;

/* The present setup, with a reference. */
struct fl_setup *fl_flame_setup(struct flame *flame);

/* copy.c: "name, value, ..., NULL" or any list of strings; NULL stays NULL. false = no memory. */
bool fl_list_copy(const char *const *items, const char *const **out) FL_CHECK;
void fl_list_free(const char *const *items, bool wipe);

#endif
