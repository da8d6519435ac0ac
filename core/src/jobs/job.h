/* SPDX-License-Identifier: Apache-2.0 */
/* A job: one task, in the foreground (flame_run) or in the background (flame_submit).
 *
 * It waits in the pool for a thread, or, when another job already fetches the same, behind that one
 * as its follower, without a thread. It ends once. Jobs in the background are counted: by the
 * caller, by the core until they end, and by each letter of theirs that waits to be read.
 *
 * `lock` guards what is marked below. Any thread. */
#ifndef FL_JOBS_JOB_H
#define FL_JOBS_JOB_H

#include "jobs/flame.h"
#include "request/key.h"

struct flame_job {
    struct flame *flame; /* not to be used after the end */
    struct fl_setup *setup;
    atomic_uint references; /* background */
    bool is_background;
    uint32_t verb;
    struct flame_task task; /* cut to our size; in the background with strings of its own */
    uint64_t started_ns;
    uint64_t total_ms; /* while it waits; UINT64_MAX = for ever */
    char *lane;        /* its origin */
    struct fl_pool_job pool_job;
    struct fl_exchange exchange;
    void (*done)(void *data, int32_t status, const struct flame_result *result,
                 const struct flame_error *err);
    struct fl_letter done_letter;
    struct fl_letter progress_letter;
    atomic_int is_cancelled;

    /* Guarded by the context's lock: */
    uint8_t key[FL_KEY_BYTES];
    uint64_t place[2]; /* device and inode of the destination's directory */
    bool is_joinable;
    bool has_given_up;           /* its own wish or time, which is not that of its followers */
    struct flame_job *leader;    /* it follows that one; or NULL */
    struct flame_job *followers; /* of a leader */
    struct flame_job *next;      /* among followers, or among leaders */
    struct flame_job *next_living;
    struct flame_job **at_living;

    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct fl_run *run; /* while it runs */
    uint32_t state;     /* enum flame_job_state */
    int32_t status;
    struct flame_result result;
    struct flame_error *err;     /* after a failure; NULL = no memory for it */
    struct flame_progress shown; /* the last that the caller saw */
    uint64_t shown_ns;           /* when */
};

/* ---- job.c ---- */

/* Fails with INVALID, INVALID_URL, UNSUPPORTED, NO_MEMORY; fl_job_done() it in any case. */
int32_t fl_job_init(struct flame_job *job, struct flame *flame, uint32_t verb,
                    const struct flame_task *task, struct flame_error *err) FL_CHECK;
void fl_job_done(struct flame_job *job);

/* Into the pool, or behind another job. Fails with IO, NO_MEMORY: it has not begun. */
int32_t fl_job_start(struct flame_job *job, struct flame_error *err) FL_CHECK;

/* It ends with this; result and error are taken over. Once. */
void fl_job_end(struct flame_job *job, int32_t status, struct flame_result *result,
                const struct flame_error *err);

/* End it now with CANCELLED or TIMEOUT if it only waits. false: it runs or has ended. */
bool fl_job_give_up(struct flame_job *job, int32_t status);

/* Nobody wants it any more: CANCELLED or TIMEOUT; else OK. */
int32_t fl_job_wanted(struct flame_job *job);

void fl_job_ref(struct flame_job *job);

/* Put the url into an error that has none yet. */
void fl_job_name_url(const struct flame_job *job, struct flame_error *err);

/* Where it stands, to be shown now; that of its leader when it follows. false: nothing new, or
 * shown too short a time ago, or nobody listens. */
bool fl_job_progress(struct flame_job *job, struct flame_progress *out);
/* Would that say something? */
bool fl_job_has_news(struct flame_job *job);

/* ---- flight.c ---- */

/* Is there one to follow? Then this follows it: true. Else it leads, if it may be joined. */
bool fl_flight_join(struct flame_job *job);
/* The leader has ended: its followers get the same, or one of them takes over. */
void fl_flight_end(struct flame_job *leader, int32_t status, const struct flame_result *result,
                   const struct flame_error *err);
/* Follow no longer. false: it does not follow (any more). */
bool fl_flight_leave(struct flame_job *job);

/* ---- patrol.c: looks after those who wait in the background ---- */

/* Fails with IO, NO_MEMORY. */
int32_t fl_patrol_add(struct flame_job *job, struct flame_error *err) FL_CHECK;
void fl_patrol_remove(struct flame_job *job);

/* ---- dispatch.c: letters of jobs in the background ---- */

void fl_dispatch_init(struct flame_job *job);
void fl_dispatch_done(struct flame_job *job);
void fl_dispatch_progress(struct flame_job *job);

#endif
