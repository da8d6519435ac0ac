/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance.h"

#include "settings.h"

#include <flame/plugin.h>

#include <stdlib.h>

/* Who wants no configuration wants no flame.yaml either, unless he names one. */
static const char *context_file(const struct sdk_app *sdk)
{
    if (sdk->line.own[SDK_CONTEXT_FILE])
        return sdk->line.own[SDK_CONTEXT_FILE];
    return cli_is_given(&sdk->app.args, CLI_NO_CONFIG) ? "" : NULL;
}

int32_t sdk_open_context(struct sdk_app *sdk, struct flame_error *err)
{
    struct flame_context_config config = FLAME_INIT(flame_context_config);

    config.file = context_file(sdk);
    config.name = sdk->line.own[SDK_CONTEXT];
    return flame_context_open(&config, &sdk->context, err);
}

/* The SDK asks the context unless the task itself has TLS settings: it knows no others. */
static int32_t take_own_trust(struct cli_app *app, struct flame_error *err)
{
    struct cli_plan *plan = &app->plan;
    struct cli_own_trust trust = {.authorities = NULL};
    int32_t status = cli_own_trust_read(app, &trust, err);

    if (status == FLAME_OK && trust.authorities)
        status = cli_list_add_pair(&plan->task_options, FLAME_OPT_TLS_CA, trust.authorities, err);
    if (status == FLAME_OK && trust.is_blind)
        status = cli_list_add_pair(&plan->task_options, FLAME_OPT_TLS_VERIFY, "no", err);
    free(trust.authorities);
    plan->task.options = cli_list_get(&plan->task_options);
    return status;
}

int32_t sdk_open_library(struct sdk_app *sdk, struct flame_error *err)
{
    int32_t status = cli_app_open(&sdk->app, err);

    return status == FLAME_OK ? take_own_trust(&sdk->app, err) : status;
}

struct flame_task sdk_task(const struct sdk_app *sdk)
{
    struct flame_task task = sdk->app.plan.task;

    task.cancel = sdk->app.cancel;
    return task;
}
