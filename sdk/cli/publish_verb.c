/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance.h"
#include "package.h"
#include "progress.h"
#include "report.h"
#include "tell.h"
#include "told.h"

#include <flame/storage.h>

#include <string.h>

#define REMOVE_TRIES 3

int32_t sdk_publish_check(const struct sdk_app *sdk, struct flame_error *err)
{
    const char *when = cli_value(&sdk->app.args, CLI_OVERWRITE);

    if (sdk->app.args.word_count != 2)
        return cli_fail(err, FLAME_ERR_INVALID, "publish needs APP and FILE");
    if (when && strcmp(when, "verified") == 0)
        return cli_fail(err, FLAME_ERR_INVALID, "'publish' has no '--overwrite verified'");
    return FLAME_OK;
}

struct publication {
    struct cli_app *app;
    struct flame_storage *storage;
    struct sdk_package package;
    struct cli_progress progress;
};

static int32_t on_progress(void *data, const struct flame_progress *progress)
{
    struct publication *publication = data;

    cli_progress_update(&publication->progress, progress);
    return 0;
}

static void on_event(void *data, const struct flame_event *event)
{
    struct publication *publication = data;

    cli_tell(publication->app, event);
}

/* ---- what is there now ----------------------------------------------------------------------- */

static int32_t discard(void *data, const void *bytes, uint64_t size)
{
    (void)data;
    (void)bytes;
    (void)size;
    return 0;
}

/* Is what is there by this name what the name says? OK, DIGEST, or nobody knows. */
static int32_t look(const struct publication *publication)
{
    cli_auto_text char *digest = cli_format("sha256:%s", publication->package.hex);
    struct flame_task task = publication->app->plan.task;
    struct flame_error ignored = FLAME_INIT(flame_error);
    struct flame_result result = FLAME_INIT(flame_result);
    int32_t status;

    if (!digest)
        return FLAME_ERR_NO_MEMORY;
    task.flags = 0;
    task.cancel = publication->app->cancel;
    task.digest = digest;
    task.max_bytes = UINT64_MAX;
    task.write = discard;
    status = flame_storage_download(publication->storage, publication->package.name, &task, &result,
                                    &ignored);
    flame_result_done(&result);
    return status;
}

/* A connection that had died may have swallowed it. It can be said again: who removes what is not
 * there does no harm. */
static bool is_removed(const struct publication *publication)
{
    struct flame_error ignored = FLAME_INIT(flame_error);
    struct flame_task task = publication->app->plan.task;
    int32_t status = FLAME_ERR_UNKNOWN_OUTCOME;

    task.flags = 0;
    for (int i = 0; i < REMOVE_TRIES && status == FLAME_ERR_UNKNOWN_OUTCOME; i++)
        status =
            flame_storage_remove(publication->storage, publication->package.name, &task, &ignored);
    return status == FLAME_OK;
}

/* What has a name that is not true of it may not stay; but the file may have changed a moment too
 * late to do harm, or what is there may be from another time. */
static const char *take_back(const struct publication *publication)
{
    switch (look(publication)) {
    case FLAME_OK:
        return "what is stored is the file as it was";
    case FLAME_ERR_NOT_FOUND:
        return "nothing is stored";
    case FLAME_ERR_DIGEST:
        break;
    default:
        return "what is stored may be wrong";
    }
    return is_removed(publication) ? "what was stored is removed again" : "what is stored is wrong";
}

/* The SDK was given a descriptor, which has no name. */
static int32_t name_file(const struct sdk_package *package, struct flame_error *err)
{
    struct flame_error reason = *err;

    return cli_fail(err, reason.status, "'%s': %s", package->path, reason.message);
}

/* The upload says how it went; whether the file stayed as it was is for us to say as well. */
static int32_t judge(const struct publication *publication, int32_t status, struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);

    if (status == FLAME_OK)
        status = sdk_package_check(&publication->package, err);
    if (status != FLAME_ERR_CHANGED)
        return status;
    reason = *err;
    return cli_fail(err, status, "%s; %s", reason.message, take_back(publication));
}

