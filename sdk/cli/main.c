/* SPDX-License-Identifier: Apache-2.0 */
/* flame-fetch-sdk: the verbs of flame-fetch that need the SDK. It speaks as flame-fetch does. */
#include "appliance.h"
#include "report.h"

struct verb {
    int (*run)(struct sdk_app *sdk);
    int32_t (*check)(const struct sdk_app *sdk, struct flame_error *err);
};

static const struct verb verbs[CLI_VERB_COUNT] = {
    [CLI_CONTEXT] = {sdk_context_verb, sdk_context_check},
    [CLI_PUBLISH] = {sdk_publish_verb, sdk_publish_check},
    [CLI_OBJECTS] = {sdk_objects_verb, sdk_objects_check},
};

static int32_t prepare(struct sdk_app *sdk, struct flame_error *err)
{
    int32_t status = verbs[sdk->app.args.verb].check(sdk, err);

    return status == FLAME_OK ? cli_app_plan(&sdk->app, err) : status;
}

static int run(struct sdk_app *sdk)
{
    struct flame_error err = FLAME_INIT(flame_error);
    int exit_code;

    cli_app_begin(&sdk->app);
    if (prepare(sdk, &err) == FLAME_OK)
        exit_code = verbs[sdk->app.args.verb].run(sdk);
    else
        exit_code = cli_report(&sdk->app.events, NULL, &err);
    cli_app_close(&sdk->app);
    flame_context_close(sdk->context);
    return exit_code;
}

static int help_or_run(struct sdk_app *sdk)
{
    if (cli_is_given(&sdk->app.args, CLI_HELP))
        sdk_line_help(stdout, &sdk->line);
    else if (cli_is_given(&sdk->app.args, CLI_VERSION))
        (void)printf("flame-fetch-sdk %s\n", FLAME_VERSION);
    else
        return run(sdk);
    return 0;
}

int main(int argc, char **argv)
{
    struct sdk_app sdk = {.context = NULL};
    struct flame_error err = FLAME_INIT(flame_error);
    int exit_code;
    int32_t status;

    cli_process_begin();
    status = sdk_line_parse(argc, argv, &sdk.line, &err);
    sdk.app.args = sdk.line.args;
    exit_code = status == FLAME_OK ? help_or_run(&sdk) : cli_report(&sdk.app.events, NULL, &err);
    exit_code = cli_app_flush(&sdk.app, exit_code);
    sdk_line_done(&sdk.line);
    return exit_code;
}
