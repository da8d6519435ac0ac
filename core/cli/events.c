/* SPDX-License-Identifier: Apache-2.0 */
#include "event_line.h"

#include "clock.h"
#include "text.h"

#include <flame/plugin.h>

#include <string.h>

void cli_events_open(struct cli_events *events, FILE *out)
{
    *events = (struct cli_events){.out = out, .started_ns = cli_now_ns(), .id = events->id};
}

const char *cli_phase_name(uint32_t phase)
{
    static const struct {
        uint32_t from;
        const char *name;
    } names[] = {
        {FLAME_PHASE_PUBLISH, "publish"}, {FLAME_PHASE_VERIFY, "verify"},
        {FLAME_PHASE_FINISH, "finish"},   {FLAME_PHASE_BODY, "body"},
        {FLAME_PHASE_WAIT, "wait"},       {FLAME_PHASE_SECURE, "secure"},
        {FLAME_PHASE_CONNECT, "connect"}, {FLAME_PHASE_RESOLVE, "resolve"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (phase >= names[i].from)
            return names[i].name;
    return "start";
}

const char *cli_metadata(const struct flame_result *result, const char *key)
{
    for (size_t i = 0; result->metadata && result->metadata[i]; i += 2)
        if (strcmp(result->metadata[i], key) == 0)
            return result->metadata[i + 1];
    return NULL;
}

/* ---- the events ------------------------------------------------------------------------------ */

void cli_event_start(struct cli_events *events, const struct cli_subject *subject)
{
    if (!events->out)
        return;
    cli_line_emit(events, "start",
                  json_pack("{s:s, s:o}", "url", subject->url, "filename_effective",
                            cli_line_text(subject->path)));
}

/* ---- what happens on the way ----------------------------------------------------------------- */

static const char *name_of(uint32_t kind)
{
    static const char *const names[] = {
        [FLAME_EVENT_REDIRECT] = "redirect", [FLAME_EVENT_RETRY] = "retry",
        [FLAME_EVENT_MIRROR] = "mirror",     [FLAME_EVENT_RESUME] = "resume",
        [FLAME_EVENT_RESTART] = "restart",   [FLAME_EVENT_LOCKED] = "locked",
    };

    return kind < sizeof(names) / sizeof(*names) ? names[kind] : NULL;
}

static json_t *reason_members(const struct flame_error *reason)
{
    return json_pack("{s:o, s:o}", "reason", cli_line_text(reason ? reason->message : NULL),
                     "status", cli_line_text(reason ? flame_status_name(reason->status) : NULL));
}

static json_t *news_members(const struct flame_event *event)
{
    json_t *to = cli_line_text(event->to);

    switch (event->kind) {
    case FLAME_EVENT_REDIRECT:
        return json_pack("{s:o, s:o}", "from", cli_line_text(event->from), "to", to);
    case FLAME_EVENT_RETRY:
        return cli_line_joined(json_pack("{s:o, s:I, s:I}", "to", to, "attempt",
                                         (json_int_t)event->attempt, "wait_ms",
                                         (json_int_t)event->wait_ms),
                               reason_members(event->reason));
    case FLAME_EVENT_MIRROR:
        return cli_line_joined(
            json_pack("{s:o, s:o}", "from", cli_line_text(event->from), "to", to),
            reason_members(event->reason));
    case FLAME_EVENT_RESUME:
    case FLAME_EVENT_RESTART:
        return json_pack("{s:o, s:o}", "to", to, "offset", cli_line_integer(event->offset));
    default:
        json_decref(to);
        return json_object();
    }
}

void cli_event_news(struct cli_events *events, const struct flame_event *event)
{
    if (events->out && name_of(event->kind))
        cli_line_emit(events, name_of(event->kind), news_members(event));
}

void cli_event_progress(struct cli_events *events, const struct flame_progress *progress,
                        uint64_t rate)
{
    uint64_t left = progress->total > progress->done ? progress->total - progress->done : 0;
    bool has_total = progress->total > 0;
    uint64_t eta = rate > 0 ? left / rate : 0;

    if (!events->out)
        return;
    cli_line_emit(
        events, "progress",
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "phase", cli_phase_name(progress->phase),
                  "bytes", cli_line_integer(progress->done), "done",
                  cli_line_integer(progress->done), "resumed", cli_line_integer(progress->resumed),
                  "total", cli_line_integer_if(has_total, progress->total), "rate",
                  cli_line_integer(rate), "eta", cli_line_integer_if(has_total && rate > 0, eta)));
}

static json_t *status_if(const struct flame_error *err, uint32_t bit, int32_t number)
{
    return err->flags & bit ? json_integer(number) : json_null();
}

void cli_event_error(struct cli_events *events, const char *url, const struct flame_error *err,
                     int exit_code)
{
    json_t *event;

    if (!events->out)
        return;
    event = json_pack("{s:s, s:i, s:o, s:s, s:s, s:b, s:b}", "url", url, "exitcode", exit_code,
                      "errormsg", cli_line_text(err->message), "status",
                      flame_status_name(err->status), "phase", cli_phase_name(err->phase),
                      "retryable", (err->flags & FLAME_ERROR_RETRYABLE) != 0, "resumable",
                      (err->flags & FLAME_ERROR_RESUMABLE) != 0);
    cli_line_emit(
        events, "error",
        cli_line_joined(
            event, json_pack("{s:o, s:o, s:o, s:o, s:o}", "url_effective",
                             cli_line_text(err->url[0] ? err->url : NULL), "http_code",
                             status_if(err, FLAME_ERROR_HAS_HTTP, err->http_status), "grpc_code",
                             status_if(err, FLAME_ERROR_HAS_GRPC, err->grpc_status), "errno",
                             err->errno_code ? json_integer(err->errno_code) : json_null(),
                             "plugin", cli_line_text(err->plugin[0] ? err->plugin : NULL))));
}

void cli_event_cleaned(struct cli_events *events, const char *directory, const char *name,
                       uint64_t size)
{
    if (!events->out)
        return;
    cli_line_emit(events, "cleaned",
                  json_pack("{s:o, s:o, s:o}", "directory", cli_line_text(directory), "filename",
                            cli_line_text(name), "size", cli_line_integer(size)));
}

/* ---- lists ----------------------------------------------------------------------------------- */

void cli_event_plugin(struct cli_events *events, const struct flame_plugin_info *info)
{
    if (!events->out)
        return;
    cli_line_emit(events, "plugin",
                  json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "accepted",
                            (int)info->accepted, "plugin", cli_line_text(info->id), "version",
                            cli_line_text(info->version), "schemes", cli_line_text(info->schemes),
                            "summary", cli_line_text(info->summary), "tier",
                            cli_line_text(info->tier), "path", cli_line_text(info->path), "code",
                            cli_line_text(info->code), "reason", cli_line_text(info->reason)));
}

void cli_event_option(struct cli_events *events, const struct flame_option_info *info)
{
    if (!events->out)
        return;
    cli_line_emit(events, "option",
                  json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name", cli_line_text(info->name),
                            "value", cli_line_text(info->value), "source",
                            cli_line_text(info->source), "plugin", cli_line_text(info->plugin),
                            "range", cli_line_text(info->range), "help",
                            cli_line_text(info->help)));
}
