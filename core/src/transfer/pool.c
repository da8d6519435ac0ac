/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/pool.h"

#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

/* Exists while something of it waits or runs. */
struct fl_lane {
    struct fl_lane *next; /* a ring: the lanes take turns */
    char *name;
    struct fl_pool_job *first;
    struct fl_pool_job **last;
    uint32_t running;
};

struct fl_pool {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct fl_lane *turn; /* whose turn it was last, or NULL */
    pthread_t *threads;
    uint32_t max_threads;
    uint32_t per_lane;
    uint32_t count; /* threads made */
    uint32_t idle;  /* threads that wait, or were made and have not looked yet */
    uint32_t running;
    uint64_t waiting;
    bool stopping;
};

int32_t fl_pool_open(uint32_t max_threads, uint32_t per_lane, struct fl_pool **out,
                     struct flame_error *err)
{
    fl_auto_free struct fl_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return fl_fail_memory(err);
    pool->threads = calloc(max_threads, sizeof(*pool->threads));
    if (!pool->threads)
        return fl_fail_memory(err);
    pool->max_threads = max_threads;
    pool->per_lane = per_lane;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->changed, NULL);
    *out = fl_take(pool);
    return FLAME_OK;
}

/* ---- lanes ----------------------------------------------------------------------------------- */

static struct fl_lane *find_lane(const struct fl_pool *pool, const char *name)
{
    struct fl_lane *lane = pool->turn;

    if (!lane)
        return NULL;
    do {
        if (strcmp(lane->name, name) == 0)
            return lane;
        lane = lane->next;
    } while (lane != pool->turn);
    return NULL;
}

static struct fl_lane *add_lane(struct fl_pool *pool, const char *name)
{
    struct fl_lane *lane = calloc(1, sizeof(*lane));

    if (!lane)
        return NULL;
    lane->name = strdup(name);
    if (!lane->name) {
        free(lane);
        return NULL;
    }
    lane->last = &lane->first;
    lane->next = pool->turn ? pool->turn->next : lane;
    if (pool->turn)
        pool->turn->next = lane;
    else
        pool->turn = lane;
    return lane;
}

static void drop_if_empty(struct fl_pool *pool, struct fl_lane *lane)
{
    struct fl_lane *before = lane;

    if (lane->first || lane->running > 0)
        return;
    while (before->next != lane)
        before = before->next;
    before->next = lane->next;
    if (pool->turn == lane)
        pool->turn = before == lane ? NULL : before;
    free(lane->name);
    free(lane);
}

static bool may_run(const struct fl_pool *pool, const struct fl_lane *lane)
{
    return lane->first && lane->running < pool->per_lane;
}

/* The next lane in turn of which a job may run, or NULL. */
static struct fl_lane *next_lane(const struct fl_pool *pool)
{
    struct fl_lane *lane = pool->turn;

    if (!lane)
        return NULL;
    do {
        lane = lane->next;
        if (may_run(pool, lane))
            return lane;
    } while (lane != pool->turn);
    return NULL;
}

/* How many of the waiting jobs could run at once, counted up to `enough`. */
static uint64_t count_ready(const struct fl_pool *pool, uint64_t enough)
{
    struct fl_lane *lane = pool->turn;
    uint64_t ready = 0;

    if (!lane)
        return 0;
    do {
        uint32_t room = lane->running < pool->per_lane ? pool->per_lane - lane->running : 0;

        for (const struct fl_pool_job *job = lane->first; job && room > 0; job = job->next, room--)
            ready++;
        lane = lane->next;
    } while (lane != pool->turn && ready < enough);
    return ready;
}

/* ---- the threads ----------------------------------------------------------------------------- */

static struct fl_pool_job *take_from(struct fl_pool *pool, struct fl_lane *lane)
{
    struct fl_pool_job *job = lane->first;

    lane->first = job->next;
    if (!lane->first)
        lane->last = &lane->first;
    lane->running++;
    pool->turn = lane;
    pool->waiting--;
    pool->running++;
    return job;
}

