/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML file as a tree that can be looked up by key: what flame.yaml needs, and no more.
 *
 * Bounds: one document of at most 256 KiB, nesting, anchors and aliases, items of a list. They hold
 * before the tree is built. An alias is one more way to a node that is there once, and every
 * look-up has a fixed depth, so aliases multiply nothing. Refused: several documents, a key twice
 * in one mapping, a key that is no text, merge keys ("<<"), tags, which would all make the meaning
 * of a line depend on another one.
 *
 * A node is a number, 0 = not there; a null and an empty text are not there either. Every error is
 * one line that begins with "FILE:LINE: ", then "KEY: " where there is one.
 * A document never changes; any thread. */
#ifndef FL_CONTEXT_DOCUMENT_H
#define FL_CONTEXT_DOCUMENT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define FL_DOCUMENT_MAX (256u << 10) /* bytes */
#define FL_DOCUMENT_DEPTH 32u
#define FL_DOCUMENT_ANCHORS 256u
#define FL_DOCUMENT_ALIASES 1024u
#define FL_DOCUMENT_ITEMS 1024u /* of a list that is looked at */

struct fl_document;

/* Read the file at `path`. *out: fl_document_free() it.
 * Fails with NOT_FOUND, IO, INVALID, LIMIT, NO_MEMORY. */
int32_t fl_document_read(const char *path, struct fl_document **out,
                         struct flame_error *err) FL_CHECK;

/* The same for bytes that are there already; `path` is what errors call them. They are not looked
 * at any more after it. */
int32_t fl_document_parse(const char *path, const char *bytes, size_t size,
                          struct fl_document **out, struct flame_error *err) FL_CHECK;

/* Takes NULL. */
void fl_document_free(struct fl_document *document);

/* What all hangs from; 0 for an empty file. */
int fl_document_root(const struct fl_document *document);

/* The line where a node begins, from 1; 1 for node 0. */
size_t fl_document_line(const struct fl_document *document, int node);

/* Follow `path` ("cache.tls.ca_file") down from a mapping. *out = 0 where a part of it is missing.
 * Fails with INVALID: something on the way is no mapping. */
int32_t fl_document_find(const struct fl_document *document, int node, const char *path, int *out,
                         struct flame_error *err) FL_CHECK;

/* The text of a node, borrowed; NULL for node 0. `key`: for the message.
 * Fails with INVALID: it is no text, or has a control character. */
int32_t fl_document_text(const struct fl_document *document, int node, const char *key,
                         const char **out, struct flame_error *err) FL_CHECK;

/* The nodes of a list, borrowed; none for node 0. Fails with INVALID (it is no list), LIMIT. */
struct fl_items {
    const int *nodes;
    size_t count;
};
int32_t fl_document_items(const struct fl_document *document, int node, const char *key,
                          struct fl_items *out, struct flame_error *err) FL_CHECK;

/* State what is wrong with a node, or about where it should be; returns `status`. */
int32_t fl_document_fail(const struct fl_document *document, int node, int32_t status,
                         const char *key, const char *problem, struct flame_error *err);

/* Does a text have a character that moves a terminal's cursor? Nothing that a context names has. */
bool fl_has_control(const char *text, size_t size);

#endif
