/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "memory.h"
#include "report.h"
#include "settings.h"
#include "signals.h"

#include <flame/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define EXIT_NO_DESCRIPTOR 23

/* Where 0, 1 or 2 is closed, the next file opened would become it, and what is meant for the
 * terminal would be written into a download. They get a descriptor on which use fails. */
static bool occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

void cli_process_begin(void)
{
    if (!occupy_standard_streams())
        _exit(EXIT_NO_DESCRIPTOR);
    cli_memory_tune();
    (void)setvbuf(stderr, NULL, _IOLBF, 0);
}

/* Standard output belongs to the download when that goes there. */
static FILE *stream_for_events(const struct cli_args *args)
{
    const char *output = cli_value(args, CLI_OUTPUT);

    if (!cli_is_given(args, CLI_JSON))
        return NULL;
    return output && strcmp(output, "-") == 0 ? stderr : stdout;
}

static void warn(const struct cli_app *app)
{
    const struct cli_plan *plan = &app->plan;

    if (plan->is_insecure)
        cli_warn("--insecure: anybody on the way can read and change what is transferred");
    if (cli_is_given(&app->args, CLI_QUIET))
        return;
    if (plan->has_typed_secret)
        cli_warn("a secret on the command line can be seen by other users: put it into a file");
    if (plan->open_key)
        cli_warn("the private key can be read by other users");
}

static void choose_log(struct cli_app *app)
{
    uint32_t times = cli_times_given(&app->args, CLI_VERBOSE);

    if (times == 0)
        return;
    app->plan.config.log = cli_log;
    app->plan.config.log_level = FLAME_LOG_INFO + (times > 2 ? 2 : times - 1);
}

void cli_app_begin(struct cli_app *app)
{
    cli_events_open(&app->events, stream_for_events(&app->args));
}

int32_t cli_app_plan(struct cli_app *app, struct flame_error *err)
{
    int32_t status = cli_plan_make(&app->args, &app->plan, err);

    if (status != FLAME_OK)
        return status;
    warn(app);
    choose_log(app);
    return FLAME_OK;
}

int32_t cli_app_open(struct cli_app *app, struct flame_error *err)
{
    app->cancel = flame_cancel_new();
    if (!app->cancel)
        return cli_fail_memory(err);
    cli_signals_catch(app->cancel);
    return flame_open(&app->plan.config, &app->flame, err);
}

void cli_app_close(struct cli_app *app)
{
    flame_close(app->flame);
    flame_cancel_free(app->cancel);
    cli_settings_done(app);
    cli_plan_done(&app->plan);
}

int cli_app_flush(const struct cli_app *app, int exit_code)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_events nobody = {.out = NULL};
    bool failed = ferror(stdout) != 0;

    errno = 0;
    failed = fflush(stdout) != 0 || failed || app->events.is_incomplete;
    if (!failed && !app->events.had_no_memory)
        return exit_code;
    if (failed)
        (void)cli_fail(&err, FLAME_ERR_IO, "cannot write to standard output%s%s", errno ? ": " : "",
                       errno ? strerror(errno) : "");
    else
        (void)cli_fail_memory(&err);
    (void)cli_report(&nobody, NULL, &err);
    return exit_code ? exit_code : flame_exit_code(&err);
}
