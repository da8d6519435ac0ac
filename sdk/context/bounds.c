/* SPDX-License-Identifier: Apache-2.0 */
#include "context/bounds.h"

#include "context/document.h"

#include <string.h>

struct count {
    size_t documents;
    size_t depth;
    size_t anchors;
    size_t aliases;
    bool tagged;
};

int32_t fl_source_parser(const struct fl_source *source, yaml_parser_t *out,
                         struct flame_error *err)
{
    /* libyaml would count a byte order mark as a column, and the line after it as outdented. */
    size_t skip = source->size >= 3 && memcmp(source->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    if (!yaml_parser_initialize(out))
        return fl_fail_memory(err);
    /* Else two bytes at the beginning would make it UTF-16. */
    yaml_parser_set_encoding(out, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(out, (const unsigned char *)source->bytes + skip,
                                 source->size - skip);
    return FLAME_OK;
}

/* The reader knows an offset only. */
static size_t line_of(const struct fl_source *source, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset && i < source->size; i++)
        line += source->bytes[i] == '\n';
    return line;
}

int32_t fl_source_fail(const struct fl_source *source, const yaml_parser_t *parser,
                       struct flame_error *err)
{
    size_t line = parser->problem_mark.line + 1;

    /* libyaml does not say at all its places that it was memory; of all else it says something. */
    if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
        return fl_fail_memory(err);
    if (parser->error == YAML_READER_ERROR)
        line = line_of(source, parser->problem_offset);
    return fl_fail(err, FLAME_ERR_INVALID, "%s:%zu: not YAML: %s%s%s", source->path, line,
                   parser->problem ? parser->problem : "cannot be read", parser->context ? " " : "",
                   parser->context ? parser->context : "");
}

static void add_node(struct count *count, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    count->anchors += anchor != NULL;
    count->tagged = tag != NULL;
}

static void add_event(struct count *count, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        count->documents++;
        break;
    case YAML_ALIAS_EVENT:
        count->aliases++;
        break;
    case YAML_SCALAR_EVENT:
        add_node(count, event->data.scalar.anchor, event->data.scalar.tag);
        break;
    case YAML_SEQUENCE_START_EVENT:
        add_node(count, event->data.sequence_start.anchor, event->data.sequence_start.tag);
        count->depth++;
        break;
    case YAML_MAPPING_START_EVENT:
        add_node(count, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        count->depth++;
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        count->depth--;
        break;
    default:
        break;
    }
}

/* What is too much, or NULL. */
static const char *excess(const struct count *count)
{
    if (count->depth > FL_DOCUMENT_DEPTH)
        return "nested deeper than 32 levels";
    if (count->anchors > FL_DOCUMENT_ANCHORS)
        return "more than 256 anchors";
    if (count->aliases > FL_DOCUMENT_ALIASES)
        return "more than 1024 aliases";
    return NULL;
}

static int32_t judge(const struct fl_source *source, const struct count *count, size_t line,
                     struct flame_error *err)
{
    const char *problem = excess(count);

    if (problem)
        return fl_fail(err, FLAME_ERR_LIMIT, "%s:%zu: %s", source->path, line, problem);
    if (count->documents > 1)
        return fl_fail(err, FLAME_ERR_INVALID, "%s:%zu: a second document", source->path, line);
    if (count->tagged)
        return fl_fail(err, FLAME_ERR_INVALID, "%s:%zu: tags are not supported", source->path,
                       line);
    return FLAME_OK;
}

int32_t fl_bounds_check(const struct fl_source *source, struct flame_error *err)
{
    struct count count = {0};
    yaml_parser_t parser;
    bool more = true;
    int32_t status = fl_source_parser(source, &parser, err);

    if (status != FLAME_OK)
        return status;
    while (status == FLAME_OK && more) {
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event)) {
            status = fl_source_fail(source, &parser, err);
            break;
        }
        add_event(&count, &event);
        status = judge(source, &count, event.start_mark.line + 1, err);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}
