/* SPDX-License-Identifier: Apache-2.0 */
/* A task that is cancelled in the middle of something: does it return in time and leave nothing? */
#ifndef PROMPT_H
#define PROMPT_H

#include "deadline.h"
#include "scratch.h"

#include <flame/fetch.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct stopwatch {
    struct flame_cancel *token;
    atomic_bool reached; /* set by who sees the task where it shall be cancelled */
    struct timespec cancelled_at;
};

static inline void *cancel_when_reached(void *data)
{
    struct stopwatch *stopwatch = data;

    while (!atomic_load(&stopwatch->reached))
        usleep(1000);
    usleep(50000); /* let it settle in the phase */
    (void)clock_gettime(CLOCK_MONOTONIC, &stopwatch->cancelled_at);
    flame_cancel_set(stopwatch->token);
    return NULL;
}

/* The task gets a path and the stopwatch's token. */
static inline void expect_soon_cancelled(struct flame *flame, struct scratch *scratch,
                                         struct flame_task *task, struct stopwatch *stopwatch)
{
    struct flame_error err = FLAME_INIT(flame_error);
    size_t before = scratch_count(scratch);
    double took_ms;
    pthread_t thread;

    task->path = scratch_path(scratch, "out");
    task->cancel = stopwatch->token;
    cr_assert_eq(pthread_create(&thread, NULL, cancel_when_reached, stopwatch), 0);
    cr_expect_eq(flame_run(flame, FLAME_FETCH, task, NULL, &err), FLAME_ERR_CANCELLED, "%s",
                 err.message);
    took_ms = ms_since(&stopwatch->cancelled_at);
    cr_expect_lt(took_ms, DEADLINE_MS, "it took %.0f ms", took_ms);
    atomic_store(&stopwatch->reached, true); /* whatever came of it, the thread ends */
    (void)pthread_join(thread, NULL);
    cr_expect_eq(scratch_count(scratch), before);
}

#endif
