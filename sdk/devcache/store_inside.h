/* SPDX-License-Identifier: Apache-2.0 */
/* What store.c and draft.c share and nobody else sees. */
#ifndef FL_CACHE_STORE_INSIDE_H
#define FL_CACHE_STORE_INSIDE_H

#include "index.h"

#include <pthread.h>

struct fl_cache_store {
    struct fl_cache_folder folder;
    uint64_t max_bytes;
    pthread_mutex_t lock; /* of all below, and of the private members of objects */
    struct fl_cache_index index;
    uint64_t used; /* bytes of objects and drafts */
};

/* Under the lock: somebody has the object no longer. */
void fl_cache_store_drop(struct fl_cache_store *store, struct fl_cache_object *object);

/* Under the lock: the object's file is open from now on, for one reader more. */
bool fl_cache_store_hold(struct fl_cache_store *store, struct fl_cache_object *object,
                         struct fl_cache_status *status);

#endif
