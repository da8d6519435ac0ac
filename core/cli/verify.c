/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "location.h"
#include "report.h"

int32_t cli_verify_check(const struct cli_args *args, struct flame_error *err)
{
    if (args->word_count != 1)
        return cli_fail(err, FLAME_ERR_INVALID, "verify needs one file");
    if (!cli_is_given(args, CLI_CHECKSUM))
        return cli_fail(err, FLAME_ERR_INVALID, "verify needs '--checksum'");
    return FLAME_OK;
}

static int32_t discard(void *data, const void *bytes, uint64_t size)
{
    (void)data;
    (void)bytes;
    (void)size;
    return 0;
}

/* A download of the file to nowhere, so that one code path judges all digests. */
static int32_t verify(struct cli_app *app, const struct cli_subject *subject,
                      struct flame_error *err)
{
    struct flame_task task = app->plan.task;
    struct flame_result result = FLAME_INIT(flame_result);
    cli_auto_text char *url = NULL;
    int32_t status = cli_file_url(subject->path, &url, err);

    if (status != FLAME_OK)
        return status;
    task.url = url;
    task.write = discard;
    task.max_bytes = UINT64_MAX;
    task.cancel = app->cancel;
    cli_event_start(&app->events, subject);
    status = flame_run(app->flame, FLAME_FETCH, &task, &result, err);
    if (status == FLAME_OK)
        cli_event_done(&app->events, subject, &result);
    flame_result_done(&result);
    err->url[0] = '\0';
    return status;
}

int cli_verify(struct cli_app *app)
{
    struct flame_error err = FLAME_INIT(flame_error);
    const char *path = app->plan.words.items[0];
    cli_auto_text char *shown = cli_escaped(path);
    struct cli_subject subject = {.url = shown, .path = path};
    int32_t status = shown ? FLAME_OK : cli_fail_memory(&err);

    app->events.id = 1;
    if (status == FLAME_OK)
        status = verify(app, &subject, &err);
    return status == FLAME_OK ? 0 : cli_report(&app->events, shown, &err);
}
