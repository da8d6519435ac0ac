/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include "deadline.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct fl_grpc_pool {
    pthread_mutex_t lock;
    struct fl_grpc_channel *idle; /* the last used first */
};

struct fl_grpc_pool *fl_grpc_pool_new(void)
{
    struct fl_grpc_pool *pool = calloc(1, sizeof(*pool));

    if (pool)
        (void)pthread_mutex_init(&pool->lock, NULL);
    return pool;
}

static void free_all(struct fl_grpc_channel *list)
{
    while (list) {
        struct fl_grpc_channel *next = list->next;

        fl_grpc_channel_free(list);
        list = next;
    }
}

void fl_grpc_pool_free(struct fl_grpc_pool *pool)
{
    if (!pool)
        return;
    free_all(pool->idle);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Cut off what is too old or too many; the list is in order of age. With the lock held. */
static struct fl_grpc_channel *cut_stale(struct fl_grpc_pool *pool)
{
    struct fl_grpc_channel **at = &pool->idle;
    int64_t now = fl_grpc_now_ms();
    struct fl_grpc_channel *stale;
    int kept = 0;

    while (*at && kept < FL_GRPC_IDLE_MAX && now - (*at)->idle_since_ms < FL_GRPC_IDLE_MS) {
        at = &(*at)->next;
        kept++;
    }
    stale = *at;
    *at = NULL;
    return stale;
}

static struct fl_grpc_channel *unlink_first(struct fl_grpc_pool *pool, const char *key)
{
    struct fl_grpc_channel **at = &pool->idle;
    struct fl_grpc_channel *found;

    while (*at && strcmp((*at)->key, key) != 0)
        at = &(*at)->next;
    found = *at;
    if (found)
        *at = found->next;
    return found;
}

struct fl_grpc_channel *fl_grpc_pool_take(struct fl_grpc_pool *pool, const char *key)
{
    struct fl_grpc_channel *stale;
    struct fl_grpc_channel *found;

    (void)pthread_mutex_lock(&pool->lock);
    stale = cut_stale(pool);
    found = unlink_first(pool, key);
    (void)pthread_mutex_unlock(&pool->lock);
    free_all(stale);
    if (!found || fl_grpc_channel_is_up(found, 0))
        return found;
    fl_grpc_channel_free(found);
    return fl_grpc_pool_take(pool, key);
}

void fl_grpc_pool_give(struct fl_grpc_pool *pool, struct fl_grpc_channel *channel)
{
    struct fl_grpc_channel *stale;

    channel->is_warm = true;
    channel->idle_since_ms = fl_grpc_now_ms();
    (void)pthread_mutex_lock(&pool->lock);
    channel->next = pool->idle;
    pool->idle = channel;
    stale = cut_stale(pool);
    (void)pthread_mutex_unlock(&pool->lock);
    free_all(stale);
}
