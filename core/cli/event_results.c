/* SPDX-License-Identifier: Apache-2.0 */
#include "event_line.h"

#include "clock.h"
#include "text.h"

#include <flame/plugin.h>

#include <stdlib.h>
#include <string.h>

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

    return cli_line_integer(seconds > 0 ? (uint64_t)((double)result->transferred / seconds) : 0);
}

static json_int_t retries(const struct flame_result *result)
{
    return result->attempts > 0 ? (json_int_t)result->attempts - 1 : 0;
}

static json_t *new_result(const struct cli_subject *subject, const struct flame_result *result)
{
    return json_pack("{s:s, s:o, s:i, s:f, s:i, s:o}", "url", subject->url, "url_effective",
                     cli_line_text(result->url), "http_code", (int)http_code(result), "time_total",
                     (double)result->duration_ns / (double)CLI_NS_PER_S, "num_redirects",
                     (int)result->redirects, "plugin", cli_line_text(result->plugin));
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

static json_t *done_members(const struct cli_subject *subject, const struct flame_result *result)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "filename_effective",
        cli_line_text(subject->path), "size_download", cli_line_integer(result->transferred),
        "speed_download", bytes_a_second(result), "complete",
        flag(result, FLAME_RESULT_PROVEN | FLAME_RESULT_VERIFIED), "verified",
        flag(result, FLAME_RESULT_VERIFIED), "digest", cli_line_text(result->digest), "digest_from",
        cli_line_text(result->digest_from), "validator", cli_line_text(result->validator));
}

/* How it was come by. */
static json_t *history_members(const struct flame_result *result)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I}", "from_cache",
                     flag(result, FLAME_RESULT_CACHED), "joined", flag(result, FLAME_RESULT_JOINED),
                     "resumed", cli_line_integer(result->resumed), "num_retries", retries(result),
                     "source", (json_int_t)result->source, "connections",
                     (json_int_t)result->connections);
}

void cli_event_done(struct cli_events *events, const struct cli_subject *subject,
                    const struct flame_result *result)
{
    json_t *event;

    if (!events->out)
        return;
    event = cli_line_joined(new_result(subject, result), done_members(subject, result));
    event = cli_line_joined(event, history_members(result));
    if (event && !add_digest(event, result->digest)) {
        json_decref(event);
        event = NULL;
    }
    cli_line_emit(events, "done", event);
}

/* What is known of an object. */
static json_t *object_members(const struct flame_result *result)
{
    bool has_size = (result->flags & FLAME_RESULT_SIZE) != 0;
    bool has_time = (result->flags & FLAME_RESULT_MTIME) != 0;
    cli_auto_text char *time = has_time ? cli_time_text(result->mtime_ns) : NULL;

    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "size",
                     cli_line_integer_if(has_size, result->size), "mtime",
                     cli_line_text_if(has_time, time), "validator",
                     cli_line_text(result->validator), "strong", flag(result, FLAME_RESULT_STRONG),
                     "content_type", cli_line_text(cli_metadata(result, FLAME_META_CONTENT_TYPE)));
}

void cli_event_stat(struct cli_events *events, const struct cli_subject *subject,
                    const struct flame_result *result)
{
    if (events->out)
        cli_line_emit(events, "stat",
                      cli_line_joined(new_result(subject, result), object_members(result)));
}

void cli_event_not_modified(struct cli_events *events, const struct cli_subject *subject,
                            const struct flame_result *result)
{
    if (events->out)
        cli_line_emit(events, "not_modified",
                      cli_line_joined(new_result(subject, result),
                                      json_pack("{s:o, s:I}", "filename_effective",
                                                cli_line_text(subject->path), "num_retries",
                                                retries(result))));
}

/* ---- the other verbs ------------------------------------------------------------------------- */

void cli_event_stored(struct cli_events *events, const struct cli_subject *subject,
                      const struct flame_result *result)
{
    json_t *event;

    if (!events->out)
        return;
    event = cli_line_joined(new_result(subject, result),
                            json_pack("{s:o, s:o, s:o, s:I}", "filename",
                                      cli_line_text(subject->path), "size_upload",
                                      cli_line_integer(result->transferred), "speed_upload",
                                      bytes_a_second(result), "num_retries", retries(result)));
    cli_line_emit(events, "stored", cli_line_joined(event, object_members(result)));
}

void cli_event_removed(struct cli_events *events, const struct cli_subject *subject,
                       const struct flame_result *result)
{
    if (events->out)
        cli_line_emit(events, "removed",
                      cli_line_joined(new_result(subject, result),
                                      json_pack("{s:I}", "num_retries", retries(result))));
}

void cli_event_entry(struct cli_events *events, const char *name, const struct flame_result *entry)
{
    if (events->out)
        cli_line_emit(events, "entry",
                      cli_line_joined(json_pack("{s:o, s:o, s:o}", "url", cli_line_text(entry->url),
                                                "name", cli_line_text(name), "prefix",
                                                flag(entry, FLAME_RESULT_PREFIX)),
                                      object_members(entry)));
}

void cli_event_listed(struct cli_events *events, const struct cli_subject *subject,
                      const struct flame_result *result, uint64_t entries)
{
    if (events->out)
        cli_line_emit(
            events, "listed",
            cli_line_joined(new_result(subject, result),
                            json_pack("{s:o, s:o, s:I}", "entries", cli_line_integer(entries),
                                      "cursor", cli_line_text(result->cursor), "num_retries",
                                      retries(result))));
}
