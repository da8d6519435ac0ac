/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of a cache: by key, versioned, each one file that never changes.
 *
 * Storing writes a draft, which becomes the object in one step; until then everybody sees what was
 * there before, and whoever reads the old object goes on reading it. The first version is 1, a new
 * base or a patch is one more than the newest before it; what was deleted begins at 1 again. A
 * patch makes a new file of the old bytes and its own. Listing goes by key, in order.
 *
 * Any thread; one lock guards the index. It is not held while the bytes of objects are written,
 * read or flushed; of a store it covers the record and the rename (a flush of the record where
 * stores are durable), of a delete the unlinking, of a read the opening. */
#ifndef FL_CACHE_STORE_H
#define FL_CACHE_STORE_H

#include "folder.h"
#include "record.h"

#include <flame/plugin.h>

struct fl_cache_store;

struct fl_cache_store_config {
    const char *directory; /* NULL = memory */
    bool is_durable;       /* what was stored or deleted survives a power cut too */
    uint64_t max_bytes;    /* of all objects and drafts together; 0 = no bound */
};

/* An object as a reader sees it. */
struct fl_cache_object {
    struct fl_cache_record record;
    int fd; /* open while it is taken */
    /* private */
    uint32_t readers;
    uint32_t holders; /* readers, and the index */
    char name[FL_CACHE_NAME_MAX];
};

/* Opens and reads what is there; *passed_over counts files that are no objects, which are left
 * alone. */
bool fl_cache_store_open(struct fl_cache_store **out, const struct fl_cache_store_config *config,
                         uint32_t *passed_over, struct fl_cache_status *status);
/* All that was taken was given back. Takes NULL. */
void fl_cache_store_close(struct fl_cache_store *store);

/* NOT_FOUND "object <key> not found". To be given back. */
bool fl_cache_store_take(struct fl_cache_store *store, const struct fl_flight_key *key,
                         struct fl_cache_object **out, struct fl_cache_status *status);
void fl_cache_store_give(struct fl_cache_store *store, struct fl_cache_object *object);

struct fl_cache_listed {
    char key[FL_FLIGHT_KEY_MAX + 1];
    uint64_t bytes;
};

/* The first object behind the key `listed->key`, "" for the first one. false = there is none. */
bool fl_cache_store_next(struct fl_cache_store *store, struct fl_cache_listed *listed);

/* Remove all that a key covers; that nothing is there is no failure. */
bool fl_cache_store_remove(struct fl_cache_store *store, const struct fl_flight_key *key,
                           struct fl_cache_status *status);

/* ---- storing --------------------------------------------------------------------------------- */

/* An object that is being written. Belongs to one thread at a time. */
struct fl_cache_draft {
    struct fl_cache_record record; /* parts: fl_cache_draft_part() */
    /* private */
    struct fl_cache_store *store;
    int fd;
    char name[FL_CACHE_NAME_MAX];
    uint64_t size;     /* written */
    uint64_t reserved; /* of max_bytes */
};

/* To be freed, also after it was put. NULL = failed. */
struct fl_cache_draft *fl_cache_draft_new(struct fl_cache_store *store,
                                          struct fl_cache_status *status);
bool fl_cache_draft_write(struct fl_cache_draft *draft, const struct flame_slice *slices,
                          uint32_t count, struct fl_cache_status *status);
/* What was written since the last part is one. */
bool fl_cache_draft_part(struct fl_cache_draft *draft, bool is_patch,
                         struct fl_cache_status *status);
void fl_cache_draft_free(struct fl_cache_draft *draft);

/* Make it the object `key`; *version is its new one. */
bool fl_cache_store_put(struct fl_cache_store *store, struct fl_cache_draft *draft,
                        const struct fl_flight_key *key, uint64_t *version,
                        struct fl_cache_status *status);

/* Add it, one part, to the object as a patch. NOT_FOUND "object <key> not found for patch";
 * INVALID_ARGUMENT for a native object. All is copied again if the object is replaced meanwhile. */
bool fl_cache_store_patch(struct fl_cache_store *store, struct fl_cache_draft *draft,
                          const struct fl_flight_key *key, uint64_t *version,
                          struct fl_cache_status *status);

#endif
