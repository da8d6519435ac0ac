/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "report.h"

#include <string.h>

int32_t cli_no_words_check(const struct cli_args *args, struct flame_error *err)
{
    if (args->word_count > 0)
        return cli_fail(err, FLAME_ERR_INVALID, "'%s' takes no argument",
                        cli_verbs[args->verb].name);
    return FLAME_OK;
}

struct listing {
    struct cli_app *app;
    struct flame_error err;
};

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

/* "id version scheme,scheme tier path": blanks separate, so no field holds one but the last. */
static char *accepted_line(const struct flame_plugin_info *info)
{
    cli_auto_text char *schemes = strdup(or_dash(info->schemes));

    for (char *at = schemes; at && *at; at++)
        *at = *at == ' ' ? ',' : *at;
    return schemes ? cli_format("%s %s %s %s %s", or_dash(info->id), or_dash(info->version),
                                schemes, or_dash(info->tier), info->path)
                   : NULL;
}

static char *why_line(const struct flame_plugin_info *info)
{
    const char *verdict = info->accepted ? "accepted" : "refused";

    if (!info->code)
        return cli_format("%s: %s", info->path, verdict);
    return cli_format("%s: %s %s: %s", info->path, verdict, info->code, or_dash(info->reason));
}

static int32_t show(void *data, const struct flame_plugin_info *info)
{
    struct listing *listing = data;
    bool why = cli_is_given(&listing->app->args, CLI_WHY);
    cli_auto_text char *line = NULL;
    cli_auto_text char *safe = NULL;

    if (!info->accepted && !why)
        return 0;
    if (listing->app->events.out) {
        cli_event_plugin(&listing->app->events, info);
        return 0;
    }
    line = why ? why_line(info) : accepted_line(info);
    safe = line ? cli_escaped(line) : NULL;
    if (!safe)
        return cli_fail_memory(&listing->err);
    (void)puts(safe);
    return 0;
}

int cli_plugins(struct cli_app *app)
{
    struct listing listing = {.app = app, .err = FLAME_INIT(flame_error)};

    flame_plugins(app->flame, show, &listing);
    return listing.err.status == FLAME_OK ? 0 : cli_report(&app->events, NULL, &listing.err);
}
