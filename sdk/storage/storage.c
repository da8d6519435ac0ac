/* SPDX-License-Identifier: Apache-2.0 */
#include "object/objects.h"
#include "storage/name.h"
#include "storage/place.h"
#include "task/task.h"

#include "base/text.h"
#include "url/url.h"

#include <flame/storage.h>

#include <string.h>

struct flame_storage {
    struct flame *flame;
    const struct flame_context *context;
    struct flame_objects *cache; /* where nobody has named a place; else NULL */
    struct sdk_place place;
};

/* ---- opening --------------------------------------------------------------------------------- */

/* The base is somebody's cache, as the context or flamepy names it. */
static int32_t use_cache(struct flame_storage *storage, const char **base, struct flame_error *err)
{
    int32_t status =
        flame_objects_open(storage->flame, storage->context, NULL, &storage->cache, err);

    if (status == FLAME_OK)
        *base = flame_objects_endpoint(storage->cache);
    return status;
}

static int32_t enough(void *data, const struct flame_result *entry)
{
    (void)data;
    (void)entry;
    return 1;
}

/* A folder of this machine that is not there is a typing error, or not mounted: to make it would
 * hide that. */
static int32_t check_folder(const struct flame_storage *storage, const char *base,
                            struct flame_error *err)
{
    struct sdk_call call = {.flame = storage->flame,
                            .verb = FLAME_LIST,
                            .url = base,
                            .doing = "cannot use this storage",
                            .entry = enough};

    if (strcmp(storage->place.scheme, "file") != 0)
        return FLAME_OK;
    return sdk_call_run(&call, NULL, err);
}

static int32_t open_place(struct flame_storage *storage, const char *base, const char *app,
                          struct flame_error *err)
{
    int32_t status = base ? FLAME_OK : use_cache(storage, &base, err);

    if (status == FLAME_OK)
        status = sdk_place_make(storage->flame, base, app, &storage->place, err);
    return status == FLAME_OK ? check_folder(storage, base, err) : status;
}

int32_t flame_storage_open(struct flame *flame, const struct flame_context *context,
                           const char *base, const char *app, struct flame_storage **out,
                           struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct flame_storage *storage = calloc(1, sizeof(*storage));
    int32_t status = storage ? FLAME_OK : fl_fail_memory(&own);

    if (status == FLAME_OK) {
        storage->flame = flame;
        storage->context = context;
        status = open_place(storage, base, app, &own);
    }
    if (status == FLAME_OK) {
        *out = storage;
        return FLAME_OK;
    }
    flame_storage_close(storage);
    fl_error_export(&own, err);
    return status;
}

void flame_storage_close(struct flame_storage *storage)
{
    if (!storage)
        return;
    flame_objects_close(storage->cache);
    sdk_place_done(&storage->place);
    free(storage);
}

const char *flame_storage_url(const struct flame_storage *storage)
{
    return storage->place.shown;
}

/* ---- one package ----------------------------------------------------------------------------- */

struct deed {
    uint32_t verb;
    uint32_t flags;
    const char *name;
    const struct flame_task *task;
};

static char *describe(const struct flame_storage *storage, const struct deed *deed)
{
    const char *where = storage->place.shown;

    switch (deed->verb) {
    case FLAME_STORE:
        return sdk_task_uploading(deed->task, deed->name, where);
    case FLAME_FETCH:
        return fl_format("cannot download '%s' from %s", deed->name, where);
    case FLAME_REMOVE:
        return fl_format("cannot remove '%s' from %s", deed->name, where);
    default:
        return fl_format("cannot look for '%s' in %s", deed->name, where);
    }
}

static int32_t run(const struct flame_storage *storage, const struct deed *deed,
                   struct flame_result *result, struct flame_error *err)
{
    struct sdk_call call = {.flame = storage->flame,
                            .context = storage->context,
                            .task = deed->task,
                            .verb = deed->verb,
                            .flags = deed->flags};
    fl_auto_free char *doing = NULL;
    char *url = NULL;
    int32_t status = sdk_place_url(&storage->place, deed->name, &url, err);

    if (status != FLAME_OK)
        return status;
    doing = describe(storage, deed);
    call.url = url;
    call.doing = doing;
    call.hint = storage->cache ? sdk_objects_hint(storage->cache) : NULL;
    status = doing ? sdk_call_run(&call, result, err) : fl_fail_memory(err);
    fl_wipe_free(url);
    return status;
}

/* What is true of the caller's task for a verb that has neither source nor destination. */
static struct flame_task only_how(const struct flame_task *task)
{
    struct flame_task how;

    sdk_task_copy(task, &how);
    how.flags = 0;
    how.path = NULL;
    how.fd = 0;
    how.validator = NULL;
    how.progress = NULL;
    return how;
}

static int32_t look_for(const struct flame_storage *storage, const char *name,
                        const struct flame_task *task, bool *is_there, struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);
    struct flame_task how = only_how(task);
    struct deed deed = {.verb = FLAME_STAT, .name = name, .task = &how};
    int32_t status = run(storage, &deed, NULL, &reason);

    *is_there = status == FLAME_OK;
    if (status == FLAME_OK || status == FLAME_ERR_NOT_FOUND)
        return FLAME_OK;
    *err = reason;
    return status;
}

/* A place that knows no "create only": look, then store. The core has looked too, but does not mind
 * when it cannot; here that would be to replace what nobody has seen. */
