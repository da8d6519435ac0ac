/* SPDX-License-Identifier: Apache-2.0 */
/* Text: building it, making foreign bytes harmless, lists of names and values. No state. */
#ifndef FL_BASE_TEXT_H
#define FL_BASE_TEXT_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* asprintf() that returns the string, or NULL without memory. */
char *fl_format(const char *format, ...) FL_PRINTF(1, 2);

/* Copy `size` bytes so that a terminal or a log takes no harm: valid UTF-8 of printable characters
 * stays, everything else (controls, C1, bidirectional marks, broken UTF-8) becomes \xNN. Cut to
 * `capacity` at a character's end; always terminated. Returns the length written. */
size_t fl_escape(const char *bytes, size_t size, char *out, size_t capacity);

/* Overwrite before freeing; not optimised away. Takes NULL. */
void fl_wipe(void *memory, size_t size);
void fl_wipe_free(char *text);

/* 0..15, or -1. */
int fl_hex_digit(char c);

/* A growing list "name, value, name, value, ..., NULL": headers, options, secrets, metadata.
 * Owns copies of its strings. {0} is an empty list. */
struct fl_pairs {
    char **items; /* NULL-terminated; NULL while empty */
    size_t count; /* strings, twice the pairs */
};

/* false = no memory. */
bool fl_pairs_add(struct fl_pairs *pairs, const char *name, const char *value) FL_CHECK;
/* Replace the value of `name` or add the pair. */
bool fl_pairs_set(struct fl_pairs *pairs, const char *name, const char *value) FL_CHECK;
/* Copy a NULL-terminated list; NULL is an empty one. */
bool fl_pairs_copy(struct fl_pairs *pairs, const char *const *items) FL_CHECK;
const char *fl_pairs_get(const struct fl_pairs *pairs, const char *name);
/* Never NULL. */
const char *const *fl_pairs_list(const struct fl_pairs *pairs);
/* Free; with `wipe` overwrite the values first (secrets). */
void fl_pairs_done(struct fl_pairs *pairs, bool wipe);

/* The value of `name` in a NULL-terminated list, or NULL; the list may be NULL. */
const char *fl_list_get(const char *const *items, const char *name);

#endif
