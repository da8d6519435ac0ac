/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of a document, held against the stream of its events before a tree is built from it.
 * Internal to the part. No state; any thread. */
#ifndef FL_CONTEXT_BOUNDS_H
#define FL_CONTEXT_BOUNDS_H

#include "base/error.h"

#include <yaml.h>

/* Bytes of a YAML file and what errors call it. */
struct fl_source {
    const char *path;
    const char *bytes;
    size_t size;
};

/* Make a parser of it, UTF-8 only: yaml_parser_delete() it. Fails with NO_MEMORY. */
int32_t fl_source_parser(const struct fl_source *source, yaml_parser_t *out,
                         struct flame_error *err) FL_CHECK;

/* State what the parser has failed with. */
int32_t fl_source_fail(const struct fl_source *source, const yaml_parser_t *parser,
                       struct flame_error *err);

/* One document within the bounds of document.h, without tags? Fails with INVALID, LIMIT,
 * NO_MEMORY. */
int32_t fl_bounds_check(const struct fl_source *source, struct flame_error *err) FL_CHECK;

#endif
