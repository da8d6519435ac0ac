/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs in the background, watched: who calls back, how often, from where; and a server that answers
 * when it is told to. Only one of a program's files may include it. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include "deadline.h"
#include "scratch.h"
#include "tiny_server.h"

#include <flame/fetch.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000u
#define CANCEL_MS ((double)DEADLINE_MS)

#define wait_until(condition)                                                                      \
    do {                                                                                           \
        for (uint32_t waited_ = 0; waited_ < PATIENCE_MS && !(condition); waited_++)               \
            usleep(1000);                                                                          \
        cr_assert(condition, "waited in vain");                                                    \
    } while (0)

static inline double now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- a server with a gate -------------------------------------------------------------------- */

struct gate {
    atomic_bool is_open;
    atomic_uint reached;
    const char *body; /* NULL = "abc" */
    size_t size;
};

static inline void gate_pass(struct gate *gate)
{
    atomic_fetch_add(&gate->reached, 1);
    while (!atomic_load(&gate->is_open))
        usleep(1000);
}

static inline bool answer_at_gate(void *data, const struct tiny_request *request)
{
    struct gate *gate = data;

    gate_pass(gate);
    return gate->body ? tiny_answer(request, "200 OK", gate->body, gate->size)
                      : tiny_answer(request, "200 OK", "abc", 3);
}

static inline bool answer_abc(void *data, const struct tiny_request *request)
{
    (void)data;
    return tiny_answer(request, "200 OK", "abc", 3);
}

static inline void open_and_close(struct gate *gate, struct tiny_server *server)
{
    atomic_store(&gate->is_open, true);
    tiny_server_close(server);
}

/* ---- a context ------------------------------------------------------------------------------- */

/* Of nothing but what `config` says. */
static inline struct flame *open_configured(struct flame_config config)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame *flame = NULL;

    config.flags |= FLAME_CONFIG_NO_ENVIRONMENT;
    if (!config.file)
        config.file = "";
    cr_assert_eq(flame_open(&config, &flame, &err), FLAME_OK, "%s", err.message);
    return flame;
}

static inline struct flame *open_context(uint32_t workers)
{
    struct flame_config config = FLAME_INIT(flame_config);

    config.workers = workers;
    return open_configured(config);
}

static inline struct flame_counters counters_of(struct flame *flame)
{
    struct flame_counters counters = FLAME_INIT(flame_counters);

    flame_counters_read(flame, &counters);
    return counters;
}

/* ---- a watched job --------------------------------------------------------------------------- */

static _Thread_local bool is_dispatching;

struct watched { /* the `data` of a job */
    atomic_uint done;
    atomic_uint progress;
    atomic_uint events;
    atomic_uint writes;
    atomic_uint verified;
    atomic_uint strangers; /* callbacks that ran elsewhere than in flame_dispatch() */
    atomic_int status;
    uint32_t flags;
    uint64_t size;
    char message[256];
};

static inline void was_called(struct watched *watched, atomic_uint *counter)
{
    if (!is_dispatching)
        atomic_fetch_add(&watched->strangers, 1);
    atomic_fetch_add(counter, 1);
}

static inline void on_done(void *data, int32_t status, const struct flame_result *result,
                           const struct flame_error *err)
{
    struct watched *watched = data;

    if (result) {
        watched->flags = result->flags;
        watched->size = result->size;
    }
    if (err)
        (void)snprintf(watched->message, sizeof(watched->message), "%.255s", err->message);
    if ((result != NULL) == (status >= FLAME_FIRST_FAILURE))
        atomic_fetch_add(&watched->strangers, 1);
    atomic_store(&watched->status, status);
    was_called(watched, &watched->done);
}

static inline int32_t on_progress(void *data, const struct flame_progress *progress)
{
    struct watched *watched = data;

    (void)progress;
    was_called(watched, &watched->progress);
    return 0;
}

static inline void on_event(void *data, const struct flame_event *event)
{
    struct watched *watched = data;

    (void)event;
    was_called(watched, &watched->events);
}

static inline int32_t on_write(void *data, const void *bytes, uint64_t size)
{
    struct watched *watched = data;

    (void)bytes;
    (void)size;
    was_called(watched, &watched->writes);
    return 0;
}

static inline int32_t on_verify(void *data, int32_t fd, uint64_t size, struct flame_error *err)
{
    struct watched *watched = data;

    (void)fd;
    (void)size;
    (void)err;
    was_called(watched, &watched->verified);
    return FLAME_OK;
}

static inline struct flame_job *submit(struct flame *flame, const struct flame_task *task,
                                       struct watched *watched)
{
    struct flame_task with_data = *task;
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_job *job = NULL;

    if (watched)
        with_data.data = watched;
    cr_assert_eq(flame_submit(flame, FLAME_FETCH, &with_data, watched ? on_done : NULL, &job, &err),
                 FLAME_OK, "%s", err.message);
    return job;
}

static inline uint32_t dispatch(struct flame *flame, uint32_t timeout_ms)
{
    uint32_t count;

    is_dispatching = true;
    count = flame_dispatch(flame, timeout_ms);
    is_dispatching = false;
    return count;
}

static inline void dispatch_until_done(struct flame *flame, const struct watched *watched)
{
    double until = now_ms() + PATIENCE_MS;

    while (atomic_load(&watched->done) == 0 && now_ms() < until)
        (void)dispatch(flame, 100);
    cr_assert_eq(atomic_load(&watched->done), 1);
}

static inline void expect_outcome(struct flame_job *job, int32_t status)
{
    struct flame_error err = FLAME_INIT(flame_error);

    cr_assert_eq(flame_job_wait(job, PATIENCE_MS), FLAME_JOB_ENDED);
    cr_expect_eq(flame_job_outcome(job, NULL, &err), status, "%s", err.message);
}

static inline void finish(struct flame_job *job, int32_t status)
{
    expect_outcome(job, status);
    flame_job_release(job);
}

#endif
