/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin as anybody could write it: one object at a time, in memory, for as long as the process
 * lives. heap://any/path. With -DHEAP_IS_BLIND it cannot be asked what it has.
 *
 *     cc -shared -fPIC -o heap.so heap.c */
#include <flame/plugin.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST (64u << 20)

struct flame_instance {
    const struct flame_host *host;
    pthread_mutex_t lock;
    char *name; /* NULL = nothing is here */
    char *bytes;
    uint64_t size;
};

static int32_t heap_init(const struct flame_host *host, struct flame_instance **instance,
                         struct flame_error *err)
{
    struct flame_instance *self = calloc(1, sizeof(*self));

    if (!self)
        return flame_fail(host, err, FLAME_ERR_NO_MEMORY, "out of memory");
    self->host = host;
    (void)pthread_mutex_init(&self->lock, NULL);
    *instance = self;
    return FLAME_OK;
}

static void forget(struct flame_instance *self)
{
    free(self->name);
    free(self->bytes);
    self->name = self->bytes = NULL;
}

static void heap_shutdown(struct flame_instance *self)
{
    forget(self);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

static int is_here(const struct flame_instance *self, const struct flame_request *request)
{
    return self->name && strcmp(self->name, request->url) == 0;
}

static int32_t describe(const struct flame_instance *self, struct flame_transfer *transfer)
{
    struct flame_object object = FLAME_INIT(flame_object);

    object.flags = FLAME_OBJECT_SIZE;
    object.total_size = self->size;
    return self->host->report(transfer, &object);
}

static int32_t give(struct flame_instance *self, const struct flame_request *request,
                    struct flame_transfer *transfer, struct flame_error *err, int with_body)
{
    int32_t status;

    if (!is_here(self, request))
        return flame_fail(self->host, err, FLAME_ERR_NOT_FOUND, "not in this heap");
    status = describe(self, transfer);
    if (status == FLAME_OK && with_body)
        status = flame_write(self->host, transfer, self->bytes, self->size);
    return status == FLAME_OK && with_body
               ? flame_finish(self->host, transfer, FLAME_PROOF_COMPLETE)
               : status;
}

static int32_t heap_fetch(struct flame_instance *self, const struct flame_request *request,
                          struct flame_transfer *transfer, struct flame_error *err)
{
    int32_t status;

    (void)pthread_mutex_lock(&self->lock);
    status = give(self, request, transfer, err, 1);
    (void)pthread_mutex_unlock(&self->lock);
    return status;
}

FLAME_UNUSED_ static int32_t heap_stat(struct flame_instance *self,
                                       const struct flame_request *request,
                                       struct flame_transfer *transfer, struct flame_error *err)
{
    int32_t status;

    (void)pthread_mutex_lock(&self->lock);
    status = give(self, request, transfer, err, 0);
    (void)pthread_mutex_unlock(&self->lock);
    return status;
}

static int32_t receive(struct flame_instance *self, struct flame_transfer *transfer, char *bytes)
{
    uint64_t got = 1, size = 0;

    while (got > 0 && size < LARGEST) {
        int32_t status =
            self->host->source_read(transfer, size, bytes + size, LARGEST - size, &got);

        if (status != FLAME_OK)
            return status;
        size += got;
    }
    self->size = size;
    return FLAME_OK;
}

static int32_t keep(struct flame_instance *self, const struct flame_request *request,
                    struct flame_transfer *transfer, struct flame_error *err)
{
    char *bytes = malloc(LARGEST);
    int32_t status;

    forget(self);
    if (!bytes)
        return flame_fail(self->host, err, FLAME_ERR_NO_MEMORY, "out of memory");
    status = receive(self, transfer, bytes);
    if (status != FLAME_OK) {
        free(bytes);
        return status;
    }
    self->bytes = bytes;
    self->name = strdup(request->url);
    status = describe(self, transfer);
    return status == FLAME_OK ? flame_finish(self->host, transfer, FLAME_PROOF_COMPLETE) : status;
}

static int32_t heap_store(struct flame_instance *self, const struct flame_request *request,
                          struct flame_transfer *transfer, struct flame_error *err)
{
    int32_t status;

    (void)pthread_mutex_lock(&self->lock);
    status = keep(self, request, transfer, err);
    (void)pthread_mutex_unlock(&self->lock);
    return status;
}

static int32_t heap_remove(struct flame_instance *self, const struct flame_request *request,
                           struct flame_transfer *transfer, struct flame_error *err)
{
    int32_t status = FLAME_OK;

    (void)pthread_mutex_lock(&self->lock);
    if (is_here(self, request))
        forget(self);
    else
        status = flame_fail(self->host, err, FLAME_ERR_NOT_FOUND, "not in this heap");
    (void)pthread_mutex_unlock(&self->lock);
    return status == FLAME_OK ? flame_finish(self->host, transfer, FLAME_PROOF_COMPLETE) : status;
}

FLAME_PLUGIN("org.example.heap", "1.0", "heap", "one object, in memory")
{
    plugin->init = heap_init;
    plugin->shutdown = heap_shutdown;
    plugin->fetch = heap_fetch;
    plugin->store = heap_store;
#ifndef HEAP_IS_BLIND
    plugin->stat = heap_stat;
#endif
    plugin->remove = heap_remove;
}
