/* SPDX-License-Identifier: Apache-2.0 */
#include "object/objects.h"
#include "object/endpoint.h"
#include "task/task.h"

#include "base/text.h"
#include "url/url.h"

#include <string.h>

#define HINT                                                                                       \
    "no cache is configured (cache.endpoint, FLAME_CACHE_ENDPOINT), and flamepy's default was "    \
    "tried; 'flame-devcache --port 9090' starts one to develop with"

struct flame_objects {
    struct flame *flame;
    const struct flame_context *context;
    char *origin;     /* "grpc://host:9090" */
    const char *hint; /* for the default endpoint, which nobody has named */
};

/* ---- opening --------------------------------------------------------------------------------- */

/* *said_by: who names the endpoint; NULL = the caller, or nobody. */
static const char *choose(const struct flame_context *context, const char *endpoint,
                          const char **said_by)
{
    struct flame_context_value value = FLAME_INIT(flame_context_value);

    *said_by = NULL;
    if (endpoint)
        return endpoint;
    if (context)
        flame_context_get(context, FLAME_CONTEXT_CACHE_ENDPOINT, &value);
    *said_by = value.source;
    return value.value ? value.value : FLAME_CONTEXT_DEFAULT_CACHE;
}

static int32_t open_at(struct flame_objects *objects, const char *endpoint, struct flame_error *err)
{
    const char *said_by;
    const char *chosen = choose(objects->context, endpoint, &said_by);

    if (!endpoint && !said_by)
        objects->hint = HINT;
    return sdk_endpoint_origin(chosen, said_by, &objects->origin, err);
}

int32_t flame_objects_open(struct flame *flame, const struct flame_context *context,
                           const char *endpoint, struct flame_objects **out,
                           struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct flame_objects *objects = calloc(1, sizeof(*objects));
    int32_t status = objects ? FLAME_OK : fl_fail_memory(&own);

    if (status == FLAME_OK) {
        objects->flame = flame;
        objects->context = context;
        status = open_at(objects, endpoint, &own);
    }
    if (status == FLAME_OK) {
        *out = objects;
        return FLAME_OK;
    }
    flame_objects_close(objects);
    fl_error_export(&own, err);
    return status;
}

void flame_objects_close(struct flame_objects *objects)
{
    if (!objects)
        return;
    free(objects->origin);
    free(objects);
}

const char *flame_objects_endpoint(const struct flame_objects *objects)
{
    return objects->origin;
}

const char *sdk_objects_hint(const struct flame_objects *objects)
{
    return objects->hint;
}

/* ---- one object ------------------------------------------------------------------------------ */

/* What all calls have in common. `doing` and `url` are the caller's to free. */
static struct sdk_call call_of(const struct flame_objects *objects, uint32_t verb,
                               const struct flame_task *task)
{
    return (struct sdk_call){.flame = objects->flame,
                             .context = objects->context,
                             .verb = verb,
                             .task = task,
                             .hint = objects->hint};
}

/* Do what `call` says with the object at an origin. */
static int32_t run_at(struct sdk_call *call, const char *origin, const struct fl_flight_key *key,
                      struct flame_result *result, struct flame_error *err)
{
    fl_auto_free char *url = sdk_endpoint_url(origin, key);

    if (!url || !call->doing)
        return fl_fail_memory(err);
    call->url = url;
    return sdk_call_run(call, result, err);
}

static int32_t upload(struct flame_objects *objects, const char *name,
                      const struct flame_task *task, struct flame_object_ref *out,
                      struct flame_error *err)
{
    struct sdk_call call = call_of(objects, FLAME_STORE, task);
    struct flame_result result = FLAME_INIT(flame_result);
    fl_auto_free char *doing = sdk_task_uploading(task, name ? name : "", objects->origin);
    struct fl_flight_key key;
    int32_t status = sdk_key_parse(name, FLAME_KEY_OBJECT | FLAME_KEY_SESSION, &key, err);

    call.doing = doing;
    if (status == FLAME_OK)
        status = run_at(&call, objects->origin, &key, &result, err);
    if (status == FLAME_OK && out)
        status = flame_object_ref_of(&result, out, err);
    flame_result_done(&result);
    return status;
}

int32_t flame_object_upload(struct flame_objects *objects, const char *key,
                            const struct flame_task *task, struct flame_object_ref *out,
                            struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    int32_t status = upload(objects, key, task, out, &own);

    if (status != FLAME_OK)
        fl_error_export(&own, err);
    return status;
}

static int32_t download(struct flame_objects *objects, const struct flame_object_ref *ref,
                        const struct flame_task *task, struct flame_result *result,
                        struct flame_error *err)
{
    struct sdk_call call = call_of(objects, FLAME_FETCH, task);
    fl_auto_free char *theirs = NULL;
    fl_auto_free char *doing = NULL;
    const char *origin = objects->origin;
    struct fl_flight_key key;
    int32_t status = sdk_key_parse(ref->key, FLAME_KEY_OBJECT, &key, err);

