/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs in the background, as the host program holds them, and the letters that tell him of them. */
#include "jobs/job.h"

#include "base/clock.h"
#include "base/thread.h"

#include <string.h>

#define LETTERS_MAX 1024 /* of one dispatch, so that it ends although callbacks submit */

/* ---- the task's own copy --------------------------------------------------------------------- */

static bool copy_text(const char **text)
{
    if (*text)
        *text = strdup(*text);
    else
        return true;
    return *text != NULL;
}

/* All that it points at, or nothing: what was not copied is NULL. */
static bool copy_task(struct flame_task *task)
{
    struct flame_task said = *task;
    bool ok = copy_text(&task->url);

    task->mirrors = task->headers = task->options = task->secrets = NULL;
    ok = copy_text(&task->path) && ok;
    ok = copy_text(&task->digest) && ok;
    ok = copy_text(&task->checksum_url) && ok;
    ok = copy_text(&task->validator) && ok;
    ok = copy_text(&task->cursor) && ok;
    return ok && fl_list_copy(said.mirrors, &task->mirrors) &&
           fl_list_copy(said.headers, &task->headers) &&
           fl_list_copy(said.options, &task->options) && fl_list_copy(said.secrets, &task->secrets);
}

static void free_task(struct flame_task *task)
{
    free((char *)(uintptr_t)task->url);
    free((char *)(uintptr_t)task->path);
    free((char *)(uintptr_t)task->digest);
    free((char *)(uintptr_t)task->checksum_url);
    free((char *)(uintptr_t)task->validator);
    free((char *)(uintptr_t)task->cursor);
    fl_list_free(task->mirrors, false);
    fl_list_free(task->headers, true);
    fl_list_free(task->options, false);
    fl_list_free(task->secrets, true);
}

/* ---- letters --------------------------------------------------------------------------------- */

static bool is_silent(struct flame_job *job)
{
    return job->flame->is_closing; /* nobody dispatches any more: flame_close() reads alone */
}

static void tell_failure(struct flame_job *job)
{
    struct flame_error err = FLAME_INIT(flame_error);

    if (job->err)
        err = *job->err;
    else
        (void)fl_fail(&err, job->status, "%s", flame_status_text(job->status));
    job->done(job->task.data, job->status, NULL, &err);
}

static void call_done(void *data)
{
    struct flame_job *job = data;

    if (job->status < FLAME_FIRST_FAILURE)
        job->done(job->task.data, job->status, &job->result, NULL);
    else
        tell_failure(job);
}

static void read_done(void *data)
{
    struct flame_job *job = data;

    if (!is_silent(job))
        fl_exchange_call(&job->exchange, call_done, job);
    flame_job_release(job);
}

/* After `done` there is no progress, also when several threads dispatch. */
static void call_progress(void *data)
{
    struct flame_job *job = data;
    struct flame_progress now;

    if (flame_job_state(job) != FLAME_JOB_ENDED && fl_job_progress(job, &now) &&
        job->task.progress(job->task.data, &now) != 0)
        flame_job_cancel(job);
}

static void read_progress(void *data)
{
    struct flame_job *job = data;

    if (!is_silent(job))
        fl_exchange_call(&job->exchange, call_progress, job);
    flame_job_release(job);
}

void fl_dispatch_init(struct flame_job *job)
{
    job->done_letter = (struct fl_letter){.read = read_done, .data = job};
    job->progress_letter = (struct fl_letter){.read = read_progress, .data = job};
}

static void post(struct flame_job *job, struct fl_letter *letter)
{
    fl_job_ref(job);
    if (!fl_mailbox_post(&job->flame->mailbox, letter))
        flame_job_release(job);
}

/* The core's reference goes with it. */
void fl_dispatch_done(struct flame_job *job)
{
    if (job->done)
        post(job, &job->done_letter);
    flame_job_release(job);
}

void fl_dispatch_progress(struct flame_job *job)
{
    if (fl_job_has_news(job))
        post(job, &job->progress_letter);
}

int32_t flame_fd(const struct flame *flame)
{
    return flame->mailbox.fd;
}

uint32_t flame_dispatch(struct flame *flame, uint32_t timeout_ms)
{
    uint32_t count = 0;

    while (count < LETTERS_MAX && fl_mailbox_read(&flame->mailbox, count == 0 ? timeout_ms : 0))
        count++;
    return count;
}

/* ---- the handle ------------------------------------------------------------------------------ */

void fl_job_ref(struct flame_job *job)
{
    atomic_fetch_add(&job->references, 1);
}

