/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/job.h"

#include "base/thread.h"

#include <string.h>

#define DEFAULT_WORKERS 64

/* ---- opening --------------------------------------------------------------------------------- */

/* What the caller said, with strings of its own. */
static bool keep_said(struct flame *flame, const struct flame_config *config)
{
    struct flame_config *said = &flame->said;
    struct flame_config borrowed = FLAME_INIT(flame_config);

    if (config)
        memcpy(&borrowed, config,
               config->struct_size < sizeof(borrowed) ? config->struct_size : sizeof(borrowed));
    borrowed.struct_size = sizeof(borrowed);
    *said = borrowed;
    said->file = NULL;
    said->plugin_dirs = said->options = NULL;
    if (borrowed.file && !(said->file = strdup(borrowed.file)))
        return false;
    return fl_list_copy(borrowed.plugin_dirs, &said->plugin_dirs) &&
           fl_list_copy(borrowed.options, &said->options);
}

static int32_t open_services(struct flame *flame, struct flame_error *err)
{
    uint32_t workers = flame->said.workers ? flame->said.workers : DEFAULT_WORKERS;
    int32_t status = fl_watchdog_open(&flame->engine.watchdog, err);

    if (status == FLAME_OK)
        status = fl_pool_open(workers, FLAME_PER_ORIGIN, &flame->engine.pool, err);
    if (status == FLAME_OK)
        status = fl_setup_new(&flame->said, &flame->log, &flame->setup, err);
    return status;
}

/* What cannot fail, or has failed before anything else was made. */
static int32_t prepare(struct flame *flame, struct flame_error *err)
{
    int32_t status = fl_mailbox_init(&flame->mailbox, err);

    if (status != FLAME_OK)
        return status;
    if (fl_cond_init(&flame->changed) != 0) {
        fl_mailbox_done(&flame->mailbox);
        return fl_fail_memory(err);
    }
    (void)pthread_mutex_init(&flame->log_lock, NULL);
    (void)pthread_mutex_init(&flame->lock, NULL);
    fl_patience_init(&flame->engine.patience);
    fl_shelf_init(&flame->engine.shelf);
    flame->last_living = &flame->living;
    flame->pid = getpid();
    return FLAME_OK;
}

static int32_t open_it(struct flame *flame, const struct flame_config *config,
                       struct flame_error *err)
{
    if (!keep_said(flame, config))
        return fl_fail_memory(err);
    flame->log = (struct fl_log_target){
        .log = flame->said.log,
        .data = flame->said.log_data,
        .level = flame->said.log_level ? flame->said.log_level : FLAME_LOG_ERROR,
        .lock = &flame->log_lock,
    };
    return open_services(flame, err);
}

int32_t flame_open(const struct flame_config *config, struct flame **out, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct flame *flame = calloc(1, sizeof(*flame));
    int32_t status = flame ? prepare(flame, &own) : fl_fail_memory(&own);

    if (status != FLAME_OK) {
        free(flame);
        fl_error_export(&own, err);
        return status;
    }
    status = open_it(flame, config, &own);
    if (status == FLAME_OK) {
        *out = flame;
        return FLAME_OK;
    }
    flame_close(flame);
    fl_error_export(&own, err);
    return status;
}

/* ---- closing --------------------------------------------------------------------------------- */

static struct flame_job *any_living(struct flame *flame)
{
    struct flame_job *job;

    (void)pthread_mutex_lock(&flame->lock);
    job = flame->living;
    if (job)
        fl_job_ref(job);
    (void)pthread_mutex_unlock(&flame->lock);
    return job;
}

/* One after the other: who waits ends at once, who runs is waited for. */
static void end_jobs(struct flame *flame)
{
    struct flame_job *job;

    while ((job = any_living(flame)) != NULL) {
        fl_exchange_close(&job->exchange);
        flame_job_cancel(job);
        if (!fl_job_give_up(job, FLAME_ERR_CANCELLED))
            (void)flame_job_wait(job, UINT32_MAX);
        fl_patrol_remove(job);
        flame_job_release(job);
    }
}

static void cancel_jobs(struct flame *flame)
{
    (void)pthread_mutex_lock(&flame->lock);
    flame->is_closing = true;
    for (struct flame_job *job = flame->living; job; job = job->next_living) {
        fl_exchange_close(&job->exchange);
        flame_job_cancel(job);
    }
    (void)pthread_cond_broadcast(&flame->changed);
    (void)pthread_mutex_unlock(&flame->lock);
}

void flame_close(struct flame *flame)
{
    /* In a fork's child the threads to be joined do not exist; the memory goes with the process. */
    if (!flame || flame->pid != getpid())
        return;
    cancel_jobs(flame);
    if (flame->has_patrol)
        (void)pthread_join(flame->patrol, NULL);
    end_jobs(flame);
    fl_pool_close(flame->engine.pool);
    while (fl_mailbox_read(&flame->mailbox, 0))
        continue;
    fl_watchdog_close(flame->engine.watchdog);
    fl_setup_unref(flame->setup);
    fl_mailbox_done(&flame->mailbox);
    fl_patience_done(&flame->engine.patience);
    fl_shelf_done(&flame->engine.shelf);
    free((char *)(uintptr_t)flame->said.file);
    fl_list_free(flame->said.plugin_dirs, false);
    fl_list_free(flame->said.options, false);
    (void)pthread_cond_destroy(&flame->changed);
    (void)pthread_mutex_destroy(&flame->lock);
    (void)pthread_mutex_destroy(&flame->log_lock);
    free(flame);
}

int32_t fl_flame_check(const struct flame *flame, struct flame_error *err)
{
    if (flame->pid == getpid())
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_INTERNAL, "the context was opened before a fork");
}

/* ---- what changes ---------------------------------------------------------------------------- */

struct fl_setup *fl_flame_setup(struct flame *flame)
{
    struct fl_setup *setup;

    (void)pthread_mutex_lock(&flame->lock);
    setup = fl_setup_ref(flame->setup);
    (void)pthread_mutex_unlock(&flame->lock);
    return setup;
}

int32_t flame_reload(struct flame *flame, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct fl_setup *setup = NULL;
    int32_t status = fl_flame_check(flame, &own);

    if (status == FLAME_OK)
        status = fl_setup_new(&flame->said, &flame->log, &setup, &own);
    if (status != FLAME_OK) {
        fl_error_export(&own, err);
        return status;
    }
    (void)pthread_mutex_lock(&flame->lock);
    {
        struct fl_setup *old = flame->setup;

        flame->setup = setup;
        setup = old;
    }
    (void)pthread_mutex_unlock(&flame->lock);
    fl_setup_unref(setup);
    return FLAME_OK;
}

void flame_counters_read(struct flame *flame, struct flame_counters *out)
{
    struct flame_counters now = FLAME_INIT(flame_counters);
    uint64_t waiting = 0;

    fl_pool_counts(flame->engine.pool, &waiting, &now.running);
    (void)pthread_mutex_lock(&flame->lock);
    now.waiting = waiting + flame->following;
    now.succeeded = flame->succeeded;
    now.failed = flame->failed;
    now.joined = flame->joined;
    (void)pthread_mutex_unlock(&flame->lock);
    now.retries = atomic_load(&flame->engine.retries);
    now.transferred = atomic_load(&flame->engine.transferred);
    now.struct_size = out->struct_size;
    memcpy(out, &now, out->struct_size < sizeof(now) ? out->struct_size : sizeof(now));
}
