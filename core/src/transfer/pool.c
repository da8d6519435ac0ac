/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/pool.h"

#include "base/thread.h"

#include <stdlib.h>

struct fl_pool {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct fl_pool_job *first;
    struct fl_pool_job **last;
    pthread_t *threads;
    uint32_t max_threads;
    uint32_t count; /* threads made */
    uint32_t idle;  /* threads that wait */
    bool stopping;
};

int32_t fl_pool_open(uint32_t max_threads, struct fl_pool **out, struct flame_error *err)
{
    fl_auto_free struct fl_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return fl_fail_memory(err);
    pool->threads = calloc(max_threads, sizeof(*pool->threads));
    if (!pool->threads)
        return fl_fail_memory(err);
    pool->max_threads = max_threads;
    pool->last = &pool->first;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->changed, NULL);
    *out = fl_take(pool);
    return FLAME_OK;
}

static struct fl_pool_job *take_first(struct fl_pool *pool)
{
    struct fl_pool_job *job = pool->first;

    pool->first = job->next;
    if (!pool->first)
        pool->last = &pool->first;
    return job;
}

static void *work(void *data)
{
    struct fl_pool *pool = data;

    (void)pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct fl_pool_job *job;

        pool->idle++;
        while (!pool->first && !pool->stopping)
            (void)pthread_cond_wait(&pool->changed, &pool->lock);
        pool->idle--;
        if (!pool->first)
            break;
        job = take_first(pool);
        (void)pthread_mutex_unlock(&pool->lock);
        job->body(job->data);
        (void)pthread_mutex_lock(&pool->lock);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static size_t queued(const struct fl_pool *pool)
{
    size_t count = 0;

    for (const struct fl_pool_job *job = pool->first; job; job = job->next)
        count++;
    return count;
}

static int32_t submit_locked(struct fl_pool *pool, struct fl_pool_job *job, struct flame_error *err)
{
    if (pool->idle <= queued(pool) && pool->count < pool->max_threads) {
        int failed = fl_thread_start(&pool->threads[pool->count], "flame-work", work, pool);

        if (failed && pool->count == 0)
            return fl_fail_errno(err, failed, "cannot start a thread");
        pool->count += failed ? 0 : 1;
    }
    job->next = NULL;
    *pool->last = job;
    pool->last = &job->next;
    (void)pthread_cond_signal(&pool->changed);
    return FLAME_OK;
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
    bool found = false;

    (void)pthread_mutex_lock(&pool->lock);
    for (struct fl_pool_job **at = &pool->first; *at; at = &(*at)->next) {
        if (*at != job)
            continue;
        *at = job->next;
        if (!*at)
            pool->last = at;
        found = true;
        break;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return found;
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
