/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/loader.h"
#include "registry/schemes.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fl_registry {
    struct fl_found_list found;
    struct fl_plugin *plugins; /* by order of search */
    size_t plugin_count;
    struct fl_plugin **by_id;
    struct fl_schemes schemes;
};

/* Beside the library that this code is in; NULL where that cannot be told. */
static int32_t shipped_directory(char **out, struct flame_error *err)
{
    int32_t (*here)(char **, struct flame_error *) = shipped_directory;
    fl_auto_free char *real = NULL;
    const void *address;
    char *slash;
    Dl_info info;

    memcpy(&address, &here, sizeof(address));
    *out = NULL;
    if (!dladdr(address, &info) || !info.dli_fname)
        return FLAME_OK;
    real = realpath(info.dli_fname, NULL);
    if (!real && errno == ENOMEM)
        return fl_fail_memory(err);
    slash = real ? strrchr(real, '/') : NULL;
    if (!slash)
        return FLAME_OK;
    *slash = '\0';
    *out = fl_format("%s/flame/plugins", real);
    return *out ? FLAME_OK : fl_fail_memory(err);
}

static int32_t scan_all(struct fl_found_list *list, const char *const *directories,
                        const char *shipped, struct flame_error *err)
{
    int32_t status = FLAME_OK;
    size_t number = 0;

    for (; status == FLAME_OK && directories && directories[number]; number++)
        status = fl_scan(directories[number], number, list, err);
    if (status == FLAME_OK && shipped)
        status = fl_scan(shipped, number, list, err);
    return status;
}

static int by_order(const struct fl_found *a, const struct fl_found *b)
{
    return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_inodes(const void *one, const void *other)
{
    const struct fl_found *a = *(struct fl_found *const *)one;
    const struct fl_found *b = *(struct fl_found *const *)other;

    if (a->identity.device != b->identity.device)
        return a->identity.device < b->identity.device ? -1 : 1;
    if (a->identity.inode != b->identity.inode)
        return a->identity.inode < b->identity.inode ? -1 : 1;
    return by_order(a, b);
}

static int compare_ids(const void *one, const void *other)
{
    const struct fl_found *a = *(struct fl_found *const *)one;
    const struct fl_found *b = *(struct fl_found *const *)other;
    int order = strcmp(a->manifest.id, b->manifest.id);

    return order != 0 ? order : by_order(a, b);
}

static bool is_same_inode(const struct fl_found *a, const struct fl_found *b)
{
    return a->identity.device == b->identity.device && a->identity.inode == b->identity.inode;
}

static bool is_same_id(const struct fl_found *a, const struct fl_found *b)
{
    return strcmp(a->manifest.id, b->manifest.id) == 0;
}

/* One way in which two files can be one plugin. */
struct likeness {
    enum fl_reject code;
    int (*compare)(const void *one, const void *other); /* then by order of search */
    bool (*is_same)(const struct fl_found *a, const struct fl_found *b);
};

static size_t collect_accepted(struct fl_found_list *list, struct fl_found **out)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].code == FL_ACCEPTED)
            out[count++] = &list->items[i];
    return count;
}

/* Of those that are alike the first one stays. */
static int32_t refuse_repeated(struct fl_found_list *list, const struct likeness *likeness,
                               struct flame_error *err)
{
    fl_auto_free struct fl_found **sorted = calloc(list->count + 1, sizeof(*sorted));
    const struct fl_found *first = NULL;
    size_t count;

    if (!sorted)
        return fl_fail_memory(err);
    count = collect_accepted(list, sorted);
    qsort(sorted, count, sizeof(struct fl_found *), likeness->compare);
    for (size_t i = 0; i < count; i++) {
        struct fl_refusal refusal = {.code = FL_ACCEPTED};

        if (!first || !likeness->is_same(first, sorted[i])) {
            first = sorted[i];
            continue;
        }
        (void)fl_refuse(&refusal, likeness->code, "%s: '%s'", fl_reject_text(likeness->code),
                        first->path);
        if (!fl_found_refuse(sorted[i], &refusal))
            return fl_fail_memory(err);
    }
    return FLAME_OK;
}

static int32_t refuse_duplicates(struct fl_found_list *list, struct flame_error *err)
{
    static const struct likeness likenesses[] = {
        {FL_REJECT_ALIAS, compare_inodes, is_same_inode},
        {FL_REJECT_SHADOWED, compare_ids, is_same_id},
    };
    int32_t status = refuse_repeated(list, &likenesses[0], err);

    return status == FLAME_OK ? refuse_repeated(list, &likenesses[1], err) : status;
}

static int compare_plugins(const void *one, const void *other)
{
    return strcmp(fl_plugin_id(*(struct fl_plugin *const *)one),
                  fl_plugin_id(*(struct fl_plugin *const *)other));
}

