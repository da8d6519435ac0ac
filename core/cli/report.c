/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "signals.h"

#include <flame/plugin.h>

#include <stdarg.h>

#define NAME "flame-fetch: "

int cli_exit_code(const struct flame_error *err)
{
    int number = cli_signals_caught();

    if (err->status == FLAME_ERR_CANCELLED && number != 0)
        return 128 + number;
    return flame_exit_code(err);
}

int cli_report(struct cli_events *events, const char *subject, const struct flame_error *err)
{
    const char *place = err->url[0] ? err->url : subject;
    int exit_code = cli_exit_code(err);

    if (place && !place[0])
        place = "''";
    (void)fprintf(stderr, NAME "%s%s%s\n", place ? place : "", place ? ": " : "",
                  err->message[0] ? err->message : flame_status_text(err->status));
    cli_event_error(events, subject ? subject : "", err, exit_code);
    return exit_code;
}

void cli_warn(const char *text)
{
    (void)fprintf(stderr, NAME "warning: %s\n", text);
}

void cli_hint(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fputs(NAME, stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputs("\n", stderr);
    va_end(args);
}

void cli_log(void *data, uint32_t level, const char *plugin, const char *text)
{
    static const char *const names[] = {
        [FLAME_LOG_ERROR] = "error", [FLAME_LOG_WARN] = "warning", [FLAME_LOG_INFO] = "info",
        [FLAME_LOG_DEBUG] = "debug", [FLAME_LOG_TRACE] = "trace",
    };
    const char *name = level >= FLAME_LOG_ERROR && level <= FLAME_LOG_TRACE ? names[level] : "log";

    (void)data;
    (void)fprintf(stderr, NAME "%s: %s%s%s\n", name, plugin ? plugin : "", plugin ? ": " : "",
                  text);
}
