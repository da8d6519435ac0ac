/* SPDX-License-Identifier: Apache-2.0 */
#include "store_inside.h"

#include "cleanup.h"

#include <stdlib.h>
#include <string.h>

/* ---- objects --------------------------------------------------------------------------------- */

static void free_object(struct fl_cache_object *object)
{
    if (object->fd >= 0)
        (void)close(object->fd);
    fl_cache_record_done(&object->record);
    free(object);
}

void fl_cache_store_drop(struct fl_cache_store *store, struct fl_cache_object *object)
{
    object->holders--;
    if (object->holders == 0) {
        store->used -= fl_cache_record_end(&object->record);
        free_object(object);
    }
}

bool fl_cache_store_hold(struct fl_cache_store *store, struct fl_cache_object *object,
                         struct fl_cache_status *status)
{
    if (object->fd < 0)
        object->fd = fl_cache_folder_read(&store->folder, object->name, status);
    if (object->fd < 0)
        return false;
    object->readers++;
    object->holders++;
    return true;
}

bool fl_cache_store_take(struct fl_cache_store *store, const struct fl_flight_key *key,
                         struct fl_cache_object **out, struct fl_cache_status *status)
{
    struct fl_cache_object *object;
    bool done;

    (void)pthread_mutex_lock(&store->lock);
    object = fl_cache_index_find(&store->index, key->text);
    done = object ? fl_cache_store_hold(store, object, status)
                  : fl_cache_fail(status, FL_CACHE_NOT_FOUND, "object <%s> not found", key->text);
    (void)pthread_mutex_unlock(&store->lock);
    if (done)
        *out = object;
    return done;
}

/* In memory the descriptor is the object; of a file it is closed when nobody reads. */
void fl_cache_store_give(struct fl_cache_store *store, struct fl_cache_object *object)
{
    (void)pthread_mutex_lock(&store->lock);
    object->readers--;
    if (object->readers == 0 && store->folder.fd >= 0) {
        (void)close(object->fd);
        object->fd = -1;
    }
    fl_cache_store_drop(store, object);
    (void)pthread_mutex_unlock(&store->lock);
}

bool fl_cache_store_next(struct fl_cache_store *store, struct fl_cache_listed *listed)
{
    struct fl_cache_object *object;

    (void)pthread_mutex_lock(&store->lock);
    object = fl_cache_index_after(&store->index, listed->key);
    if (object) {
        memcpy(listed->key, object->record.key.text, sizeof(listed->key));
        listed->bytes = fl_cache_record_end(&object->record);
    }
    (void)pthread_mutex_unlock(&store->lock);
    return object != NULL;
}

bool fl_cache_store_remove(struct fl_cache_store *store, const struct fl_flight_key *key,
                           struct fl_cache_status *status)
{
    struct fl_cache_object *object;
    bool done = true;
    bool was_there = false;

    (void)pthread_mutex_lock(&store->lock);
    while (done && (object = fl_cache_index_take(&store->index, key))) {
        done = fl_cache_folder_remove(&store->folder, object->name, status);
        was_there |= done;
        if (done)
            fl_cache_store_drop(store, object);
        else
            (void)fl_cache_index_set(&store->index, object);
    }
    (void)pthread_mutex_unlock(&store->lock);
    if (was_there &&
        !fl_cache_folder_settle(&store->folder, "it is deleted, but a power cut may bring it back",
                                status))
        return false;
    return done;
}

/* ---- opening --------------------------------------------------------------------------------- */

struct loading {
    struct fl_cache_store *store;
    struct fl_cache_status *status;
    uint32_t passed_over;
};

/* A file that holds an object, of the key that its name was made of. */
static bool is_sound(const struct loading *loading, struct fl_cache_object *object)
{
    struct fl_cache_status ignored = {FL_CACHE_OK, ""};
    fl_auto_fd int fd = fl_cache_folder_read(&loading->store->folder, object->name, &ignored);
    char name[FL_CACHE_NAME_MAX];

    if (fd < 0 || !fl_cache_record_read(fd, &object->record, &ignored))
        return false;
    fl_cache_folder_name(&object->record.key, name);
    return strcmp(name, object->name) == 0;
}

static bool load(void *context, const char *name)
{
    struct loading *loading = context;
    struct fl_cache_store *store = loading->store;
    struct fl_cache_object *object = calloc(1, sizeof(*object));

    if (!object || !fl_cache_index_reserve(&store->index)) {
        free(object);
        return fl_cache_fail(loading->status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    }
    object->fd = -1;
    object->holders = 1;
    memcpy(object->name, name, strlen(name) + 1);
    if (is_sound(loading, object)) {
        store->used += fl_cache_record_end(&object->record);
        (void)fl_cache_index_set(&store->index, object);
        return true;
    }
    free_object(object);
    loading->passed_over++;
    return true;
}

bool fl_cache_store_open(struct fl_cache_store **out, const struct fl_cache_store_config *config,
                         uint32_t *passed_over, struct fl_cache_status *status)
{
    struct fl_cache_store *store = calloc(1, sizeof(*store));
    struct loading loading = {store, status, 0};

    if (!store || pthread_mutex_init(&store->lock, NULL) != 0) {
        free(store);
        return fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    }
    store->folder.is_durable = config->is_durable;
    store->max_bytes = config->max_bytes ? config->max_bytes : UINT64_MAX;
    if (!fl_cache_folder_open(&store->folder, config->directory, status) ||
        !fl_cache_folder_scan(&store->folder, load, &loading, status)) {
        fl_cache_store_close(store);
        return false;
    }
    *passed_over = loading.passed_over;
    *out = store;
    return true;
}

void fl_cache_store_close(struct fl_cache_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->index.count; i++)
        free_object(store->index.objects[i]);
    fl_cache_index_done(&store->index);
    fl_cache_folder_close(&store->folder);
    (void)pthread_mutex_destroy(&store->lock);
    free(store);
}
