/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/job.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/thread.h"

#include <string.h>
#include <sys/stat.h>

#define SHOWN_EVERY_NS (FL_NS_PER_S / 10) /* progress */

/* ---- understanding it ------------------------------------------------------------------------ */

/* Which directory the destination is in, whatever its path is spelled like. */
static bool find_place(const char *path, uint64_t place[2])
{
    const char *slash = strrchr(path, '/');
    fl_auto_free char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    struct stat facts;

    if (!dir || stat(dir, &facts) != 0)
        return false;
    place[0] = facts.st_dev;
    place[1] = facts.st_ino;
    return true;
}

/* A leader that gives up early must not fail those who are patient. The time of the whole is not
 * in it: whose own is over is followed by the next one (has_given_up). */
static void add_effort(struct fl_hash *hash, const struct flame_task *said)
{
    const uint32_t numbers[] = {
        said->connect_timeout_ms, said->first_byte_timeout_ms, said->stall_timeout_ms,
        said->source_timeout_ms,  said->lock_timeout_ms,       said->attempts,
        said->retry_delay_ms,     said->retry_max_ms,          said->max_redirects,
    };

    fl_hash_update(hash, numbers, sizeof(numbers));
}

/* Two are the same when task, effort and file are: the key, and beside it the last name of the
 * path. */
static void judge_joinable(struct flame_job *job, const struct fl_task *task)
{
    const char *path = task->said.path;
    const char *slash = path ? strrchr(path, '/') : NULL;
    struct fl_digest mixed;
    struct fl_hash hash;

    if (job->verb != FLAME_FETCH || !path || task->said.verify ||
        (task->said.flags & FLAME_TASK_NO_LOCK) || !find_place(path, job->place))
        return;
    fl_task_key(task, job->setup->config, job->key);
    fl_hash_init(&hash, FL_DIGEST_SHA256);
    fl_hash_update(&hash, job->key, sizeof(job->key));
    add_effort(&hash, &task->said);
    fl_hash_update(&hash, slash ? slash + 1 : path, strlen(slash ? slash + 1 : path));
    fl_hash_final(&hash, &mixed);
    memcpy(job->key, mixed.bytes, sizeof(job->key));
    job->is_joinable = true;
}

static uint64_t waiting_time_ms(const struct flame_job *job, const struct fl_task *task)
{
    struct fl_scope scope = {.origin = task->url.origin};
    uint64_t total_ms = job->task.total_timeout_ms;

    if (total_ms == UINT32_MAX)
        return UINT64_MAX;
    return total_ms ? total_ms : fl_config_number(job->setup->config, &scope, FL_OPT_TIME_TOTAL);
}

