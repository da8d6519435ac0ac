/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "clock.h"
#include "text.h"

#include <flame/plugin.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void cli_events_open(struct cli_events *events, FILE *out)
{
    *events = (struct cli_events){.out = out, .started_ns = cli_now_ns()};
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

/* ---- one line -------------------------------------------------------------------------------- */

static json_t *new_event(const struct cli_events *events, const char *name)
{
    return json_pack("{s:i, s:s, s:I, s:I}", "v", 1, "ev", name, "id", (json_int_t)events->id, "t",
                     (json_int_t)((cli_now_ns() - events->started_ns) / CLI_NS_PER_MS));
}

/* Both objects in one; NULL when there is no memory for one of them. */
static json_t *joined(json_t *event, json_t *rest)
{
    bool is_whole = event && rest && json_object_update(event, rest) == 0;

    json_decref(rest);
    if (is_whole)
        return event;
    json_decref(event);
    return NULL;
}

/* The event's line, of *size bytes; NULL = no memory. ASCII only, so that it does no harm to a
 * terminal either. Not by json_dumps(): its buffer can fail to grow, and the text then has a hole.
 */
static char *line_of(const json_t *event, size_t *size)
{
    const size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9);
    size_t length = event ? json_dumpb(event, NULL, 0, flags) : 0;
    char *line = length > 0 ? malloc(length + 1) : NULL;

    if (!line)
        return NULL;
    if (json_dumpb(event, line, length, flags) != length) {
        free(line);
        return NULL;
    }
    line[length] = '\n';
    *size = length + 1;
    return line;
}

/* Written at once, whole: the reader may be waiting for it. */
static void emit(struct cli_events *events, const char *name, json_t *members)
{
    json_t *event = joined(new_event(events, name), members);
    size_t size = 0;
    char *line = line_of(event, &size);

    if (!line)
        events->had_no_memory = true;
    else if (fwrite(line, 1, size, events->out) != size || fflush(events->out) != 0)
        events->is_incomplete = true;
    free(line);
    json_decref(event);
}

static json_t *integer(uint64_t number)
{
    return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

/* As it is where JSON can say it, else with its odd bytes as \xNN; NULL becomes null. */
static json_t *any_text(const char *text)
{
    cli_auto_text char *safe = NULL;

    if (!text)
        return json_null();
    if (cli_is_utf8(text))
        return json_string(text);
    safe = cli_escaped(text);
    return safe ? json_string(safe) : NULL;
}

/* What is known but could not be put into words is no event at all. */
static json_t *text_if(bool known, const char *text)
{
    return known && !text ? NULL : any_text(text);
}

static json_t *integer_if(bool known, uint64_t number)
{
    return known ? integer(number) : json_null();
}

/* ---- the events ------------------------------------------------------------------------------ */

void cli_event_start(struct cli_events *events, const struct cli_subject *subject)
{
    if (!events->out)
        return;
    emit(events, "start",
         json_pack("{s:s, s:o}", "url", subject->url, "filename_effective",
                   any_text(subject->path)));
}

void cli_event_redirect(struct cli_events *events, const char *from, const char *to)
{
    if (!events->out)
        return;
    emit(events, "redirect", json_pack("{s:o, s:o}", "from", any_text(from), "to", any_text(to)));
}

void cli_event_progress(struct cli_events *events, const struct flame_progress *progress,
                        uint64_t rate)
{
    uint64_t left = progress->total > progress->done ? progress->total - progress->done : 0;
    bool has_total = progress->total > 0;
    uint64_t eta = rate > 0 ? left / rate : 0;

    if (!events->out)
        return;
    emit(events, "progress",
         json_pack("{s:s, s:o, s:o, s:o, s:o}", "phase", cli_phase_name(progress->phase), "bytes",
                   integer(progress->done), "total", integer_if(has_total, progress->total), "rate",
                   integer(rate), "eta", integer_if(has_total && rate > 0, eta)));
}

/* ---- results --------------------------------------------------------------------------------- */

static json_t *flag(const struct flame_result *result, uint32_t bit)
{
    return json_boolean((result->flags & bit) != 0);
}

static long http_code(const struct flame_result *result)
{
    const char *text = cli_metadata(result, FLAME_META_HTTP_STATUS);

    return text ? strtol(text, NULL, 10) : 0;
}

static json_t *bytes_a_second(const struct flame_result *result)
{
    double seconds = (double)result->duration_ns / (double)CLI_NS_PER_S;

    return integer(seconds > 0 ? (uint64_t)((double)result->transferred / seconds) : 0);
}

static json_t *new_result(const struct cli_subject *subject, const struct flame_result *result)
{
    return json_pack("{s:s, s:o, s:i, s:f, s:i, s:o}", "url", subject->url, "url_effective",
                     any_text(result->url), "http_code", (int)http_code(result), "time_total",
                     (double)result->duration_ns / (double)CLI_NS_PER_S, "num_redirects",
                     (int)result->redirects, "plugin", any_text(result->plugin));
}

/* "sha256:<hex>" becomes the member sha256. */
static bool add_digest(json_t *event, const char *digest)
{
    const char *colon = digest ? strchr(digest, ':') : NULL;
    cli_auto_text char *name = NULL;

    if (!colon)
        return true;
    name = strndup(digest, (size_t)(colon - digest));
    return name && json_object_set_new(event, name, json_string(colon + 1)) == 0;
}

void cli_event_done(struct cli_events *events, const struct cli_subject *subject,
                    const struct flame_result *result)
{
    json_t *event;

    if (!events->out)
        return;
    event = joined(new_result(subject, result),
                   json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "filename_effective",
                             any_text(subject->path), "size_download", integer(result->transferred),
                             "speed_download", bytes_a_second(result), "from_cache",
                             flag(result, FLAME_RESULT_CACHED), "complete",
                             flag(result, FLAME_RESULT_PROVEN | FLAME_RESULT_VERIFIED), "verified",
                             flag(result, FLAME_RESULT_VERIFIED)));
    if (event && !add_digest(event, result->digest)) {
        json_decref(event);
        event = NULL;
    }
    emit(events, "done", event);
}

