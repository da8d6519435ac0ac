/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an object in memory, as long as somebody holds them: messages that are still on
 * their way keep them when their answer is gone, gRPC even when the store is. So a mapping owns its
 * pages and nothing else. Counted, so any thread may release it. */
#ifndef FL_CACHE_MAPPING_H
#define FL_CACHE_MAPPING_H

#include "store.h"

struct fl_cache_mapping {
    uint8_t *data; /* NULL for an empty file */
    size_t size;
    uint32_t holders; /* atomic */
};

/* Of an object that is taken; it may be given back before the mapping is released. NULL = failed.
 */
struct fl_cache_mapping *fl_cache_mapping_new(const struct fl_cache_object *object,
                                              struct fl_cache_status *status);
void fl_cache_mapping_hold(struct fl_cache_mapping *mapping);
/* A struct fl_cache_mapping, or NULL; the last one unmaps it. */
void fl_cache_mapping_release(void *mapping);

#endif
