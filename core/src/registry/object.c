/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/object.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#define MODE (RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)

typedef const struct flame_plugin *(*entry_function)(void);

bool fl_object_holds(const struct fl_object *object, const void *address, size_t size)
{
    const char *ends[] = {address, (const char *)address + size - 1};

    for (size_t i = 0; i < 2; i++) {
        struct link_map *owner = NULL;
        Dl_info info;

        if (!dladdr1(ends[i], &info, (void **)&owner, RTLD_DL_LINKMAP) || owner != object->map)
            return false;
    }
    return true;
}

/* The linker goes by names: it may have opened what lies there now, not what we looked at. */
static enum fl_reject check_identity(const struct fl_found *found, const struct link_map *map,
                                     struct fl_refusal *refusal)
{
    struct stat file;

    if (stat(map->l_name, &file) != 0)
        return fl_refuse(refusal, FL_REJECT_SWAPPED, "'%s' is gone: %s", map->l_name,
                         strerror(errno));
    if (file.st_dev != found->identity.device || file.st_ino != found->identity.inode)
        return fl_refuse_plainly(refusal, FL_REJECT_SWAPPED);
    return FL_ACCEPTED;
}

enum fl_reject fl_object_open(const struct fl_found *found, struct fl_object *out,
                              struct fl_refusal *refusal)
{
    struct fl_object object = {.was_mapped = dlopen(found->real, MODE | RTLD_NOLOAD) != NULL};
    const char *reason;
    enum fl_reject reject;

    (void)dlerror();
    object.handle = dlopen(found->real, MODE);
    if (!object.handle || dlinfo(object.handle, RTLD_DI_LINKMAP, &object.map) != 0) {
        reason = dlerror();
        return fl_refuse(refusal, FL_REJECT_DLOPEN, "%s", reason ? reason : "");
    }
    reject = check_identity(found, object.map, refusal);
    if (reject == FL_ACCEPTED)
        *out = object;
    return reject;
}

static enum fl_reject find_entry(const struct fl_object *object, entry_function *entry,
                                 struct fl_refusal *refusal)
{
    void *address = dlsym(object->handle, FLAME_ENTRY_SYMBOL);

    if (!address)
        return fl_refuse(refusal, FL_REJECT_NO_ENTRY, "exports no '%s'", FLAME_ENTRY_SYMBOL);
    if (!fl_object_holds(object, address, 1))
        return fl_refuse_plainly(refusal, FL_REJECT_FOREIGN_ENTRY);
    memcpy(entry, &address, sizeof(*entry));
    return FL_ACCEPTED;
}

/* An entry may fill one table each time it is called, and setups that came by a reload, or several
 * contexts, may ask one plugin at once. */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static enum fl_reject copy(const struct fl_object *object, const struct flame_plugin *theirs,
                           struct flame_plugin *out, struct fl_refusal *refusal)
{
    uint32_t size;

    if (!theirs)
        return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "its entry returned null");
    if (!fl_object_holds(object, theirs, sizeof(size)))
        return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "its table lies outside the plugin");
    size = theirs->struct_size;
    if (size < FL_TABLE_MIN || size > FL_TABLE_MAX)
        return fl_refuse(refusal, FL_REJECT_BAD_TABLE,
                         "struct_size is %u, and should be between %zu and %u", size, FL_TABLE_MIN,
                         FL_TABLE_MAX);
    if (!fl_object_holds(object, theirs, size))
        return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "its table lies outside the plugin");
    *out = (struct flame_plugin){.struct_size = 0};
    memcpy(out, theirs, size < sizeof(*out) ? size : sizeof(*out));
    return FL_ACCEPTED;
}

/* All slots are pointers to functions; compared as addresses, whatever they take. */
static enum fl_reject check_slots(const struct fl_object *object, const struct flame_plugin *table,
                                  struct fl_refusal *refusal)
{
    static const struct {
        const char *name;
        size_t offset;
        bool is_required;
    } slots[] = {
#define SLOT(name, is_required) {#name, offsetof(struct flame_plugin, name), is_required}
        SLOT(init, true),    SLOT(shutdown, true), SLOT(fetch, true), SLOT(store, false),
        SLOT(remove, false), SLOT(stat, false),    SLOT(list, false), SLOT(get_extension, false),
#undef SLOT
    };

    for (size_t i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
        const void *address;

        memcpy(&address, (const char *)table + slots[i].offset, sizeof(address));
        if (!address && slots[i].is_required)
            return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "the slot '%s' is null", slots[i].name);
        if (address && !fl_object_holds(object, address, 1))
            return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "the slot '%s' lies outside the plugin",
                             slots[i].name);
    }
    return FL_ACCEPTED;
}

static enum fl_reject check_manifest(const struct fl_object *object, const char *theirs,
                                     const char *note, struct fl_refusal *refusal)
{
    size_t size = strlen(note) + 1;

    if (!theirs || !fl_object_holds(object, theirs, size))
        return fl_refuse(refusal, FL_REJECT_BAD_TABLE, "'manifest' lies outside the plugin");
    if (strncmp(theirs, note, size) == 0)
        return FL_ACCEPTED;
    if (object->was_mapped)
        return fl_refuse(refusal, FL_REJECT_SWAPPED,
                         "an older version of it is in use; start the program anew");
    return fl_refuse_plainly(refusal, FL_REJECT_NOTE_MISMATCH);
}

enum fl_reject fl_object_table(const struct fl_object *object, const char *manifest,
                               struct flame_plugin *out, struct fl_refusal *refusal)
{
    entry_function entry = NULL;
    struct flame_plugin table;
    enum fl_reject reject = find_entry(object, &entry, refusal);

    (void)pthread_mutex_lock(&table_lock);
    if (reject == FL_ACCEPTED)
        reject = copy(object, entry(), &table, refusal);
    (void)pthread_mutex_unlock(&table_lock);
    if (reject == FL_ACCEPTED)
        reject = check_slots(object, &table, refusal);
    if (reject == FL_ACCEPTED)
        reject = check_manifest(object, table.manifest, manifest, refusal);
    if (reject == FL_ACCEPTED)
        *out = table;
    return reject;
}
