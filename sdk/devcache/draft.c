/* SPDX-License-Identifier: Apache-2.0 */
#include "store_inside.h"

#include "cleanup.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing --------------------------------------------------------------------------------- */

static bool reserve(struct fl_cache_draft *draft, uint64_t size, struct fl_cache_status *status)
{
    struct fl_cache_store *store = draft->store;
    bool fits;

    (void)pthread_mutex_lock(&store->lock);
    fits = store->used <= store->max_bytes && size <= store->max_bytes - store->used;
    if (fits)
        store->used += size;
    (void)pthread_mutex_unlock(&store->lock);
    draft->reserved += fits ? size : 0;
    return fits || fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "the storage is full");
}

struct fl_cache_draft *fl_cache_draft_new(struct fl_cache_store *store,
                                          struct fl_cache_status *status)
{
    struct fl_cache_draft *draft = calloc(1, sizeof(*draft));

    if (!draft) {
        (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    draft->store = store;
    draft->fd = fl_cache_folder_create(&store->folder, draft->name, status);
    if (draft->fd >= 0)
        return draft;
    fl_cache_draft_free(draft);
    return NULL;
}

bool fl_cache_draft_write(struct fl_cache_draft *draft, const struct flame_slice *slices,
                          uint32_t count, struct fl_cache_status *status)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < count; i++)
        size += slices[i].size;
    if (!reserve(draft, size, status) ||
        !fl_cache_write_at(draft->fd, draft->size, slices, count, status))
        return false;
    draft->size += size;
    return true;
}

bool fl_cache_draft_part(struct fl_cache_draft *draft, bool is_patch,
                         struct fl_cache_status *status)
{
    uint64_t size = draft->size - fl_cache_record_end(&draft->record);

    return fl_cache_record_add(&draft->record, size, 0, is_patch, status);
}

/* What became an object is the object's; the name of one that did not is removed. */
void fl_cache_draft_free(struct fl_cache_draft *draft)
{
    struct fl_cache_status ignored = {FL_CACHE_OK, ""};

    if (!draft)
        return;
    if (draft->fd >= 0)
        (void)close(draft->fd);
    (void)fl_cache_folder_remove(&draft->store->folder, draft->name, &ignored);
    (void)pthread_mutex_lock(&draft->store->lock);
    draft->store->used -= draft->reserved;
    (void)pthread_mutex_unlock(&draft->store->lock);
    fl_cache_record_done(&draft->record);
    free(draft);
}

/* ---- becoming an object ---------------------------------------------------------------------- */

static struct fl_cache_object *new_object(struct fl_cache_store *store,
                                          const struct fl_flight_key *key,
                                          struct fl_cache_status *status)
{
    struct fl_cache_object *object = calloc(1, sizeof(*object));

    if (!object || !fl_cache_index_reserve(&store->index)) {
        free(object);
        (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    object->fd = -1;
    object->holders = 1;
    fl_cache_folder_name(key, object->name);
    return object;
}

/* The object has all that the draft had; nothing is left to be removed with it. */
static void hand_over(struct fl_cache_draft *draft, struct fl_cache_object *object)
{
    if (draft->store->folder.fd < 0)
        object->fd = fl_take_fd(&draft->fd);
    object->record = draft->record;
    draft->record = (struct fl_cache_record){.parts = 0};
    draft->name[0] = '\0';
    draft->reserved = 0;
}

/* Under the lock: the draft, complete but for its record and flushed that far, takes the place of
 * what is there. To be settled, without the lock. */
static bool publish(struct fl_cache_draft *draft, const struct fl_flight_key *key,
                    struct fl_cache_status *status)
{
    struct fl_cache_store *store = draft->store;
    struct fl_cache_object *object = new_object(store, key, status);
    struct fl_cache_object *before;

    if (!object)
        return false;
    draft->record.key = *key;
    if (!fl_cache_record_write(&draft->record, draft->fd, status) ||
        !fl_cache_folder_publish(&store->folder, draft->fd, draft->name, object->name, status)) {
        free(object);
        return false;
    }
    hand_over(draft, object);
    before = fl_cache_index_set(&store->index, object);
    if (before)
        fl_cache_store_drop(store, before);
    return true;
}

static bool settle(const struct fl_cache_store *store, struct fl_cache_status *status)
{
    return fl_cache_folder_settle(&store->folder,
                                  "the object is stored, but a power cut may lose it", status);
}

/* The one after the newest. */
static bool next_version(const struct fl_cache_record *record, uint64_t *next,
                         struct fl_cache_status *status)
{
    *next = fl_cache_record_version(record) + 1;
    return *next <= FL_CACHE_VERSION_MAX ||
           fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "the object has no version left");
}

bool fl_cache_store_put(struct fl_cache_store *store, struct fl_cache_draft *draft,
                        const struct fl_flight_key *key, uint64_t *version,
                        struct fl_cache_status *status)
{
    struct fl_cache_object *before;
    uint64_t next = 1;
    bool done;

