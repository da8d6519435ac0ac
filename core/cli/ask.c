/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include "location.h"
#include "report.h"
#include "settings.h"
#include "tell.h"

static void on_event(void *data, const struct flame_event *event)
{
    cli_tell(data, event);
}

static int32_t ask(struct cli_app *app, const struct cli_question *question, const char *url,
                   const char *shown, struct flame_error *err)
{
    struct cli_subject subject = {.url = shown};
    struct flame_task task;
    struct flame_result result = FLAME_INIT(flame_result);
    int32_t status = cli_task_for(app, url, &task, err);

    if (status != FLAME_OK)
        return status;
    task.data = app;
    task.event = on_event;
    status = flame_run(app->flame, question->verb, &task, &result, err);
    if (status < FLAME_FIRST_FAILURE)
        status = question->tell(app, &subject, status, &result, err);
    flame_result_done(&result);
    return status;
}

static int ask_one(struct cli_app *app, const char *url, const void *data)
{
    struct flame_error err = FLAME_INIT(flame_error);
    cli_auto_text char *shown = cli_shown_url(url);
    int32_t status = shown ? ask(app, data, url, shown, &err) : cli_fail_memory(&err);

    return status < FLAME_FIRST_FAILURE ? 0 : cli_report(&app->events, shown, &err);
}

int cli_ask_each_url(struct cli_app *app, const struct cli_question *question)
{
    return cli_for_each_url(app, ask_one, question);
}