static int32_t make_plugins(struct fl_registry *registry, struct fl_config *config,
                            const struct flame_host *host, void *core, struct flame_error *err)
{
    struct fl_found_list *list = &registry->found;

    registry->plugins = calloc(list->count + 1, sizeof(*registry->plugins));
    registry->by_id = calloc(list->count + 1, sizeof(struct fl_plugin *));
    if (!registry->plugins || !registry->by_id)
        return fl_fail_memory(err);
    for (size_t i = 0; i < list->count; i++) {
        struct fl_plugin *plugin = &registry->plugins[registry->plugin_count];

        if (list->items[i].code != FL_ACCEPTED)
            continue;
        plugin->config = config;
        if (fl_plugin_init(plugin, &list->items[i], host, core) != 0)
            return fl_fail_memory(err);
        registry->by_id[registry->plugin_count++] = plugin;
    }
    qsort(registry->by_id, registry->plugin_count, sizeof(struct fl_plugin *), compare_plugins);
    return FLAME_OK;
}

static int32_t look(struct fl_registry *registry, const struct fl_config *config,
                    const char *shipped_dir, struct flame_error *err)
{
    fl_auto_free char *found = NULL;
    int32_t status = shipped_dir ? FLAME_OK : shipped_directory(&found, err);

    if (status == FLAME_OK)
        status = scan_all(&registry->found, fl_config_plugin_dirs(config),
                          shipped_dir ? shipped_dir : found, err);
    return status == FLAME_OK ? refuse_duplicates(&registry->found, err) : status;
}

int32_t fl_registry_open(struct fl_config *config, const char *shipped_dir,
                         const struct flame_host *host, void *core, struct fl_registry **out,
                         struct flame_error *err)
{
    struct fl_registry *registry = calloc(1, sizeof(*registry));
    int32_t status = registry ? look(registry, config, shipped_dir, err) : fl_fail_memory(err);

    if (status == FLAME_OK)
        status = make_plugins(registry, config, host, core, err);
    if (status == FLAME_OK)
        status = fl_schemes_settle(&registry->found, config, &registry->schemes, err);
    if (status == FLAME_OK)
        *out = registry;
    else
        fl_registry_close(registry);
    return status;
}

void fl_registry_close(struct fl_registry *registry)
{
    if (!registry)
        return;
    for (size_t i = 0; i < registry->plugin_count; i++)
        fl_plugin_done(&registry->plugins[i]);
    fl_schemes_done(&registry->schemes);
    fl_found_list_done(&registry->found);
    free(registry->plugins);
    free(registry->by_id);
    free(registry);
}

int32_t fl_registry_find(struct fl_registry *registry, const char *scheme, struct fl_plugin **out,
                         struct flame_error *err)
{
    const struct fl_served *served = fl_schemes_find(&registry->schemes, scheme);
    char names[512];

    if (served && served->plugin) {
        *out = served->plugin;
        return FLAME_OK;
    }
    if (served)
        return fl_fail(err, FLAME_ERR_UNSUPPORTED, "%s", served->reason);
    fl_schemes_text(&registry->schemes, names, sizeof(names));
    return fl_fail(err, FLAME_ERR_UNSUPPORTED, "no plugin for the scheme '%s' (there are: %s)",
                   scheme, *names ? names : "none");
}

static int compare_id(const void *key, const void *item)
{
    return strcmp(key, fl_plugin_id(*(struct fl_plugin *const *)item));
}

struct fl_plugin *fl_registry_by_id(struct fl_registry *registry, const char *id)
{
    struct fl_plugin **item = bsearch(id, registry->by_id, registry->plugin_count,
                                      sizeof(struct fl_plugin *), compare_id);

    return item ? *item : NULL;
}

void fl_registry_visit(const struct fl_registry *registry,
                       int32_t (*visit)(void *data, const struct flame_plugin_info *info),
                       void *data)
{
    for (size_t i = 0; i < registry->found.count; i++) {
        const struct fl_found *found = &registry->found.items[i];
        struct flame_plugin_info info = FLAME_INIT(flame_plugin_info);

        info.accepted = found->plugin != NULL;
        info.path = found->path;
        info.id = found->manifest.id;
        info.version = found->manifest.version;
        info.schemes = found->schemes;
        info.summary = found->manifest.summary;
        info.tier = "in-process";
        info.code = fl_reject_name(found->code);
        info.reason = found->reason;
        if (visit(data, &info) != 0)
            return;
    }
}

const char *fl_plugin_id(const struct fl_plugin *plugin)
{
    return plugin->found->manifest.id;
}

uint32_t fl_plugin_default_port(const struct fl_plugin *plugin, const char *scheme)
{
    const struct fl_scheme *row = fl_scheme_find(&plugin->found->manifest.schemes, scheme);

    return row ? row->default_port : 0;
}

bool fl_plugin_may_redirect(const struct fl_plugin *plugin, const char *scheme)
{
    return fl_scheme_find(&plugin->found->manifest.redirects, scheme) != NULL;
}