void cli_event_stat(struct cli_events *events, const struct cli_subject *subject,
                    const struct flame_result *result)
{
    cli_auto_text char *time = NULL;
    bool has_size = (result->flags & FLAME_RESULT_SIZE) != 0;
    bool has_time = (result->flags & FLAME_RESULT_MTIME) != 0;

    if (!events->out)
        return;
    if (has_time)
        time = cli_time_text(result->mtime_ns);
    emit(
        events, "stat",
        joined(new_result(subject, result),
               json_pack("{s:o, s:o, s:o, s:o, s:o}", "size", integer_if(has_size, result->size),
                         "mtime", text_if(has_time, time), "validator", any_text(result->validator),
                         "strong", flag(result, FLAME_RESULT_STRONG), "content_type",
                         any_text(cli_metadata(result, FLAME_META_CONTENT_TYPE)))));
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
    event = json_pack("{s:s, s:i, s:o, s:s, s:s, s:b}", "url", url, "exitcode", exit_code,
                      "errormsg", any_text(err->message), "status", flame_status_name(err->status),
                      "phase", cli_phase_name(err->phase), "retryable",
                      (err->flags & FLAME_ERROR_RETRYABLE) != 0);
    emit(
        events, "error",
        joined(event, json_pack("{s:o, s:o, s:o, s:o, s:o}", "url_effective",
                                any_text(err->url[0] ? err->url : NULL), "http_code",
                                status_if(err, FLAME_ERROR_HAS_HTTP, err->http_status), "grpc_code",
                                status_if(err, FLAME_ERROR_HAS_GRPC, err->grpc_status), "errno",
                                err->errno_code ? json_integer(err->errno_code) : json_null(),
                                "plugin", any_text(err->plugin[0] ? err->plugin : NULL))));
}

/* ---- lists ----------------------------------------------------------------------------------- */

void cli_event_plugin(struct cli_events *events, const struct flame_plugin_info *info)
{
    if (!events->out)
        return;
    emit(events, "plugin",
         json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "accepted", (int)info->accepted,
                   "plugin", any_text(info->id), "version", any_text(info->version), "schemes",
                   any_text(info->schemes), "summary", any_text(info->summary), "tier",
                   any_text(info->tier), "path", any_text(info->path), "code", any_text(info->code),
                   "reason", any_text(info->reason)));
}

void cli_event_option(struct cli_events *events, const struct flame_option_info *info)
{
    if (!events->out)
        return;
    emit(events, "option",
         json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name", any_text(info->name), "value",
                   any_text(info->value), "source", any_text(info->source), "plugin",
                   any_text(info->plugin), "range", any_text(info->range), "help",
                   any_text(info->help)));
}
