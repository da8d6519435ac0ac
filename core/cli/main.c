/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "help.h"
#include "helper.h"
#include "report.h"

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

/* Everything up to the verb. */
static int32_t prepare(struct cli_app *app, struct flame_error *err)
{
    int32_t status = verbs[app->args.verb].check(&app->args, err);

    if (status == FLAME_OK)
        status = cli_app_plan(app, err);
    return status == FLAME_OK ? cli_app_open(app, err) : status;
}

static int run(struct cli_app *app)
{
    struct flame_error err = FLAME_INIT(flame_error);
    int exit_code;

    cli_app_begin(app);
    if (prepare(app, &err) == FLAME_OK)
        exit_code = verbs[app->args.verb].run(app);
    else
        exit_code = cli_report(&app->events, NULL, &err);
    cli_app_close(app);
    return exit_code;
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

/* The helper understands the whole command line, for it has options of its own. */
static int become_helper(struct cli_app *app, char **argv)
{
    struct flame_error err = FLAME_INIT(flame_error);

    (void)cli_helper_become(cli_verbs[app->args.verb].name, argv, &err);
    return cli_report(&app->events, NULL, &err);
}

int main(int argc, char **argv)
{
    struct cli_app app = {.flame = NULL};
    struct flame_error err = FLAME_INIT(flame_error);
    int exit_code;

    cli_process_begin();
    if (cli_args_parse(argc, argv, &app.args, &err) != FLAME_OK)
        exit_code = cli_report(&app.events, NULL, &err);
    else if (cli_is_of_helper(app.args.verb))
        exit_code = become_helper(&app, argv);
    else
        exit_code = help_or_run(&app);
    exit_code = cli_app_flush(&app, exit_code);
    cli_args_done(&app.args);
    return exit_code;
}
