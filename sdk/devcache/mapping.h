/* SPDX-License-Identifier: Apache-2.0 */
/* An object's file in memory, as long as somebody holds it: messages that are still on their way
 * keep it when their answer is gone. Counted, so any thread may release it. */
#ifndef FL_CACHE_MAPPING_H
#define FL_CACHE_MAPPING_H

#include "store.h"

struct fl_cache_mapping {
    uint8_t *data; /* NULL for an empty file */
    size_t size;
    struct fl_cache_store *store;
    struct fl_cache_object *object;
    uint32_t holders; /* atomic */
};

/* Takes over the object, which was taken from the store. NULL = failed, it is the caller's still.
 */
struct fl_cache_mapping *fl_cache_mapping_new(struct fl_cache_store *store,
                                              struct fl_cache_object *object,
                                              struct fl_cache_status *status);
void fl_cache_mapping_hold(struct fl_cache_mapping *mapping);
/* A struct fl_cache_mapping; the last one gives the object back. */
void fl_cache_mapping_release(void *mapping);

#endif
