/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of a store in the order of their keys. Used under the store's lock. {0} is empty. */
#ifndef FL_CACHE_INDEX_H
#define FL_CACHE_INDEX_H

#include "store.h"

struct fl_cache_index {
    struct fl_cache_object **objects;
    size_t count;
    size_t capacity;
};

/* NULL = there is none. */
struct fl_cache_object *fl_cache_index_find(const struct fl_cache_index *index, const char *key);

/* The first object behind `key`; NULL = there is none. */
struct fl_cache_object *fl_cache_index_after(const struct fl_cache_index *index, const char *key);

/* Room for one more, so that fl_cache_index_set() cannot fail. false = no memory. */
bool fl_cache_index_reserve(struct fl_cache_index *index);

/* Put an object in its place. Returns the one that was there, or NULL. */
struct fl_cache_object *fl_cache_index_set(struct fl_cache_index *index,
                                           struct fl_cache_object *object);

/* Take out the first object that a key covers. NULL = there is none left. */
struct fl_cache_object *fl_cache_index_take(struct fl_cache_index *index,
                                            const struct fl_flight_key *key);

/* Free the list, not the objects. */
void fl_cache_index_done(struct fl_cache_index *index);

#endif
