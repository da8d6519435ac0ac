/* SPDX-License-Identifier: Apache-2.0 */
#include "event_line.h"

#include "clock.h"
#include "text.h"

#include <stdlib.h>

static json_t *new_event(const struct cli_events *events, const char *name)
{
    return json_pack("{s:i, s:s, s:I, s:I}", "v", 1, "ev", name, "id", (json_int_t)events->id, "t",
                     (json_int_t)((cli_now_ns() - events->started_ns) / CLI_NS_PER_MS));
}

json_t *cli_line_joined(json_t *event, json_t *rest)
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

void cli_line_emit(struct cli_events *events, const char *name, json_t *members)
{
    json_t *event = cli_line_joined(new_event(events, name), members);
    size_t size = 0;
    char *line = line_of(event, &size);

    if (!line)
        events->had_no_memory = true;
    else if (fwrite(line, 1, size, events->out) != size || fflush(events->out) != 0)
        events->is_incomplete = true;
    free(line);
    json_decref(event);
}

json_t *cli_line_integer(uint64_t number)
{
    return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

json_t *cli_line_text(const char *text)
{
    cli_auto_text char *safe = NULL;

    if (!text)
        return json_null();
    if (cli_is_utf8(text))
        return json_string(text);
    safe = cli_escaped(text);
    return safe ? json_string(safe) : NULL;
}

json_t *cli_line_text_if(bool known, const char *text)
{
    return known && !text ? NULL : cli_line_text(text);
}

json_t *cli_line_integer_if(bool known, uint64_t number)
{
    return known ? cli_line_integer(number) : json_null();
}
