/* SPDX-License-Identifier: Apache-2.0 */
#include "told.h"

#include "event_line.h"

static json_t *array_of(const char *const *texts)
{
    json_t *array = json_array();

    for (; array && *texts; texts++) {
        if (json_array_append_new(array, cli_line_text(*texts)) == 0)
            continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

void sdk_event_value(struct cli_events *events, const struct flame_context_value *value)
{
    if (events->out)
        cli_line_emit(events, "context",
                      json_pack("{s:o, s:o, s:o, s:o, s:o}", "name", cli_line_text(value->name),
                                "value", cli_line_text(value->value), "values",
                                value->values ? array_of(value->values) : json_null(), "source",
                                cli_line_text(value->source), "help", cli_line_text(value->help)));
}

void sdk_event_published(struct cli_events *events, const struct sdk_published *published)
{
    if (events->out)
        cli_line_emit(events, "published",
                      json_pack("{s:o, s:s, s:o, s:o}", "url", cli_line_text(published->url),
                                "digest", published->digest, "name", cli_line_text(published->name),
                                "size", cli_line_integer(published->size)));
}

void sdk_event_object(struct cli_events *events, const char *key, uint64_t size)
{
    if (events->out)
        cli_line_emit(events, "object",
                      json_pack("{s:o, s:o}", "key", cli_line_text(key), "size",
                                cli_line_integer_if(size != UINT64_MAX, size)));
}

void sdk_event_objects(struct cli_events *events, const char *endpoint, uint64_t count)
{
    if (events->out)
        cli_line_emit(events, "objects",
                      json_pack("{s:o, s:o}", "endpoint", cli_line_text(endpoint), "entries",
                                cli_line_integer(count)));
}

void sdk_event_object_removed(struct cli_events *events, const char *endpoint, const char *key,
                              bool is_prefix)
{
    if (events->out)
        cli_line_emit(events, "object_removed",
                      json_pack("{s:o, s:o, s:b}", "endpoint", cli_line_text(endpoint), "key",
                                cli_line_text(key), "prefix", (int)is_prefix));
}
