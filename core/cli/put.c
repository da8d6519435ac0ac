/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "location.h"
#include "progress.h"
#include "report.h"
#include "settings.h"
#include "tell.h"

#include <string.h>
#include <unistd.h>

int32_t cli_put_check(const struct cli_args *args, struct flame_error *err)
{
    const char *when = cli_value(args, CLI_OVERWRITE);

    if (args->word_count != 2)
        return cli_fail(err, FLAME_ERR_INVALID, "put needs FILE and URL");
    if (when && strcmp(when, "verified") == 0)
        return cli_fail(err, FLAME_ERR_INVALID, "'put' has no '--overwrite verified'");
    if (when && strcmp(when, "never") == 0 && cli_is_given(args, CLI_ETAG))
        return cli_fail(err, FLAME_ERR_INVALID,
                        "options '--etag' and '--overwrite never' exclude each other");
    return FLAME_OK;
}

struct upload {
    struct cli_app *app;
    struct cli_progress progress;
    struct cli_subject subject;
};

static int32_t on_progress(void *data, const struct flame_progress *progress)
{
    struct upload *upload = data;

    cli_progress_update(&upload->progress, progress);
    return 0;
}

static void on_event(void *data, const struct flame_event *event)
{
    struct upload *upload = data;

    cli_tell(upload->app, event);
}

static void fill_task(struct upload *upload, struct flame_task *task)
{
    task->flags &= ~FLAME_TASK_REPLACE; /* which is how a store is done anyhow */
    task->data = upload;
    task->progress = upload->progress.kind == CLI_PROGRESS_NONE ? NULL : on_progress;
    task->event = on_event;
    if (strcmp(upload->subject.path, "-") == 0) {
        task->fd = STDIN_FILENO;
        task->flags |= FLAME_TASK_FD;
    } else {
        task->path = upload->subject.path;
    }
}

static int32_t store(struct upload *upload, const char *url, struct flame_error *err)
{
    struct cli_app *app = upload->app;
    struct flame_task task;
    struct flame_result result = FLAME_INIT(flame_result);
    int32_t status = cli_task_for(app, url, &task, err);

    if (status != FLAME_OK)
        return status;
    fill_task(upload, &task);
    cli_event_start(&app->events, &upload->subject);
    cli_progress_begin(&upload->progress, upload->subject.url);
    status = flame_run(app->flame, FLAME_STORE, &task, &result, err);
    cli_progress_end(&upload->progress, status == FLAME_OK);
    if (status == FLAME_OK) {
        cli_event_stored(&app->events, &upload->subject, &result);
        cli_say(app, "%s: stored", upload->subject.url);
    }
    flame_result_done(&result);
    return status;
}

int cli_put(struct cli_app *app)
{
    struct flame_error err = FLAME_INIT(flame_error);
    const char *url = app->plan.words.items[1];
    cli_auto_text char *shown = cli_shown_url(url);
    struct upload upload = {
        .app = app,
        .progress = cli_progress_for(app),
        .subject = {.url = shown, .path = app->plan.words.items[0]},
    };
    int32_t status;

    cli_turn_to(app, 1);
    status = shown ? store(&upload, url, &err) : cli_fail_memory(&err);
    return status == FLAME_OK ? 0 : cli_report(&app->events, shown, &err);
}
