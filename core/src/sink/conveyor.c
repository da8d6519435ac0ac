/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/conveyor.h"

#include "base/thread.h"

#include <stdbool.h>

struct chunk {
    void *memory;
    size_t capacity;
    size_t size;
};

struct fl_conveyor {
    struct fl_station station;
    struct chunk chunks[FL_CONVEYOR_CHUNKS]; /* a ring: [done, pushed) is on its way */
    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, once there is a thread */
    pthread_cond_t changed;
    uint64_t pushed;
    uint64_t done;
    bool stopping;
    struct flame_error failure; /* of the station */
};

int32_t fl_conveyor_open(const struct fl_station *station, struct fl_conveyor **out,
                         struct flame_error *err)
{
    struct fl_conveyor *conveyor = calloc(1, sizeof(*conveyor));

    if (!conveyor)
        return fl_fail_memory(err);
    conveyor->station = *station;
    conveyor->failure = FLAME_INIT(flame_error);
    (void)pthread_mutex_init(&conveyor->lock, NULL);
    (void)pthread_cond_init(&conveyor->changed, NULL);
    *out = conveyor;
    return FLAME_OK;
}

static struct chunk *chunk_at(struct fl_conveyor *conveyor, uint64_t number)
{
    return &conveyor->chunks[number % FL_CONVEYOR_CHUNKS];
}

/* One chunk. A lock that is held is given up meanwhile: the caller may fill the next one. */
static void work_on(struct fl_conveyor *conveyor, uint64_t number, bool is_locked)
{
    struct chunk chunk = *chunk_at(conveyor, number);
    struct flame_error failure = FLAME_INIT(flame_error);
    int32_t status;

    if (conveyor->failure.status != FLAME_OK)
        return;
    if (is_locked)
        (void)pthread_mutex_unlock(&conveyor->lock);
    status = conveyor->station.work(conveyor->station.data, chunk.memory, chunk.size, &failure);
    if (is_locked)
        (void)pthread_mutex_lock(&conveyor->lock);
    failure.status = status;
    conveyor->failure = failure;
}

static void *carry(void *data)
{
    struct fl_conveyor *conveyor = data;

    (void)pthread_mutex_lock(&conveyor->lock);
    for (;;) {
        while (conveyor->done == conveyor->pushed && !conveyor->stopping)
            (void)pthread_cond_wait(&conveyor->changed, &conveyor->lock);
        if (conveyor->done == conveyor->pushed)
            break;
        work_on(conveyor, conveyor->done, true);
        conveyor->done++;
        (void)pthread_cond_signal(&conveyor->changed);
    }
    (void)pthread_mutex_unlock(&conveyor->lock);
    return NULL;
}

/* Until at most `most` chunks are on their way. */
static void wait_until(struct fl_conveyor *conveyor, uint64_t most)
{
    if (!conveyor->has_thread)
        return;
    (void)pthread_mutex_lock(&conveyor->lock);
    while (conveyor->pushed - conveyor->done > most)
        (void)pthread_cond_wait(&conveyor->changed, &conveyor->lock);
    (void)pthread_mutex_unlock(&conveyor->lock);
}

void *fl_conveyor_buffer(struct fl_conveyor *conveyor, size_t capacity)
{
    struct chunk *chunk = chunk_at(conveyor, conveyor->pushed);

    wait_until(conveyor, FL_CONVEYOR_CHUNKS - 1);
    if (chunk->capacity < capacity) {
        free(chunk->memory);
        chunk->memory = malloc(capacity);
        chunk->capacity = chunk->memory ? capacity : 0;
    }
    return chunk->memory;
}

static int32_t told(const struct fl_conveyor *conveyor, struct flame_error *err)
{
    if (conveyor->failure.status != FLAME_OK && err && err->status == FLAME_OK)
        *err = conveyor->failure;
    return conveyor->failure.status;
}

/* A thread is worth its while only for more than one chunk; without one all is done on the spot. */
static void want_thread(struct fl_conveyor *conveyor)
{
    if (conveyor->pushed > 0 && !conveyor->has_thread)
        conveyor->has_thread =
            fl_thread_start(&conveyor->thread, "flame-sink", carry, conveyor) == 0;
}

int32_t fl_conveyor_push(struct fl_conveyor *conveyor, size_t size, struct flame_error *err)
{
    int32_t status;

    chunk_at(conveyor, conveyor->pushed)->size = size;
    want_thread(conveyor);
    if (!conveyor->has_thread) {
        work_on(conveyor, conveyor->pushed, false);
        conveyor->done = ++conveyor->pushed;
        return told(conveyor, err);
    }
    (void)pthread_mutex_lock(&conveyor->lock);
    conveyor->pushed++;
    status = told(conveyor, err);
    (void)pthread_cond_signal(&conveyor->changed);
    (void)pthread_mutex_unlock(&conveyor->lock);
    return status;
}

int32_t fl_conveyor_drain(struct fl_conveyor *conveyor, struct flame_error *err)
{
    wait_until(conveyor, 0);
    return told(conveyor, err);
}

void fl_conveyor_free(struct fl_conveyor *conveyor)
{
    if (!conveyor)
        return;
    if (conveyor->has_thread) {
        (void)pthread_mutex_lock(&conveyor->lock);
        conveyor->stopping = true;
        (void)pthread_cond_signal(&conveyor->changed);
        (void)pthread_mutex_unlock(&conveyor->lock);
        (void)pthread_join(conveyor->thread, NULL);
    }
    for (size_t i = 0; i < FL_CONVEYOR_CHUNKS; i++)
        free(conveyor->chunks[i].memory);
    (void)pthread_cond_destroy(&conveyor->changed);
    (void)pthread_mutex_destroy(&conveyor->lock);
    free(conveyor);
}
