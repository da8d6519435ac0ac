/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "help.h"
#include "memory.h"
#include "report.h"
#include "signals.h"

#include <flame/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define EXIT_NO_DESCRIPTOR 23

struct verb {
    int (*run)(struct cli_app *app);
    int32_t (*check)(const struct cli_args *args, struct flame_error *err);
};

static const struct verb verbs[CLI_VERB_COUNT] = {
    [CLI_GET] = {cli_get, cli_get_check},
    [CLI_PUT] = {cli_put, cli_put_check},
    [CLI_RM] = {cli_rm, cli_rm_check},
    [CLI_STAT] = {cli_stat, cli_stat_check},
    [CLI_LS] = {cli_ls, cli_ls_check},
    [CLI_VERIFY] = {cli_verify, cli_verify_check},
    [CLI_CLEAN] = {cli_clean, cli_clean_check},
    [CLI_PLUGINS] = {cli_plugins, cli_no_words_check},
    [CLI_CONFIG] = {cli_config, cli_no_words_check},
};

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

/* Everything up to the verb. */
static int32_t prepare(struct cli_app *app, struct flame_error *err)
{
    int32_t status = verbs[app->args.verb].check(&app->args, err);

    if (status == FLAME_OK)
        status = cli_plan_make(&app->args, &app->plan, err);
    if (status != FLAME_OK)
        return status;
    warn(app);
    choose_log(app);
    app->cancel = flame_cancel_new();
    if (!app->cancel)
        return cli_fail_memory(err);
    cli_signals_catch(app->cancel);
    return flame_open(&app->plan.config, &app->flame, err);
}

static int run(struct cli_app *app)
{
    struct flame_error err = FLAME_INIT(flame_error);
    int exit_code;

    cli_events_open(&app->events, stream_for_events(&app->args));
    if (prepare(app, &err) == FLAME_OK)
        exit_code = verbs[app->args.verb].run(app);
    else
        exit_code = cli_report(&app->events, NULL, &err);
    flame_close(app->flame);
    flame_cancel_free(app->cancel);
    cli_plan_done(&app->plan);
    return exit_code;
}

/* What was said counts only when it has arrived. */
static int flush(const struct cli_app *app, int exit_code)
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

static int help_or_run(struct cli_app *app)
{
    if (cli_is_given(&app->args, CLI_HELP))
        cli_help_print(stdout, &app->args);
    else if (cli_is_given(&app->args, CLI_VERSION))
        (void)printf("flame-fetch %s\n", FLAME_VERSION);
    else
        return run(app);
    return 0;
}

int main(int argc, char **argv)
{
    struct cli_app app = {.flame = NULL};
    struct flame_error err = FLAME_INIT(flame_error);
    int exit_code;

    if (!occupy_standard_streams())
        return EXIT_NO_DESCRIPTOR;
    cli_memory_tune();
    (void)setvbuf(stderr, NULL, _IOLBF, 0);
    if (cli_args_parse(argc, argv, &app.args, &err) == FLAME_OK)
        exit_code = help_or_run(&app);
    else
        exit_code = cli_report(&app.events, NULL, &err);
    exit_code = flush(&app, exit_code);
    cli_args_done(&app.args);
    return exit_code;
}