static int32_t upload_absent(const struct flame_storage *storage, const struct deed *deed,
                             struct flame_result *result, struct flame_error *err)
{
    struct flame_task replacing;
    struct deed second = *deed;
    bool is_there;
    int32_t status = look_for(storage, deed->name, deed->task, &is_there, err);

    if (status != FLAME_OK)
        return status;
    if (is_there)
        return fl_fail(err, FLAME_ERR_EXISTS, "'%s' is in %s already", deed->name,
                       storage->place.shown);
    sdk_task_copy(deed->task, &replacing);
    replacing.flags &= ~FLAME_TASK_KEEP;
    second.task = &replacing;
    return run(storage, &second, result, err);
}

static int32_t upload(const struct flame_storage *storage, const struct deed *deed,
                      struct flame_result *result, struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);
    int32_t status = run(storage, deed, result, &reason);

    if (status == FLAME_ERR_UNSUPPORTED && deed->task && deed->task->flags & FLAME_TASK_KEEP)
        return upload_absent(storage, deed, result, err);
    if (status >= FLAME_FIRST_FAILURE)
        *err = reason;
    return status;
}

int32_t flame_storage_upload(struct flame_storage *storage, const char *name,
                             const struct flame_task *task, struct flame_result *result,
                             struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct deed deed = {
        .verb = FLAME_STORE, .flags = FLAME_TASK_CREATE_DIRS, .name = name, .task = task};
    int32_t status = upload(storage, &deed, result, &own);

    if (status >= FLAME_FIRST_FAILURE)
        fl_error_export(&own, err);
    return status;
}

int32_t flame_storage_download(struct flame_storage *storage, const char *name,
                               const struct flame_task *task, struct flame_result *result,
                               struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct deed deed = {.verb = FLAME_FETCH, .name = name, .task = task};
    int32_t status = run(storage, &deed, result, &own);

    if (status >= FLAME_FIRST_FAILURE)
        fl_error_export(&own, err);
    return status;
}

int32_t flame_storage_remove(struct flame_storage *storage, const char *name,
                             const struct flame_task *task, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct deed deed = {.verb = FLAME_REMOVE, .name = name, .task = task};
    int32_t status = run(storage, &deed, NULL, &own);

    if (status == FLAME_ERR_NOT_FOUND)
        return FLAME_OK;
    if (status >= FLAME_FIRST_FAILURE)
        fl_error_export(&own, err);
    return status;
}

int32_t flame_storage_exists(struct flame_storage *storage, const char *name,
                             const struct flame_task *task, int32_t *exists,
                             struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    bool is_there;
    int32_t status = look_for(storage, name, task, &is_there, &own);

    if (status == FLAME_OK)
        *exists = is_there;
    else
        fl_error_export(&own, err);
    return status;
}

/* ---- all packages ---------------------------------------------------------------------------- */

struct listing {
    flame_storage_visit *visit;
    void *data;
    bool has_no_memory; /* an entry is missing */
};

static int32_t name_of(const struct flame_result *entry, char **out)
{
    struct fl_url url;
    int32_t status = fl_url_parse(entry->url, 0, &url, NULL);

    if (status != FLAME_OK)
        return status;
    status = fl_url_file_name(&url, out, NULL);
    fl_url_done(&url);
    return status;
}

/* What has no name that we would take is nothing that we have put there. */
static int32_t on_entry(void *data, const struct flame_result *entry)
{
    struct listing *listing = data;
    uint64_t size = entry->flags & FLAME_RESULT_SIZE ? entry->size : UINT64_MAX;
    fl_auto_free char *name = NULL;
    int32_t status =
        entry->flags & FLAME_RESULT_PREFIX ? FLAME_ERR_UNSAFE_NAME : name_of(entry, &name);

    listing->has_no_memory |= status == FLAME_ERR_NO_MEMORY;
    if (listing->has_no_memory)
        return 1;
    return status == FLAME_OK ? listing->visit(listing->data, name, size) : 0;
}

static int32_t list(const struct flame_storage *storage, const struct flame_task *task,
                    struct listing *listing, struct flame_error *err)
{
    struct sdk_call call = {.flame = storage->flame,
                            .context = storage->context,
                            .task = task,
                            .verb = FLAME_LIST,
                            .entry = on_entry,
                            .entry_data = listing};
    fl_auto_free char *doing = fl_format("cannot list %s", storage->place.shown);
    char *url = NULL;
    int32_t status = sdk_place_url(&storage->place, NULL, &url, err);

    if (status != FLAME_OK)
        return status;
    call.url = url;
    call.doing = doing;
    call.hint = storage->cache ? sdk_objects_hint(storage->cache) : NULL;
    status = doing ? sdk_call_run(&call, NULL, err) : fl_fail_memory(err);
    fl_wipe_free(url);
    return listing->has_no_memory ? fl_fail_memory(err) : status;
}

int32_t flame_storage_list(struct flame_storage *storage, const struct flame_task *task,
                           flame_storage_visit *visit, void *data, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct listing listing = {.visit = visit, .data = data};
    int32_t status = list(storage, task, &listing, &own);

    if (status == FLAME_ERR_NOT_FOUND)
        return FLAME_OK;
    if (status != FLAME_OK)
        fl_error_export(&own, err);
    return status;
}
