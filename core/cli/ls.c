/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "location.h"
#include "report.h"
#include "settings.h"
#include "tell.h"

#include <inttypes.h>
#include <string.h>

#define SIZE_COLUMNS 12
#define TIME_COLUMNS 30 /* with nanoseconds */

int32_t cli_ls_check(const struct cli_args *args, struct flame_error *err)
{
    int32_t status = cli_check_urls(args, err);

    return status == FLAME_OK ? cli_check_for_one(args, CLI_CURSOR, err) : status;
}

struct listing {
    struct cli_app *app;
    const char *url; /* as the user wrote it */
    uint64_t entries;
    struct flame_error err; /* an entry could not be shown */
};

static void on_event(void *data, const struct flame_event *event)
{
    struct listing *listing = data;

    cli_tell(listing->app, event);
}

/* "5  2001-09-09T01:46:40Z  name", with "-" for what is not known. */
static int32_t print_entry(const char *name, const struct flame_result *entry,
                           struct flame_error *err)
{
    bool has_time = (entry->flags & FLAME_RESULT_MTIME) != 0;
    cli_auto_text char *time = has_time ? cli_time_text(entry->mtime_ns) : cli_format("-");
    cli_auto_text char *safe = cli_escaped(name);

    if (!time || !safe)
        return cli_fail_memory(err);
    if (entry->flags & FLAME_RESULT_SIZE)
        (void)printf("%*" PRIu64, SIZE_COLUMNS, entry->size);
    else
        (void)printf("%*s", SIZE_COLUMNS, "-");
    (void)printf("  %-*s  %s\n", TIME_COLUMNS, time, safe);
    return FLAME_OK;
}

static int32_t show(void *data, const struct flame_result *entry)
{
    struct listing *listing = data;
    struct cli_events *events = &listing->app->events;
    cli_auto_text char *name = cli_name_in_list(listing->url, entry->url);

    listing->entries++;
    if (!name)
        return cli_fail_memory(&listing->err);
    if (!events->out)
        return print_entry(name, entry, &listing->err);
    cli_event_entry(events, name, entry);
    return 0;
}

/* How to go on. Not on standard output, where a name is expected in each line. */
static void hint_at_cursor(const struct listing *listing, const struct flame_result *result)
{
    cli_auto_text char *safe = result->cursor ? cli_escaped(result->cursor) : NULL;

    if (safe && !listing->app->events.out && !cli_is_given(&listing->app->args, CLI_QUIET))
        cli_hint("there is more: go on with --cursor '%s'", safe);
}

static int32_t list(struct listing *listing, const char *shown, struct flame_error *err)
{
    struct cli_app *app = listing->app;
    struct cli_subject subject = {.url = shown};
    struct flame_task task;
    struct flame_result result = FLAME_INIT(flame_result);
    int32_t status = cli_task_for(app, listing->url, &task, err);

    if (status != FLAME_OK)
        return status;
    task.data = listing;
    task.event = on_event;
    task.entry = show;
    status = flame_run(app->flame, FLAME_LIST, &task, &result, err);
    if (status == FLAME_OK && listing->err.status != FLAME_OK) {
        *err = listing->err;
        status = err->status;
    }
    if (status == FLAME_OK) {
        cli_event_listed(&app->events, &subject, &result, listing->entries);
        hint_at_cursor(listing, &result);
    }
    flame_result_done(&result);
    return status;
}

static int list_one(struct cli_app *app, const char *url, const void *data)
{
    struct flame_error err = FLAME_INIT(flame_error);
    cli_auto_text char *shown = cli_shown_url(url);
    struct listing listing = {.app = app, .url = url, .err = FLAME_INIT(flame_error)};
    int32_t status = shown ? FLAME_OK : cli_fail_memory(&err);

    (void)data;
    if (status == FLAME_OK && app->plan.words.count > 1 && !app->events.out)
        (void)printf("%s%s:\n", app->events.id > 1 ? "\n" : "", shown);
    if (status == FLAME_OK)
        status = list(&listing, shown, &err);
    return status == FLAME_OK ? 0 : cli_report(&app->events, shown, &err);
}

int cli_ls(struct cli_app *app)
{
    return cli_for_each_url(app, list_one, NULL);
}