static int32_t understand(struct flame_job *job, struct flame_error *err)
{
    struct fl_plugin *plugin = NULL;
    struct fl_task task = {.verb = job->verb};
    char scheme[FL_SCHEME_MAX];
    int32_t status;

    if (!job->task.url)
        return fl_fail(err, FLAME_ERR_INVALID, "the task has no url");
    status = fl_url_scheme(job->task.url, scheme, err);
    if (status == FLAME_OK)
        status = fl_registry_find(job->setup->registry, scheme, &plugin, err);
    if (status != FLAME_OK)
        return status;
    status =
        fl_task_init(&task, job->verb, &job->task, fl_plugin_default_port(plugin, scheme), err);
    if (status == FLAME_OK) {
        judge_joinable(job, &task);
        job->total_ms = waiting_time_ms(job, &task);
        job->lane = strdup(task.url.origin);
        status = job->lane ? FLAME_OK : fl_fail_memory(err);
    }
    fl_task_done(&task);
    return status;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void work(void *data);

int32_t fl_job_init(struct flame_job *job, struct flame *flame, uint32_t verb,
                    const struct flame_task *task, struct flame_error *err)
{
    size_t size = task->struct_size < sizeof(job->task) ? task->struct_size : sizeof(job->task);
    int32_t status;

    *job = (struct flame_job){.flame = flame, .verb = verb, .state = FLAME_JOB_WAITING};
    memcpy(&job->task, task, size);
    job->task.struct_size = sizeof(job->task);
    job->setup = fl_flame_setup(flame);
    job->started_ns = fl_now_ns();
    job->result = FLAME_INIT(flame_result);
    (void)pthread_mutex_init(&job->lock, NULL);
    if (fl_cond_init(&job->changed) != 0)
        return fl_fail_memory(err);
    status = understand(job, err);
    /* Whole before anybody sees the job: it may be asked to give up before it was queued. */
    job->pool_job = (struct fl_pool_job){.body = work, .data = job, .lane = job->lane};
    return status;
}

void fl_job_done(struct flame_job *job)
{
    flame_result_done(&job->result);
    fl_setup_unref(job->setup);
    (void)pthread_cond_destroy(&job->changed);
    (void)pthread_mutex_destroy(&job->lock);
    free(job->lane);
    free(job->err);
}

static void count_end(struct flame *flame, int32_t status)
{
    (void)pthread_mutex_lock(&flame->lock);
    if (status < FLAME_FIRST_FAILURE)
        flame->succeeded++;
    else
        flame->failed++;
    (void)pthread_mutex_unlock(&flame->lock);
}

static void note_outcome(struct flame_job *job, int32_t status, struct flame_result *result,
                         const struct flame_error *err)
{
    struct flame_error *kept = NULL;

    if (status >= FLAME_FIRST_FAILURE && err)
        kept = malloc(sizeof(*kept));
    if (kept)
        *kept = *err;
    (void)pthread_mutex_lock(&job->lock);
    job->run = NULL;
    job->status = status;
    job->err = kept;
    if (result && status < FLAME_FIRST_FAILURE) {
        job->result = *result;
        *result = FLAME_INIT(flame_result);
    }
    job->state = FLAME_JOB_ENDED;
    (void)pthread_cond_broadcast(&job->changed);
    (void)pthread_mutex_unlock(&job->lock);
}

void fl_job_end(struct flame_job *job, int32_t status, struct flame_result *result,
                const struct flame_error *err)
{
    bool is_background = job->is_background;

    count_end(job->flame, status);
    fl_setup_unref(fl_take(job->setup)); /* a handle may outlive the context */
    if (is_background)
        fl_patrol_remove(job);
    note_outcome(job, status, result, err);
    if (result)
        flame_result_done(result);
    if (is_background)
        fl_dispatch_done(job);
    else
        fl_exchange_end(&job->exchange); /* the last word: it is the caller's again */
}

void fl_job_name_url(const struct flame_job *job, struct flame_error *err)
{
    fl_auto_free char *safe = job->task.url && !err->url[0] ? fl_url_redact(job->task.url) : NULL;

    if (safe)
        (void)fl_escape(safe, strlen(safe), err->url, sizeof(err->url));
}

/* ---- running --------------------------------------------------------------------------------- */

static void show_run(struct flame_job *job, struct fl_run *run)
{
    (void)pthread_mutex_lock(&job->lock);
    job->run = run;
    if (run)
        job->state = FLAME_JOB_RUNNING;
    if (run && atomic_load(&job->is_cancelled))
        fl_watch_raise(&run->watch, FLAME_ERR_CANCELLED);
    (void)pthread_mutex_unlock(&job->lock);
}

static int32_t run_task(struct flame_job *job, struct fl_run *run, struct flame_error *err)
{
    int32_t status;

    run->engine = &job->flame->engine;
    run->setup = job->setup;
    run->said = &job->task;
    run->verb = job->verb;
    run->exchange = &job->exchange;
    status = fl_run_begin(run, job->task.cancel, err);
    if (status != FLAME_OK)
        return status;
    fl_watch_backdate(&run->watch, job->started_ns); /* waiting for a thread is part of the task */
    show_run(job, run);
    status = fl_run_do(run, err);
    show_run(job, NULL);
    job->has_given_up =
        status == FLAME_ERR_CANCELLED ||
        (status == FLAME_ERR_TIMEOUT && atomic_load(&run->watch.expired) == FL_CLOCK_TOTAL);
    fl_run_end(run);
    return status;
}

static void work(void *data)
{
    struct flame_job *job = data;
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_run *run = calloc(1, sizeof(*run));
    struct flame_result result = FLAME_INIT(flame_result);
    int32_t status = run ? run_task(job, run, &err) : fl_fail_memory(&err);

    if (run && status < FLAME_FIRST_FAILURE)
        fl_result_give(&run->result, &result);
    free(run);
    fl_flight_end(job, status, &result, &err);
    fl_job_end(job, status, &result, &err);
}

int32_t fl_job_start(struct flame_job *job, struct flame_error *err)
{
    int32_t status;

    if (fl_flight_join(job))
        return FLAME_OK;
    status = fl_pool_submit(job->flame->engine.pool, &job->pool_job, err);
    if (status != FLAME_OK)
        fl_flight_end(job, status, NULL, err);
    return status;
}

/* ---- those who wait -------------------------------------------------------------------------- */

int32_t fl_job_wanted(struct flame_job *job)
{
    struct flame_cancel *token = job->task.cancel;

    if (atomic_load(&job->is_cancelled) || (token && atomic_load(&token->is_set)))
        return FLAME_ERR_CANCELLED;
    if (job->total_ms != UINT64_MAX && fl_now_ns() - job->started_ns > job->total_ms * FL_NS_PER_MS)
        return FLAME_ERR_TIMEOUT;
    return FLAME_OK;
}

bool fl_job_give_up(struct flame_job *job, int32_t status)
{
    struct flame_error err = FLAME_INIT(flame_error);

    if (status == FLAME_ERR_TIMEOUT)
        (void)fl_fail(&err, status, "not done within %llu ms", (unsigned long long)job->total_ms);
    else
        (void)fl_fail(&err, status, "cancelled");
    if (!fl_flight_leave(job)) {
        if (!fl_pool_withdraw(job->flame->engine.pool, &job->pool_job))
            return false;
        job->has_given_up = true;
        fl_flight_end(job, status, NULL, &err);
    }
    fl_job_end(job, status, NULL, &err);
    return true;
}

/* Called with the context's lock held, so that the leader stays. The last that is shown is told by
 * who runs: false then, or it would be told twice. */
static bool read_progress(struct flame_job *job, struct flame_progress *out)
{
    struct flame_job *at = job->leader ? job->leader : job;
    bool is_running;

    (void)pthread_mutex_lock(&at->lock);
    is_running = at->run && (at != job || !atomic_load(&at->run->shown.is_over));
    if (is_running)
        fl_progress_read(at->run, out);
    (void)pthread_mutex_unlock(&at->lock);
    return is_running && (at != job || out->phase != FLAME_PHASE_VERIFY);
}

static bool look_at_progress(struct flame_job *job, struct flame_progress *out)
{
    bool is_running;

    if (!job->task.progress)
        return false;
    (void)pthread_mutex_lock(&job->flame->lock);
    is_running = read_progress(job, out);
    (void)pthread_mutex_unlock(&job->flame->lock);
    return is_running;
}

/* Called with the job's lock held. */
static bool is_news(const struct flame_job *job, const struct flame_progress *now)
{
    return memcmp(now, &job->shown, sizeof(*now)) != 0 &&
           fl_now_ns() - job->shown_ns >= SHOWN_EVERY_NS;
}

bool fl_job_has_news(struct flame_job *job)
{
    struct flame_progress now;
    bool has_news = look_at_progress(job, &now);

    (void)pthread_mutex_lock(&job->lock);
    has_news = has_news && is_news(job, &now);
    (void)pthread_mutex_unlock(&job->lock);
    return has_news;
}

bool fl_job_progress(struct flame_job *job, struct flame_progress *out)
{
    bool has_news = look_at_progress(job, out);

    (void)pthread_mutex_lock(&job->lock);
    has_news = has_news && is_news(job, out);
    if (has_news) {
        job->shown = *out;
        job->shown_ns = fl_now_ns();
    }
    (void)pthread_mutex_unlock(&job->lock);
    return has_news;
}
