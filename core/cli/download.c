/* SPDX-License-Identifier: Apache-2.0 */
#include "download.h"

#include "location.h"
#include "report.h"
#include "settings.h"
#include "tell.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- where it goes --------------------------------------------------------------------------- */

/* The parts of a path, each but the last may be NULL. */
static char *join_path(const char *dir, const char *below, const char *name)
{
    return cli_format("%s%s%s%s%s", dir ? dir : "", dir ? "/" : "", below ? below : "",
                      below ? "/" : "", name);
}

static int32_t choose_path(struct cli_download *download, struct flame_error *err)
{
    const struct cli_args *args = &download->app->args;
    const struct cli_item *item = download->item;
    const char *output = cli_value(args, CLI_OUTPUT);
    cli_auto_text char *own_name = NULL;
    int32_t status = FLAME_OK;

    if (!output)
        output = item->out;
    if (!output)
        status = cli_name_of_url(item->url, &own_name, err);
    if (status != FLAME_OK)
        return status;
    download->path =
        join_path(cli_value(args, CLI_OUTPUT_DIR), item->dir, output ? output : own_name);
    return download->path ? FLAME_OK : cli_fail_memory(err);
}

/* A url without a usable name may be no url at all, which is the better answer. An empty
 * destination is refused after the url was understood and before anybody is asked for it. */
static int32_t explain_no_name(const struct cli_download *download, struct flame_error *err)
{
    struct flame_task task = download->app->plan.task;
    struct flame_error found = FLAME_INIT(flame_error);
    int32_t status;

    task.url = download->item->url;
    task.path = "";
    status = flame_run(download->app->flame, FLAME_FETCH, &task, NULL, &found);
    if (status == FLAME_ERR_INVALID_URL || status == FLAME_ERR_UNSUPPORTED)
        *err = found;
    return err->status;
}

/* ---- what is told on the way ----------------------------------------------------------------- */

static int32_t on_progress(void *data, const struct flame_progress *progress)
{
    struct cli_download *download = data;
    struct flame_progress before = download->progress.last;

    cli_turn_to(download->app, download->id);
    cli_progress_update(&download->progress, progress);
    if (download->overview)
        cli_overview_update(download->overview, &before, progress);
    return 0;
}

static void on_event(void *data, const struct flame_event *event)
{
    struct cli_download *download = data;

    cli_turn_to(download->app, download->id);
    if (download->overview)
        cli_overview_clear(download->overview);
    cli_tell(download->app, event);
}

static int32_t on_verify(void *data, int32_t fd, uint64_t size, struct flame_error *err)
{
    struct cli_download *download = data;

    return cli_trust_judge(download->trust, fd, size, err);
}

/* ---- its course ------------------------------------------------------------------------------ */

static void fill_task(struct cli_download *download, struct flame_task *task)
{
    struct cli_app *app = download->app;
    const struct cli_item *item = download->item;

    if (item->mirrors.count > 0)
        task->mirrors = cli_list_get(&item->mirrors);
    if (item->digest)
        task->digest = item->digest;
    task->data = download;
    task->progress = on_progress;
    task->event = on_event;
    task->verify = download->trust ? on_verify : NULL;
    if (download->progress.kind == CLI_PROGRESS_NONE &&
        (!download->overview || download->overview->kind == CLI_PROGRESS_NONE))
        task->progress = NULL;
    if (cli_is_to_stdout(&app->args)) {
        task->fd = STDOUT_FILENO;
        task->flags |= FLAME_TASK_FD;
    } else {
        task->path = download->path;
    }
}

int32_t cli_download_begin(struct cli_download *download, struct flame_task *task,
                           struct flame_error *err)
{
    int32_t status = FLAME_OK;

    cli_turn_to(download->app, download->id);
    download->shown = cli_shown_url(download->item->url);
    status = download->shown ? choose_path(download, err) : cli_fail_memory(err);
    if (status == FLAME_ERR_UNSAFE_NAME)
        status = explain_no_name(download, err);
    if (status == FLAME_OK && download->app->plan.signature)
        status = cli_trust_open(download->app, download->item->url, &download->trust, err);
    if (status == FLAME_OK)
        status = cli_task_for(download->app, download->item->url, task, err);
    if (status != FLAME_OK)
        return status;
    download->subject = (struct cli_subject){.url = download->shown, .path = download->path};
    fill_task(download, task);
    cli_event_start(&download->app->events, &download->subject);
    cli_progress_begin(&download->progress, download->shown);
    return FLAME_OK;
}

static void tell_good_end(const struct cli_download *download, int32_t status,
                          const struct flame_result *result)
{
    struct cli_app *app = download->app;

    if (status == FLAME_NOT_MODIFIED) {
        cli_event_not_modified(&app->events, &download->subject, result);
        cli_say(app, "%s: not modified", download->shown);
    } else {
        cli_event_done(&app->events, &download->subject, result);
    }
}

void cli_download_ended(struct cli_download *download, int32_t status,
                        const struct flame_result *result, const struct flame_error *err)
{
    struct cli_app *app = download->app;

    cli_turn_to(app, download->id);
    cli_progress_end(&download->progress, status == FLAME_OK);
    if (download->overview)
        cli_overview_clear(download->overview);
    if (status < FLAME_FIRST_FAILURE) {
        tell_good_end(download, status, result);
    } else {
        download->exit_code = cli_report(&app->events, download->shown, err);
        app->has_partial |= status == FLAME_ERR_CANCELLED && (err->flags & FLAME_ERROR_RESUMABLE);
    }
    if (download->overview)
        cli_overview_ended(download->overview);
}

void cli_download_done(struct cli_download *download)
{
    free(download->shown);
    free(download->path);
    free(download->trust);
    download->shown = download->path = NULL;
    download->trust = NULL;
}
