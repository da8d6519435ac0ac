/* SPDX-License-Identifier: Apache-2.0 */
/* The inner face of the part: how a context comes out of a document.
 *
 * FLAME_CONTEXT_TABLE says what there is and where it comes from; the code knows no key but the
 * context's name. Each value owns its strings. After fl_context_fill() a context never changes, so
 * any thread may read it. */
#ifndef FL_CONTEXT_CONTEXT_H
#define FL_CONTEXT_CONTEXT_H

#include "base/error.h"
#include "context/document.h"
#include "context/patterns.h"

#include <flame/context.h>

struct fl_context_value {
    char *text;                  /* NULL = unset; of a list, its items joined */
    char *source;                /* NULL = unset */
    struct fl_patterns patterns; /* of a list */
};

struct flame_context {
    struct fl_context_value values[FLAME_CONTEXT_KEY_COUNT];
};

/* Fill an empty context from a document (NULL = there is no file), the variables unless
 * FLAME_CONTEXT_NO_ENVIRONMENT is in `flags`, and the defaults. `name`: as in flame_context_config.
 * What was filled before a failure stays; flame_context_close() frees it.
 * Fails with INVALID, LIMIT, NO_MEMORY. */
int32_t fl_context_fill(struct flame_context *context, const struct fl_document *document,
                        const char *path, const char *name, uint32_t flags,
                        struct flame_error *err) FL_CHECK;

#endif
