/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "location.h"
#include "report.h"
#include "tell.h"

#include <flame/plugin.h>

#include <inttypes.h>

int32_t cli_stat_check(const struct cli_args *args, struct flame_error *err)
{
    int32_t status = cli_check_urls(args, err);

    return status == FLAME_OK ? cli_check_for_one(args, CLI_ETAG, err) : status;
}

static void on_event(void *data, const struct flame_event *event)
{
    cli_tell(data, event);
}

static int32_t print_line(const char *name, const char *value, struct flame_error *err)
{
    cli_auto_text char *safe = value ? cli_escaped(value) : NULL;

    if (value && !safe)
        return cli_fail_memory(err);
    if (value)
        (void)printf("%-10s %s\n", name, safe);
    return FLAME_OK;
}

/* Only what is known. */
static int32_t print_facts(const struct flame_result *result, struct flame_error *err)
{
    cli_auto_text char *time =
        result->flags & FLAME_RESULT_MTIME ? cli_time_text(result->mtime_ns) : NULL;
    bool has_time = !(result->flags & FLAME_RESULT_MTIME) || time; /* every such time has a text */
    int32_t status = has_time ? print_line("url", result->url, err) : cli_fail_memory(err);

    if (status == FLAME_OK && (result->flags & FLAME_RESULT_SIZE))
        (void)printf("%-10s %" PRIu64 "\n", "size", result->size);
    if (status == FLAME_OK)
        status = print_line("mtime", time, err);
    if (status == FLAME_OK)
        status = print_line(result->flags & FLAME_RESULT_STRONG ? "validator" : "weak",
                            result->validator, err);
    if (status == FLAME_OK)
        status = print_line("type", cli_metadata(result, FLAME_META_CONTENT_TYPE), err);
    return status == FLAME_OK ? print_line("plugin", result->plugin, err) : status;
}

static int32_t tell_facts(struct cli_app *app, const struct cli_subject *subject,
                          const struct flame_result *result, struct flame_error *err)
{
    if (!app->events.out)
        return print_facts(result, err);
    cli_event_stat(&app->events, subject, result);
    return FLAME_OK;
}

static int32_t stat_url(struct cli_app *app, const char *url, const char *shown,
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
    status = flame_run(app->flame, FLAME_STAT, &task, &result, err);
    if (status == FLAME_OK)
        status = tell_facts(app, &subject, &result, err);
    if (status == FLAME_NOT_MODIFIED) {
        cli_event_not_modified(&app->events, &subject, &result);
        cli_say(app, "%s: not modified", shown);
    }
    flame_result_done(&result);
    return status;
}

static int stat_one(struct cli_app *app, const char *url)
{
    struct flame_error err = FLAME_INIT(flame_error);
    cli_auto_text char *shown = cli_shown_url(url);
    int32_t status = shown ? FLAME_OK : cli_fail_memory(&err);

    if (status == FLAME_OK && app->events.id > 1 && !app->events.out)
        (void)putchar('\n');
    if (status == FLAME_OK)
        status = stat_url(app, url, shown, &err);
    return status < FLAME_FIRST_FAILURE ? 0 : cli_report(&app->events, shown, &err);
}

int cli_stat(struct cli_app *app)
{
    return cli_for_each_url(app, stat_one);
}