static int32_t tell(struct publication *publication, const struct flame_result *result,
                    struct flame_error *err)
{
    const struct sdk_package *package = &publication->package;
    cli_auto_text char *digest = cli_format("sha256:%s", package->hex);
    cli_auto_text char *url = cli_format("%s#sha256=%s", result->url, package->hex);
    cli_auto_text char *safe = url ? cli_escaped(url) : NULL;
    struct sdk_published published = {.url = url,
                                      .digest = digest,
                                      .name = package->name,
                                      .size = (uint64_t)package->facts.st_size};

    if (!digest || !safe)
        return cli_fail_memory(err);
    if (publication->app->events.out)
        sdk_event_published(&publication->app->events, &published);
    else
        (void)puts(safe);
    return FLAME_OK;
}

/* ---- storing it ------------------------------------------------------------------------------ */

static void fill_task(struct publication *publication, struct flame_task *task)
{
    task->flags &= ~FLAME_TASK_REPLACE; /* which is how a store is done anyhow */
    task->flags |= FLAME_TASK_FD;
    task->fd = publication->package.fd;
    task->data = publication;
    task->progress = publication->progress.kind == CLI_PROGRESS_NONE ? NULL : on_progress;
    task->event = on_event;
}

static int32_t store(struct sdk_app *sdk, struct publication *publication, const char *shown,
                     struct flame_error *err)
{
    const struct sdk_package *package = &publication->package;
    struct cli_subject subject = {.url = shown, .path = package->path};
    struct flame_result result = FLAME_INIT(flame_result);
    struct flame_task task = sdk_task(sdk);
    int32_t status;

    fill_task(publication, &task);
    cli_event_start(&sdk->app.events, &subject);
    cli_progress_begin(&publication->progress, shown);
    status = flame_storage_upload(publication->storage, package->name, &task, &result, err);
    cli_progress_end(&publication->progress, status == FLAME_OK);
    if (status != FLAME_OK)
        status = name_file(package, err);
    status = judge(publication, status, err);
    if (status == FLAME_OK)
        status = tell(publication, &result, err);
    flame_result_done(&result);
    return status;
}

static int32_t publish(struct sdk_app *sdk, struct publication *publication,
                       struct flame_error *err)
{
    const struct cli_list *words = &sdk->app.plan.words;
    const char *base = sdk->line.own[SDK_STORAGE];
    cli_auto_text char *place = NULL;
    cli_auto_text char *shown = NULL;
    int32_t status;

    if (!base)
        base = flame_context_text(sdk->context, FLAME_CONTEXT_PACKAGE_STORAGE);
    status = flame_storage_open(sdk->app.flame, sdk->context, base, words->items[0],
                                &publication->storage, err);
    if (status == FLAME_OK)
        status = sdk_package_open(words->items[0], words->items[1], &publication->package, err);
    if (status != FLAME_OK)
        return status;
    place = cli_format("%s%s", flame_storage_url(publication->storage), publication->package.name);
    shown = place ? cli_escaped(place) : NULL;
    return shown ? store(sdk, publication, shown, err) : cli_fail_memory(err);
}

int sdk_publish_verb(struct sdk_app *sdk)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct publication publication = {
        .app = &sdk->app, .package = {.fd = -1}, .progress = cli_progress_for(&sdk->app)};
    int32_t status = sdk_open_context(sdk, &err);

    cli_turn_to(&sdk->app, 1);
    if (status == FLAME_OK)
        status = sdk_open_library(sdk, &err);
    if (status == FLAME_OK)
        status = publish(sdk, &publication, &err);
    sdk_package_done(&publication.package);
    flame_storage_close(publication.storage);
    return status == FLAME_OK ? 0 : cli_report(&sdk->app.events, NULL, &err);
}
