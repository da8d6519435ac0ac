/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"
#include "tell.h"

#include <flame/plugin.h>

#include <inttypes.h>

int32_t cli_stat_check(const struct cli_args *args, struct flame_error *err)
{
    int32_t status = cli_check_urls(args, err);

    return status == FLAME_OK ? cli_check_for_one(args, CLI_ETAG, err) : status;
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

static int32_t tell(struct cli_app *app, const struct cli_subject *subject, int32_t status,
                    const struct flame_result *result, struct flame_error *err)
{
    if (status == FLAME_NOT_MODIFIED) {
        cli_event_not_modified(&app->events, subject, result);
        cli_say(app, "%s: not modified", subject->url);
        return status;
    }
    if (app->events.out) {
        cli_event_stat(&app->events, subject, result);
        return FLAME_OK;
    }
    if (app->events.id > 1)
        (void)putchar('\n');
    return print_facts(result, err);
}

int cli_stat(struct cli_app *app)
{
    static const struct cli_question question = {.verb = FLAME_STAT, .tell = tell};

    return cli_ask_each_url(app, &question);
}
