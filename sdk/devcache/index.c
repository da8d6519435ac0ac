/* SPDX-License-Identifier: Apache-2.0 */
#include "index.h"

#include <stdlib.h>
#include <string.h>

/* How many keys are smaller than this one. */
static size_t place_of(const struct fl_cache_index *index, const char *key)
{
    size_t low = 0;
    size_t high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(index->objects[middle]->record.key.text, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct fl_cache_index *index, size_t place, const char *key)
{
    return place < index->count && strcmp(index->objects[place]->record.key.text, key) == 0;
}

struct fl_cache_object *fl_cache_index_find(const struct fl_cache_index *index, const char *key)
{
    size_t place = place_of(index, key);

    return is_at(index, place, key) ? index->objects[place] : NULL;
}

struct fl_cache_object *fl_cache_index_after(const struct fl_cache_index *index, const char *key)
{
    size_t place = place_of(index, key);

    if (is_at(index, place, key))
        place++;
    return place < index->count ? index->objects[place] : NULL;
}

bool fl_cache_index_reserve(struct fl_cache_index *index)
{
    size_t capacity = index->capacity ? index->capacity * 2 : 64;
    struct fl_cache_object **grown;

    if (index->count < index->capacity)
        return true;
    grown = realloc(index->objects, capacity * sizeof(struct fl_cache_object *));
    if (!grown)
        return false;
    index->objects = grown;
    index->capacity = capacity;
    return true;
}

struct fl_cache_object *fl_cache_index_set(struct fl_cache_index *index,
                                           struct fl_cache_object *object)
{
    size_t place = place_of(index, object->record.key.text);
    struct fl_cache_object **at = &index->objects[place];
    struct fl_cache_object *before = NULL;

    if (is_at(index, place, object->record.key.text)) {
        before = *at;
    } else {
        memmove(at + 1, at, (index->count - place) * sizeof(struct fl_cache_object *));
        index->count++;
    }
    *at = object;
    return before;
}

/* All that a session or an application has begins with its name and a '/'. */
static size_t first_covered(const struct fl_cache_index *index, const struct fl_flight_key *key)
{
    char prefix[FL_FLIGHT_KEY_MAX + 2];
    size_t size = strlen(key->text);

    memcpy(prefix, key->text, size + 1);
    if (key->kind == FL_FLIGHT_KEY_APPLICATION)
        size -= 2;
    if (key->kind != FL_FLIGHT_KEY_OBJECT)
        memcpy(prefix + size, "/", 2);
    return place_of(index, prefix);
}

struct fl_cache_object *fl_cache_index_take(struct fl_cache_index *index,
                                            const struct fl_flight_key *key)
{
    size_t place = first_covered(index, key);
    struct fl_cache_object **at = index->objects + place;
    struct fl_cache_object *taken;

    if (place == index->count || !fl_flight_key_covers(key, (*at)->record.key.text))
        return NULL;
    taken = *at;
    index->count--;
    memmove(at, at + 1, (index->count - place) * sizeof(struct fl_cache_object *));
    return taken;
}

void fl_cache_index_done(struct fl_cache_index *index)
{
    free(index->objects);
    *index = (struct fl_cache_index){.count = 0};
}