static void run_one(struct fl_pool *pool, struct fl_lane *lane)
{
    struct fl_pool_job *job = take_from(pool, lane);

    (void)pthread_mutex_unlock(&pool->lock);
    job->body(job->data); /* the job may be gone after it */
    (void)pthread_mutex_lock(&pool->lock);
    pool->running--;
    lane->running--;
    drop_if_empty(pool, lane);
}

static void *work(void *data)
{
    struct fl_pool *pool = data;

    (void)pthread_mutex_lock(&pool->lock);
    pool->idle--;
    for (;;) {
        struct fl_lane *lane = next_lane(pool);

        if (lane) {
            run_one(pool, lane);
            continue;
        }
        if (pool->stopping)
            break;
        pool->idle++;
        (void)pthread_cond_wait(&pool->changed, &pool->lock);
        pool->idle--;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* A thread more, if a job could run now that nobody is there for. */
static int32_t want_thread(struct fl_pool *pool, struct flame_error *err)
{
    int failed;

    if (pool->count >= pool->max_threads || count_ready(pool, pool->idle + 1) <= pool->idle)
        return FLAME_OK;
    failed = fl_thread_start(&pool->threads[pool->count], "flame-work", work, pool);
    if (failed && pool->count == 0)
        return fl_fail_errno(err, failed, "cannot start a thread");
    if (failed)
        return FLAME_OK; /* those that are there come to it */
    pool->count++;
    pool->idle++;
    return FLAME_OK;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void append(struct fl_pool *pool, struct fl_lane *lane, struct fl_pool_job *job)
{
    job->next = NULL;
    job->queue = lane;
    *lane->last = job;
    lane->last = &job->next;
    pool->waiting++;
}

static void remove_at(struct fl_pool *pool, struct fl_pool_job **at)
{
    struct fl_pool_job *job = *at;

    *at = job->next;
    if (!*at)
        job->queue->last = at;
    pool->waiting--;
    drop_if_empty(pool, job->queue);
}

/* Is it still in the lane it was put into? That lane may be gone, then so is the job. */
static struct fl_pool_job **find_job(const struct fl_pool *pool, const struct fl_pool_job *job)
{
    struct fl_lane *lane = find_lane(pool, job->lane);

    if (!lane || lane != job->queue)
        return NULL;
    for (struct fl_pool_job **at = &lane->first; *at; at = &(*at)->next)
        if (*at == job)
            return at;
    return NULL;
}

static int32_t submit_locked(struct fl_pool *pool, struct fl_pool_job *job, struct flame_error *err)
{
    struct fl_lane *lane = find_lane(pool, job->lane);
    int32_t status;

    if (!lane)
        lane = add_lane(pool, job->lane);
    if (!lane)
        return fl_fail_memory(err);
    append(pool, lane, job);
    status = want_thread(pool, err);
    if (status == FLAME_OK)
        (void)pthread_cond_signal(&pool->changed);
    else
        remove_at(pool, find_job(pool, job));
    return status;
}

int32_t fl_pool_submit(struct fl_pool *pool, struct fl_pool_job *job, struct flame_error *err)
{
    int32_t status;

    (void)pthread_mutex_lock(&pool->lock);
    status = submit_locked(pool, job, err);
    (void)pthread_mutex_unlock(&pool->lock);
    return status;
}

bool fl_pool_withdraw(struct fl_pool *pool, struct fl_pool_job *job)
{
    struct fl_pool_job **at;

    (void)pthread_mutex_lock(&pool->lock);
    at = find_job(pool, job);
    if (at)
        remove_at(pool, at);
    (void)pthread_mutex_unlock(&pool->lock);
    return at != NULL;
}

void fl_pool_counts(struct fl_pool *pool, uint64_t *waiting, uint32_t *running)
{
    (void)pthread_mutex_lock(&pool->lock);
    *waiting = pool->waiting;
    *running = pool->running;
    (void)pthread_mutex_unlock(&pool->lock);
}

void fl_pool_close(struct fl_pool *pool)
{
    if (!pool)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    (void)pthread_cond_broadcast(&pool->changed);
    (void)pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->count; i++)
        (void)pthread_join(pool->threads[i], NULL);
    (void)pthread_cond_destroy(&pool->changed);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}