    if (!fl_cache_folder_flush(&store->folder, draft->fd, status))
        return false;
    (void)pthread_mutex_lock(&store->lock);
    before = fl_cache_index_find(&store->index, key->text);
    done = !before || next_version(&before->record, &next, status);
    for (uint32_t i = 0; i < draft->record.parts; i++)
        draft->record.part[i].version = next;
    done = done && publish(draft, key, status);
    (void)pthread_mutex_unlock(&store->lock);
    done = done && settle(store, status);
    if (done)
        *version = next;
    return done;
}

/* ---- patches --------------------------------------------------------------------------------- */

static bool take_for_patch(struct fl_cache_store *store, const struct fl_flight_key *key,
                           struct fl_cache_object **out, struct fl_cache_status *status)
{
    struct fl_cache_object *object;
    bool done;

    (void)pthread_mutex_lock(&store->lock);
    object = fl_cache_index_find(&store->index, key->text);
    if (!object)
        done =
            fl_cache_fail(status, FL_CACHE_NOT_FOUND, "object <%s> not found for patch", key->text);
    else if (object->record.is_native)
        done = fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                             "object <%s> is an arrow table, which takes no patch", key->text);
    else
        done = fl_cache_store_hold(store, object, status);
    (void)pthread_mutex_unlock(&store->lock);
    *out = done ? object : NULL;
    return done;
}

/* The bytes and parts of the object, and behind them those of the patch. */
static struct fl_cache_draft *join(struct fl_cache_object *object, struct fl_cache_draft *patch,
                                   struct fl_cache_status *status)
{
    struct fl_cache_draft *joined = fl_cache_draft_new(patch->store, status);
    uint64_t size = fl_cache_record_end(&object->record);
    uint64_t next;
    bool done = joined && next_version(&object->record, &next, status) &&
                reserve(joined, size + patch->size, status) &&
                fl_cache_copy(object->fd, size, joined->fd, 0, status) &&
                fl_cache_copy(patch->fd, patch->size, joined->fd, size, status) &&
                fl_cache_folder_flush(&patch->store->folder, joined->fd, status);

    for (uint32_t i = 0; done && i < object->record.parts; i++) {
        const struct fl_cache_part *part = &object->record.part[i];

        done =
            fl_cache_record_add(&joined->record, part->size, part->version, part->is_patch, status);
    }
    if (done && fl_cache_record_add(&joined->record, patch->size, next, true, status))
        return joined;
    fl_cache_draft_free(joined);
    return NULL;
}

/* *version 0 = the object was replaced meanwhile, the patch belongs to the newer one. */
static bool patch_once(struct fl_cache_store *store, struct fl_cache_draft *draft,
                       const struct fl_flight_key *key, uint64_t *version,
                       struct fl_cache_status *status)
{
    struct fl_cache_object *object;
    struct fl_cache_draft *joined;
    bool done = false;

    if (!take_for_patch(store, key, &object, status))
        return false;
    joined = join(object, draft, status);
    if (joined) {
        *version = fl_cache_record_version(&joined->record);
        (void)pthread_mutex_lock(&store->lock);
        if (fl_cache_index_find(&store->index, key->text) != object)
            *version = 0;
        done = *version == 0 || publish(joined, key, status);
        (void)pthread_mutex_unlock(&store->lock);
        done = done && (*version == 0 || settle(store, status));
        fl_cache_draft_free(joined);
    }
    fl_cache_store_give(store, object);
    return done;
}

bool fl_cache_store_patch(struct fl_cache_store *store, struct fl_cache_draft *draft,
                          const struct fl_flight_key *key, uint64_t *version,
                          struct fl_cache_status *status)
{
    uint64_t next = 0;

    while (next == 0) {
        if (!patch_once(store, draft, key, &next, status))
            return false;
    }
    *version = next;
    return true;
}