void flame_job_release(struct flame_job *job)
{
    if (!job || atomic_fetch_sub(&job->references, 1) > 1)
        return;
    fl_exchange_done(&job->exchange);
    free_task(&job->task);
    fl_job_done(job);
    free(job);
}

uint32_t flame_job_state(struct flame_job *job)
{
    uint32_t state;

    (void)pthread_mutex_lock(&job->lock);
    state = job->state;
    (void)pthread_mutex_unlock(&job->lock);
    return state;
}

uint32_t flame_job_wait(struct flame_job *job, uint32_t timeout_ms)
{
    uint64_t deadline = fl_now_ns() + timeout_ms * FL_NS_PER_MS;
    uint32_t state;

    (void)pthread_mutex_lock(&job->lock);
    while (job->state != FLAME_JOB_ENDED) {
        if (timeout_ms == UINT32_MAX)
            (void)pthread_cond_wait(&job->changed, &job->lock);
        else if (fl_now_ns() < deadline)
            fl_cond_wait_until(&job->changed, &job->lock, deadline);
        else
            break;
    }
    state = job->state;
    (void)pthread_mutex_unlock(&job->lock);
    return state;
}

static int32_t tell_outcome(const struct flame_job *job, struct flame_result *result,
                            struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct flame_result copy = FLAME_INIT(flame_result);
    int32_t status = job->status;

    if (status < FLAME_FIRST_FAILURE && result) {
        int32_t copied = fl_result_copy(&job->result, &copy, &own);

        if (copied == FLAME_OK)
            fl_result_give(&copy, result);
        else
            status = copied;
    } else if (status >= FLAME_FIRST_FAILURE) {
        if (job->err)
            own = *job->err;
        else
            (void)fl_fail(&own, status, "%s", flame_status_text(status));
    }
    if (status >= FLAME_FIRST_FAILURE)
        fl_error_export(&own, err);
    return status;
}

int32_t flame_job_outcome(struct flame_job *job, struct flame_result *result,
                          struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    int32_t status = fl_result_check(result, &own);

    if (status == FLAME_OK && flame_job_state(job) != FLAME_JOB_ENDED)
        status = fl_fail(&own, FLAME_ERR_BUSY, "the job has not ended");
    if (status == FLAME_OK)
        return tell_outcome(job, result, err);
    fl_error_export(&own, err);
    return status;
}

void flame_job_cancel(struct flame_job *job)
{
    (void)pthread_mutex_lock(&job->lock);
    atomic_store(&job->is_cancelled, 1);
    if (job->run)
        fl_watch_raise(&job->run->watch, FLAME_ERR_CANCELLED);
    (void)pthread_mutex_unlock(&job->lock);
}

/* ---- submitting ------------------------------------------------------------------------------ */

static int32_t begin(struct flame_job *job, struct flame_error *err)
{
    int32_t status = fl_patrol_add(job, err);

    if (status != FLAME_OK)
        return status;
    fl_job_ref(job); /* until it ends */
    status = fl_job_start(job, err);
    if (status == FLAME_OK)
        return FLAME_OK;
    fl_patrol_remove(job);
    flame_job_release(job);
    return status;
}

static int32_t submit(struct flame_job *job, struct flame_error *err)
{
    int32_t status = FLAME_OK;

    job->is_background = true;
    atomic_init(&job->references, 1);
    fl_dispatch_init(job);
    if (!copy_task(&job->task))
        status = fl_fail_memory(err);
    if (status == FLAME_OK)
        status = begin(job, err);
    if (status != FLAME_OK) {
        fl_job_name_url(job, err);
        flame_job_release(job);
    }
    return status;
}

int32_t flame_submit(struct flame *flame, uint32_t verb, const struct flame_task *task,
                     void (*done)(void *data, int32_t status, const struct flame_result *result,
                                  const struct flame_error *err),
                     struct flame_job **out, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct flame_job *job = NULL;
    int32_t status = fl_flame_check(flame, &own);

    if (status == FLAME_OK) {
        job = malloc(sizeof(*job));
        status = job ? FLAME_OK : fl_fail_memory(&own);
    }
    if (status != FLAME_OK) {
        fl_error_export(&own, err);
        return status;
    }
    status = fl_job_init(job, flame, verb, task, &own);
    if (status == FLAME_OK)
        status = fl_exchange_init(&job->exchange, &flame->mailbox, &own);
    if (status != FLAME_OK) {
        fl_job_name_url(job, &own);
        fl_job_done(job);
        free(job);
        fl_error_export(&own, err);
        return status;
    }
    job->done = done;
    status = submit(job, &own);
    if (status != FLAME_OK)
        fl_error_export(&own, err);
    else if (out)
        *out = job;
    else
        flame_job_release(job);
    return status;
}
