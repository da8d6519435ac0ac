/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "location.h"
#include "report.h"
#include "tell.h"

int32_t cli_rm_check(const struct cli_args *args, struct flame_error *err)
{
    int32_t status = cli_check_urls(args, err);

    if (status == FLAME_OK)
        status = cli_check_for_one(args, CLI_ETAG, err);
    if (status == FLAME_OK && cli_is_given(args, CLI_ETAG) && cli_is_given(args, CLI_RECURSIVE))
        status = cli_fail(err, FLAME_ERR_INVALID,
                          "options '--etag' and '--recursive' exclude each other");
    return status;
}

static void on_event(void *data, const struct flame_event *event)
{
    cli_tell(data, event);
}

static int32_t remove_url(struct cli_app *app, const char *url, const char *shown,
                          struct flame_error *err)
{
    struct cli_subject subject = {.url = shown};
    struct flame_task task = app->plan.task;
    struct flame_result result = FLAME_INIT(flame_result);
    int32_t status;

    task.url = url;
    task.cancel = app->cancel;
    task.data = app;
    task.event = on_event;
    status = flame_run(app->flame, FLAME_REMOVE, &task, &result, err);
    if (status == FLAME_OK) {
        cli_event_removed(&app->events, &subject, &result);
        cli_say(app, "%s: removed", shown);
    }
    flame_result_done(&result);
    return status;
}

static int remove_one(struct cli_app *app, const char *url)
{
    struct flame_error err = FLAME_INIT(flame_error);
    cli_auto_text char *shown = cli_shown_url(url);
    int32_t status = shown ? remove_url(app, url, shown, &err) : cli_fail_memory(&err);

    return status == FLAME_OK ? 0 : cli_report(&app->events, shown, &err);
}

int cli_rm(struct cli_app *app)
{
    return cli_for_each_url(app, remove_one);
}
