/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_NS 20000000 /* between two looks at `wanted` */

struct fl_http_pool {
    pthread_mutex_t lock; /* guards the lists */
    pthread_cond_t given;
    struct fl_http_handle *idle; /* the last used first */
    struct fl_http_handle *busy;
    CURLSH *share;
    pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
};

static void lock_share(CURL *easy, curl_lock_data data, curl_lock_access access, void *user)
{
    struct fl_http_pool *pool = user;

    (void)easy;
    (void)access;
    (void)pthread_mutex_lock(&pool->share_locks[data]);
}

static void unlock_share(CURL *easy, curl_lock_data data, void *user)
{
    struct fl_http_pool *pool = user;

    (void)easy;
    (void)pthread_mutex_unlock(&pool->share_locks[data]);
}

static CURLSH *new_share(struct fl_http_pool *pool)
{
    CURLSH *share = curl_share_init();

    if (!share)
        return NULL;
    (void)curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock_share);
    (void)curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_share);
    (void)curl_share_setopt(share, CURLSHOPT_USERDATA, pool);
    (void)curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    (void)curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return share;
}

struct fl_http_pool *fl_http_pool_new(void)
{
    struct fl_http_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return NULL;
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        (void)pthread_mutex_init(&pool->share_locks[i], NULL);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->given, NULL);
    pool->share = new_share(pool);
    if (pool->share)
        return pool;
    fl_http_pool_free(pool);
    return NULL;
}

static void destroy(struct fl_http_handle *handle)
{
    if (!handle)
        return;
    curl_easy_cleanup(handle->easy);
    curl_multi_cleanup(handle->multi);
    free(handle->key);
    free(handle);
}

void fl_http_pool_free(struct fl_http_pool *pool)
{
    if (!pool)
        return;
    while (pool->idle) {
        struct fl_http_handle *handle = pool->idle;

        pool->idle = handle->next;
        destroy(handle);
    }
    (void)curl_share_cleanup(pool->share);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        (void)pthread_mutex_destroy(&pool->share_locks[i]);
    (void)pthread_cond_destroy(&pool->given);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static struct fl_http_handle *create(const char *key)
{
    struct fl_http_handle *handle = calloc(1, sizeof(*handle));

    if (!handle)
        return NULL;
    handle->key = strdup(key);
    handle->multi = curl_multi_init();
    handle->easy = curl_easy_init();
    if (handle->key && handle->multi && handle->easy) {
        (void)curl_multi_setopt(handle->multi, CURLMOPT_MAXCONNECTS, 1L);
        return handle;
    }
    destroy(handle);
    return NULL;
}

static uint64_t now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

/* ---- the lists; all with the lock held ------------------------------------------------------- */

static void unlink_handle(struct fl_http_handle **list, struct fl_http_handle *handle)
{
    while (*list && *list != handle)
        list = &(*list)->next;
    if (*list)
        *list = handle->next;
    handle->next = NULL;
}

static void push(struct fl_http_handle **list, struct fl_http_handle *handle)
{
    handle->next = *list;
    *list = handle;
}

static struct fl_http_handle *find_idle(struct fl_http_pool *pool, const char *key)
{
    struct fl_http_handle *handle = pool->idle;

    while (handle && strcmp(handle->key, key) != 0)
        handle = handle->next;
    if (!handle)
        return NULL;
    unlink_handle(&pool->idle, handle);
    return handle;
}

static size_t count_busy(const struct fl_http_pool *pool, const char *key)
{
    size_t count = 0;

    for (const struct fl_http_handle *handle = pool->busy; handle; handle = handle->next)
        count += strcmp(handle->key, key) == 0;
    return count;
}

/* Cut off the idle handles that are too old or too many; the list is in order of their age. */
static struct fl_http_handle *cut_stale(struct fl_http_pool *pool)
{
    uint64_t now = now_s();
    struct fl_http_handle **at = &pool->idle;
    struct fl_http_handle *stale;
    size_t kept = 0;

    while (*at && kept < FL_POOL_IDLE_MAX && now - (*at)->idle_since_s < FL_POOL_IDLE_S) {
        at = &(*at)->next;
        kept++;
    }
    stale = *at;
    *at = NULL;
    return stale;
}

/* ---- take and give --------------------------------------------------------------------------- */

static void wait_a_little(struct fl_http_pool *pool)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&pool->given, &pool->lock, &until);
}

static struct fl_http_handle *take_locked(struct fl_http_pool *pool, const char *key,
                                          bool (*wanted)(void *data), void *data)
{
    while (wanted(data)) {
        struct fl_http_handle *handle = find_idle(pool, key);

        if (!handle && count_busy(pool, key) < FL_POOL_PER_KEY)
            handle = create(key);
        else if (!handle) {
            wait_a_little(pool);
            continue;
        }
        if (handle)
            push(&pool->busy, handle);
        return handle;
    }
    return NULL;
}

static void destroy_all(struct fl_http_handle *list)
{
    while (list) {
        struct fl_http_handle *next = list->next;

        destroy(list);
        list = next;
    }
}

struct fl_http_handle *fl_http_pool_take(struct fl_http_pool *pool, const char *key, bool shares,
                                         bool (*wanted)(void *data), void *data)
{
    struct fl_http_handle *stale;
    struct fl_http_handle *handle;

    (void)pthread_mutex_lock(&pool->lock);
    stale = cut_stale(pool);
    handle = take_locked(pool, key, wanted, data);
    (void)pthread_mutex_unlock(&pool->lock);
    destroy_all(stale);
    if (handle && shares)
        (void)curl_easy_setopt(handle->easy, CURLOPT_SHARE, pool->share);
    return handle;
}

void fl_http_pool_give(struct fl_http_pool *pool, struct fl_http_handle *handle, bool is_good)
{
    struct fl_http_handle *stale;

    if (is_good) {
        curl_easy_reset(handle->easy);
        (void)curl_easy_setopt(handle->easy, CURLOPT_SHARE, NULL);
        handle->idle_since_s = now_s();
    }
    (void)pthread_mutex_lock(&pool->lock);
    unlink_handle(&pool->busy, handle);
    if (is_good)
        push(&pool->idle, handle);
    stale = cut_stale(pool);
    (void)pthread_cond_signal(&pool->given);
    (void)pthread_mutex_unlock(&pool->lock);
    destroy_all(stale);
    if (!is_good)
        destroy(handle);
}
