/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "report.h"

#define EXIT_BAD_CONFIG 2

struct listing {
    struct cli_app *app;
    struct cli_list ids;
    struct flame_error err;
};

static int32_t show(void *data, const struct flame_option_info *info)
{
    struct listing *listing = data;
    cli_auto_text char *line = NULL;
    cli_auto_text char *safe = NULL;

    if (listing->app->events.out) {
        cli_event_option(&listing->app->events, info);
        return 0;
    }
    line = info->value ? cli_format("%s = %s  (%s)", info->name, info->value, info->source)
                       : cli_format("%s  (unset)", info->name);
    safe = line ? cli_escaped(line) : NULL;
    if (!safe)
        return cli_fail_memory(&listing->err);
    (void)puts(safe);
    return 0;
}

static int32_t collect(void *data, const struct flame_plugin_info *info)
{
    struct listing *listing = data;

    return info->accepted ? cli_list_add(&listing->ids, info->id, &listing->err) : 0;
}

static int32_t look_at(void *data, const struct flame_option_info *info)
{
    (void)data;
    (void)info;
    return 0;
}

/* A plugin's options are known once it is loaded, and checked then. */
static int32_t check_plugins(struct cli_app *app, struct listing *listing)
{
    int32_t status;

    flame_plugins(app->flame, collect, listing);
    status = listing->err.status;
    for (size_t i = 0; status == FLAME_OK && i < listing->ids.count; i++)
        status = flame_options(app->flame, listing->ids.items[i], look_at, NULL, &listing->err);
    return status;
}

int cli_config(struct cli_app *app)
{
    struct listing listing = {.app = app, .err = FLAME_INIT(flame_error)};
    bool is_check = cli_is_given(&app->args, CLI_CHECK);
    int32_t status = is_check ? check_plugins(app, &listing)
                              : flame_options(app->flame, NULL, show, &listing, &listing.err);
    int exit_code = 0;

    if (status == FLAME_OK)
        status = listing.err.status;
    if (status != FLAME_OK)
        exit_code = cli_report(&app->events, NULL, &listing.err);
    cli_list_done(&listing.ids);
    return exit_code != 0 && is_check ? EXIT_BAD_CONFIG : exit_code;
}
