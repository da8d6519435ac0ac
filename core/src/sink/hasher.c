/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/hasher.h"

#include "base/thread.h"

#include <stdlib.h>

struct chunk {
    void *memory;
    size_t capacity;
    size_t size;
};

struct fl_hasher {
    struct fl_hash hash;
    struct chunk chunks[FL_HASHER_CHUNKS]; /* a ring: [done, filled) waits to be hashed */
    uint64_t filled;                       /* chunks pushed; written by the caller only */
    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, and `filled` once there is a thread */
    pthread_cond_t changed;
    uint64_t done; /* chunks hashed */
    bool stopping;
};

int32_t fl_hasher_open(enum fl_digest_kind kind, struct fl_hasher **out, struct flame_error *err)
{
    struct fl_hasher *hasher = calloc(1, sizeof(*hasher));

    if (!hasher)
        return fl_fail_memory(err);
    (void)pthread_mutex_init(&hasher->lock, NULL);
    (void)pthread_cond_init(&hasher->changed, NULL);
    fl_hash_init(&hasher->hash, kind);
    *out = hasher;
    return FLAME_OK;
}

/* Hash what is queued, in order, until told to stop and the queue is empty. */
static void *hash_chunks(void *data)
{
    struct fl_hasher *hasher = data;

    (void)pthread_mutex_lock(&hasher->lock);
    for (;;) {
        const struct chunk *chunk;

        while (hasher->done == hasher->filled && !hasher->stopping)
            (void)pthread_cond_wait(&hasher->changed, &hasher->lock);
        if (hasher->done == hasher->filled)
            break;
        chunk = &hasher->chunks[hasher->done % FL_HASHER_CHUNKS];
        (void)pthread_mutex_unlock(&hasher->lock);
        fl_hash_update(&hasher->hash, chunk->memory, chunk->size);
        (void)pthread_mutex_lock(&hasher->lock);
        hasher->done++;
        (void)pthread_cond_signal(&hasher->changed);
    }
    (void)pthread_mutex_unlock(&hasher->lock);
    return NULL;
}

/* Without a thread everything pushed is hashed already, so the ring is never full. */
static void wait_for_free_chunk(struct fl_hasher *hasher)
{
    if (!hasher->has_thread)
        return;
    (void)pthread_mutex_lock(&hasher->lock);
    while (hasher->filled - hasher->done == FL_HASHER_CHUNKS)
        (void)pthread_cond_wait(&hasher->changed, &hasher->lock);
    (void)pthread_mutex_unlock(&hasher->lock);
}

void *fl_hasher_buffer(struct fl_hasher *hasher, size_t capacity)
{
    struct chunk *chunk = &hasher->chunks[hasher->filled % FL_HASHER_CHUNKS];

    wait_for_free_chunk(hasher);
    if (chunk->capacity < capacity) {
        free(chunk->memory);
        chunk->memory = malloc(capacity);
        chunk->capacity = chunk->memory ? capacity : 0;
    }
    return chunk->memory;
}

void fl_hasher_push(struct fl_hasher *hasher, size_t size)
{
    struct chunk *chunk = &hasher->chunks[hasher->filled % FL_HASHER_CHUNKS];

    if (hasher->hash.kind == FL_DIGEST_NONE)
        return; /* the same buffer again */
    chunk->size = size;
    if (hasher->filled > 0 && !hasher->has_thread)
        hasher->has_thread =
            fl_thread_start(&hasher->thread, "flame-hash", hash_chunks, hasher) == 0;
    if (!hasher->has_thread) {
        fl_hash_update(&hasher->hash, chunk->memory, size);
        hasher->done = ++hasher->filled;
        return;
    }
    (void)pthread_mutex_lock(&hasher->lock);
    hasher->filled++;
    (void)pthread_cond_signal(&hasher->changed);
    (void)pthread_mutex_unlock(&hasher->lock);
}

static void stop_thread(struct fl_hasher *hasher)
{
    if (!hasher->has_thread)
        return;
    (void)pthread_mutex_lock(&hasher->lock);
    hasher->stopping = true;
    (void)pthread_cond_signal(&hasher->changed);
    (void)pthread_mutex_unlock(&hasher->lock);
    (void)pthread_join(hasher->thread, NULL);
    hasher->has_thread = false;
}

void fl_hasher_final(struct fl_hasher *hasher, struct fl_digest *out)
{
    stop_thread(hasher);
    fl_hash_final(&hasher->hash, out);
}

void fl_hasher_free(struct fl_hasher *hasher)
{
    if (!hasher)
        return;
    stop_thread(hasher);
    for (size_t i = 0; i < FL_HASHER_CHUNKS; i++)
        free(hasher->chunks[i].memory);
    (void)pthread_cond_destroy(&hasher->changed);
    (void)pthread_mutex_destroy(&hasher->lock);
    free(hasher);
}
