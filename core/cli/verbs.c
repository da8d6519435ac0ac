/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "signals.h"
#include "tell.h"

#include <string.h>
#include <unistd.h>

int32_t cli_check_urls(const struct cli_args *args, struct flame_error *err)
{
    if (args->word_count == 0 && !cli_is_given(args, CLI_INPUT_FILE))
        return cli_fail(err, FLAME_ERR_INVALID, "no url (try --help)");
    return FLAME_OK;
}

int32_t cli_check_for_one(const struct cli_args *args, enum cli_option_id id,
                          struct flame_error *err)
{
    if (cli_is_given(args, id) && (args->word_count > 1 || cli_is_given(args, CLI_INPUT_FILE)))
        return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' is for one url only",
                        cli_options[id].name);
    return FLAME_OK;
}

bool cli_is_to_stdout(const struct cli_args *args)
{
    const char *output = cli_value(args, CLI_OUTPUT);

    return output && strcmp(output, "-") == 0;
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
        cli_is_given(args, CLI_VERBOSE) || (cli_is_to_stdout(args) && isatty(STDOUT_FILENO));

    if (cli_is_given(args, CLI_QUIET))
        return CLI_PROGRESS_NONE;
    if (wanted)
        return kind_named(wanted);
    if (cli_is_given(args, CLI_JSON))
        return CLI_PROGRESS_EVENTS;
    return isatty(STDERR_FILENO) && !is_shared ? CLI_PROGRESS_BAR : CLI_PROGRESS_NONE;
}

struct cli_progress cli_progress_for(struct cli_app *app)
{
    bool has_events = app->events.out != NULL;

    if (!has_events && !app->progress_events.out)
        cli_events_open(&app->progress_events, stderr);
    return (struct cli_progress){
        .kind = choose_progress(app),
        .out = stderr,
        .events = has_events ? &app->events : &app->progress_events,
    };
}

int cli_for_each_url(struct cli_app *app,
                     int (*one)(struct cli_app *app, const char *url, const void *data),
                     const void *data)
{
    int first = 0;

    for (size_t i = 0; i < app->plan.words.count; i++) {
        int number = cli_signals_caught();
        int exit_code;

        if (number != 0)
            return first ? first : 128 + number;
        cli_turn_to(app, (uint32_t)i + 1);
        exit_code = one(app, app->plan.words.items[i], data);
        first = first ? first : exit_code;
    }
    return first;
}
