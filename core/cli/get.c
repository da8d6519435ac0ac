/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "location.h"
#include "progress.h"
#include "report.h"

#include <string.h>
#include <unistd.h>

/* One url on its way to its place. */
struct download {
    struct cli_app *app;
    struct cli_progress progress;
    struct cli_subject subject;
};

static bool is_to_stdout(const struct cli_args *args)
{
    const char *output = cli_value(args, CLI_OUTPUT);

    return output && strcmp(output, "-") == 0;
}

int32_t cli_get_check(const struct cli_args *args, struct flame_error *err)
{
    bool has_output = cli_is_given(args, CLI_OUTPUT);

    if (args->word_count == 0)
        return cli_fail(err, FLAME_ERR_INVALID, "no url (try --help)");
    if (has_output && cli_is_given(args, CLI_REMOTE_NAME))
        return cli_fail(err, FLAME_ERR_INVALID,
                        "options '--output' and '--remote-name' exclude each other");
    if (is_to_stdout(args) && cli_is_given(args, CLI_OUTPUT_DIR))
        return cli_fail(err, FLAME_ERR_INVALID,
                        "standard output is in no directory: '--output-dir' makes no sense");
    if (args->word_count > 1 && has_output)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--output' is for one url only");
    if (args->word_count > 1 && cli_is_given(args, CLI_CHECKSUM))
        return cli_fail(err, FLAME_ERR_INVALID, "option '--checksum' is for one url only");
    return FLAME_OK;
}

/* ---- where it goes --------------------------------------------------------------------------- */

static int32_t choose_path(const struct cli_args *args, const char *url, char **out,
                           struct flame_error *err)
{
    const char *output = cli_value(args, CLI_OUTPUT);
    const char *dir = cli_value(args, CLI_OUTPUT_DIR);
    cli_auto_text char *own_name = NULL;
    int32_t status = output ? FLAME_OK : cli_name_of_url(url, &own_name, err);
    char *path;

    if (status != FLAME_OK)
        return status;
    path = dir ? cli_format("%s/%s", dir, output ? output : own_name)
               : cli_format("%s", output ? output : own_name);
    if (!path)
        return cli_fail_memory(err);
    *out = path;
    return FLAME_OK;
}

/* A url without a usable name may be no url at all, which is the better answer. An empty
 * destination is refused after the url was understood and before anybody is asked for it. */
static int32_t explain_no_name(struct cli_app *app, const char *url, struct flame_error *err)
{
    struct flame_task task = app->plan.task;
    struct flame_error found = FLAME_INIT(flame_error);
    int32_t status;

    task.url = url;
    task.path = "";
    status = flame_run(app->flame, FLAME_FETCH, &task, NULL, &found);
    if (status == FLAME_ERR_INVALID_URL || status == FLAME_ERR_UNSUPPORTED)
        *err = found;
    return err->status;
}

/* ---- what is told on the way ----------------------------------------------------------------- */

static int32_t on_progress(void *data, const struct flame_progress *progress)
{
    struct download *download = data;

    cli_progress_update(&download->progress, progress);
    return 0;
}

static void on_event(void *data, const struct flame_event *event)
{
    struct download *download = data;

    if (event->kind == FLAME_EVENT_REDIRECT)
        cli_event_redirect(&download->app->events, event->from, event->to);
}

static enum cli_progress_kind kind_named(const char *name)
{
    if (strcmp(name, "bar") == 0)
        return CLI_PROGRESS_BAR;
    if (strcmp(name, "line") == 0)
        return CLI_PROGRESS_LINE;
    return strcmp(name, "json") == 0 ? CLI_PROGRESS_EVENTS : CLI_PROGRESS_NONE;
}

static enum cli_progress_kind choose_progress(const struct cli_app *app)
{
    const struct cli_args *args = &app->args;
    const char *wanted = cli_value(args, CLI_PROGRESS);
    bool is_shared =
        cli_is_given(args, CLI_VERBOSE) || (is_to_stdout(args) && isatty(STDOUT_FILENO));

    if (cli_is_given(args, CLI_QUIET))
        return CLI_PROGRESS_NONE;
    if (wanted)
        return kind_named(wanted);
    if (cli_is_given(args, CLI_JSON))
        return CLI_PROGRESS_EVENTS;
    return isatty(STDERR_FILENO) && !is_shared ? CLI_PROGRESS_BAR : CLI_PROGRESS_NONE;
}

/* ---- doing it -------------------------------------------------------------------------------- */

static int32_t run(struct download *download, const char *url, struct flame_error *err)
{
    struct cli_app *app = download->app;
    struct flame_task task = app->plan.task;
    struct flame_result result = FLAME_INIT(flame_result);
    int32_t status;

    task.url = url;
    task.cancel = app->cancel;
    task.data = download;
    task.progress = download->progress.kind == CLI_PROGRESS_NONE ? NULL : on_progress;
    task.event = on_event;
    if (is_to_stdout(&app->args)) {
        task.fd = STDOUT_FILENO;
        task.flags |= FLAME_TASK_FD;
    } else {
        task.path = download->subject.path;
    }
    cli_event_start(&app->events, &download->subject);
    cli_progress_begin(&download->progress, download->subject.url);
    status = flame_run(app->flame, FLAME_FETCH, &task, &result, err);
    cli_progress_end(&download->progress, status == FLAME_OK);
    if (status == FLAME_OK)
        cli_event_done(&app->events, &download->subject, &result);
    flame_result_done(&result);
    return status;
}

static int get_one(struct cli_app *app, const char *url)
{
    struct flame_error err = FLAME_INIT(flame_error);
    cli_auto_text char *shown = cli_shown_url(url);
    cli_auto_text char *path = NULL;
    struct cli_events on_stderr;
    struct download download = {
        .app = app,
        .progress = {.kind = choose_progress(app), .out = stderr, .events = &app->events},
    };
    int32_t status = shown ? choose_path(&app->args, url, &path, &err) : cli_fail_memory(&err);

    if (status == FLAME_ERR_UNSAFE_NAME)
        status = explain_no_name(app, url, &err);
    if (!app->events.out) {
        cli_events_open(&on_stderr, stderr);
        on_stderr.id = app->events.id;
        download.progress.events = &on_stderr;
    }
    download.subject = (struct cli_subject){.url = shown, .path = path};
    if (status == FLAME_OK)
        status = run(&download, url, &err);
    return status == FLAME_OK ? 0 : cli_report(&app->events, shown, &err);
}

int cli_get(struct cli_app *app)
{
    return cli_for_each_url(app, get_one);
}
