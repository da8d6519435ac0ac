/* SPDX-License-Identifier: Apache-2.0 */
/* A list of patterns in the order of their adding, each once. Owns its strings; {0} is an empty
 * one. Bounded by who fills it (the items of a document's list). Not thread-safe. */
#ifndef FL_CONTEXT_PATTERNS_H
#define FL_CONTEXT_PATTERNS_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

struct fl_patterns {
    char **items; /* NULL-terminated; NULL while empty */
    size_t count;
};

/* Add one unless it is there. false = no memory. */
bool fl_patterns_add(struct fl_patterns *patterns, const char *pattern) FL_CHECK;
/* Add the words of a text. false = no memory. */
bool fl_patterns_add_words(struct fl_patterns *patterns, const char *words) FL_CHECK;
/* All of them, a blank between two: to be freed; NULL = no memory. */
char *fl_patterns_join(const struct fl_patterns *patterns);
void fl_patterns_done(struct fl_patterns *patterns);

#endif
