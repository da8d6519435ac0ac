/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin's code once it is mapped, and its table. The dynamic linker's answers are not taken on
 * trust: a symbol may belong to another library, a path to another file than the one judged.
 * Internal to the module; no state, any thread. */
#ifndef FL_REGISTRY_OBJECT_H
#define FL_REGISTRY_OBJECT_H

#include "registry/scan.h"

#include <flame/plugin.h>

#include <link.h>

/* Bytes of a table as version 1.0 knows it. */
#define FL_TABLE_MIN                                                                               \
    (offsetof(struct flame_plugin, get_extension) +                                                \
     sizeof(((struct flame_plugin *)NULL)->get_extension))
#define FL_TABLE_MAX 65536u

struct fl_object {
    void *handle;
    struct link_map *map;
    bool was_mapped; /* before we asked for it */
};

/* Map the file that was found, for good. Refuses with DLOPEN, SWAPPED. */
enum fl_reject fl_object_open(const struct fl_found *found, struct fl_object *out,
                              struct fl_refusal *refusal) FL_CHECK;

/* Call the entry and copy its table, cut to our size, into *out (zeroed), then judge the copy.
 * Refuses with NO_ENTRY, FOREIGN_ENTRY, BAD_TABLE, NOTE_MISMATCH, SWAPPED. */
enum fl_reject fl_object_table(const struct fl_object *object, const char *manifest,
                               struct flame_plugin *out, struct fl_refusal *refusal) FL_CHECK;

/* Are the `size` bytes at `address` this object's? */
bool fl_object_holds(const struct fl_object *object, const void *address, size_t size);

/* Copy the options of a table, each cut to our size. *out: one block, NULL-terminated, to be freed;
 * NULL without options, or without memory (and FL_ACCEPTED; *memory says which).
 * Refuses with BAD_TABLE. */
enum fl_reject fl_object_options(const struct fl_object *object,
                                 const struct flame_option *const *theirs,
                                 const struct flame_option ***out, bool *memory,
                                 struct fl_refusal *refusal) FL_CHECK;

#endif