    if (status == FLAME_OK && ref->endpoint[0]) {
        status = sdk_endpoint_origin(ref->endpoint, "the reference", &theirs, err);
        origin = theirs;
        call.hint = NULL;
    }
    if (status != FLAME_OK)
        return status;
    doing = fl_format("cannot download '%s' from %s", key.text, origin);
    call.doing = doing;
    return run_at(&call, origin, &key, result, err);
}

int32_t flame_object_download(struct flame_objects *objects, const struct flame_object_ref *ref,
                              const struct flame_task *task, struct flame_result *result,
                              struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    int32_t status = download(objects, ref, task, result, &own);

    if (status >= FLAME_FIRST_FAILURE)
        fl_error_export(&own, err);
    return status;
}

/* ---- removing -------------------------------------------------------------------------------- */

static int32_t remove_key(struct flame_objects *objects, const char *name, uint32_t wanted,
                          const struct flame_task *task, struct flame_error *err)
{
    struct sdk_call call = call_of(objects, FLAME_REMOVE, task);
    struct flame_error own = FLAME_INIT(flame_error);
    fl_auto_free char *doing =
        fl_format("cannot remove '%s' from %s", name ? name : "", objects->origin);
    struct fl_flight_key key;
    int32_t status = sdk_key_parse(name, wanted, &key, &own);

    call.doing = doing;
    call.flags = wanted & FLAME_KEY_OBJECT ? 0 : FLAME_TASK_PREFIX;
    if (status == FLAME_OK)
        status = run_at(&call, objects->origin, &key, NULL, &own);
    if (status != FLAME_OK)
        fl_error_export(&own, err);
    return status;
}

int32_t flame_object_remove(struct flame_objects *objects, const char *key,
                            const struct flame_task *task, struct flame_error *err)
{
    return remove_key(objects, key, FLAME_KEY_OBJECT, task, err);
}

int32_t flame_object_remove_all(struct flame_objects *objects, const char *key,
                                const struct flame_task *task, struct flame_error *err)
{
    return remove_key(objects, key, FLAME_KEY_SESSION | FLAME_KEY_APPLICATION, task, err);
}

/* ---- listing --------------------------------------------------------------------------------- */

struct listing {
    flame_object_visit *visit;
    void *data;
    bool has_no_memory; /* an entry is missing */
};

static int32_t on_entry(void *data, const struct flame_result *entry)
{
    struct listing *listing = data;
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_key key;
    struct fl_url url;
    int32_t status = fl_url_parse(entry->url, 0, &url, NULL);
    bool is_object;

    listing->has_no_memory |= status == FLAME_ERR_NO_MEMORY;
    if (status != FLAME_OK)
        return listing->has_no_memory;
    is_object = fl_flight_key_decode(&key, url.path, FLAME_KEY_OBJECT, &fault);
    fl_url_done(&url);
    if (!is_object)
        return 0;
    return listing->visit(listing->data, key.text,
                          entry->flags & FLAME_RESULT_SIZE ? entry->size : UINT64_MAX);
}

/* For a listing, an application is named by itself. *name = NULL: everything. */
static int32_t folder_url(const struct flame_objects *objects, const char *name, char **out,
                          struct flame_error *err)
{
    uint32_t any = FLAME_KEY_OBJECT | FLAME_KEY_SESSION | FLAME_KEY_APPLICATION;
    struct fl_flight_key key = {.text = ""};
    int32_t status = name ? sdk_key_parse(name, any, &key, err) : FLAME_OK;

    if (status != FLAME_OK)
        return status;
    if (key.kind == FL_FLIGHT_KEY_APPLICATION)
        key.text[strlen(key.text) - strlen("/*")] = '\0';
    *out = sdk_endpoint_url(objects->origin, &key);
    return *out ? FLAME_OK : fl_fail_memory(err);
}

static int32_t list(struct flame_objects *objects, const char *name, const struct flame_task *task,
                    struct listing *listing, struct flame_error *err)
{
    struct sdk_call call = call_of(objects, FLAME_LIST, task);
    fl_auto_free char *url = NULL;
    fl_auto_free char *doing = name ? fl_format("cannot list '%s' of %s", name, objects->origin)
                                    : fl_format("cannot list %s", objects->origin);
    int32_t status = folder_url(objects, name, &url, err);

    if (status == FLAME_OK && !doing)
        status = fl_fail_memory(err);
    if (status != FLAME_OK)
        return status;
    call.url = url;
    call.doing = doing;
    call.entry = on_entry;
    call.entry_data = listing;
    status = sdk_call_run(&call, NULL, err);
    return listing->has_no_memory ? fl_fail_memory(err) : status;
}

int32_t flame_object_list(struct flame_objects *objects, const char *key,
                          const struct flame_task *task, flame_object_visit *visit, void *data,
                          struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct listing listing = {.visit = visit, .data = data};
    int32_t status = list(objects, key, task, &listing, &own);

    if (status != FLAME_OK)
        fl_error_export(&own, err);
    return status;
}
