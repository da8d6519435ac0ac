/* SPDX-License-Identifier: Apache-2.0 */
#include "tell.h"

#include "report.h"

#include <flame/plugin.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void cli_turn_to(struct cli_app *app, uint32_t id)
{
    app->events.id = id;
    app->progress_events.id = id;
}

void cli_say(const struct cli_app *app, const char *format, ...)
{
    char text[2048];
    cli_auto_text char *safe = NULL;
    va_list args;

    if (!cli_is_given(&app->args, CLI_VERBOSE))
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    safe = cli_escaped(text);
    if (safe)
        cli_log(NULL, FLAME_LOG_INFO, NULL, safe);
}

void cli_tell(struct cli_app *app, const struct flame_event *event)
{
    const char *to = event->to ? event->to : "";

    cli_event_news(&app->events, event);
    if (event->kind == FLAME_EVENT_RESUME)
        cli_say(app, "%s: goes on at byte %" PRIu64, to, event->offset);
    else if (event->kind == FLAME_EVENT_RESTART)
        cli_say(app, "%s: begins again, the %" PRIu64 " bytes that came are of no use", to,
                event->offset);
    else if (event->kind == FLAME_EVENT_LOCKED)
        cli_say(app, "another process is at work on the same file: waiting for it");
}
