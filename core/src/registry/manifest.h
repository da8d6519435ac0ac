/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a plugin's note: "key=value" lines. Internal to the module; pure, any thread. */
#ifndef FL_REGISTRY_MANIFEST_H
#define FL_REGISTRY_MANIFEST_H

#include "registry/refusal.h"

#include <stdbool.h>
#include <stdint.h>

#define FL_SCHEMES_MAX 32
#define FL_SCHEME_MAX 32 /* bytes */
#define FL_ID_MAX 79     /* bytes; what struct flame_error can name */

struct fl_scheme {
    char name[FL_SCHEME_MAX + 1];
    uint32_t default_port; /* 0 = none */
};

struct fl_scheme_list {
    struct fl_scheme *items;
    uint32_t count;
};

struct fl_manifest {
    char *text; /* as in the note */
    char *id;
    char *version;
    char *summary;
    struct fl_scheme_list schemes;
    struct fl_scheme_list redirects; /* without ports */
};

/* Take over `text` and read it. Each line is "key=value\n"; each known key stands there once, in
 * any order; other keys belong to newer versions and are skipped. Values are printable UTF-8.
 * What was read before a refusal stays in *out, so that the plugin can be named;
 * fl_manifest_done() it in any case. *memory = false when there was none.
 * Refuses with ABI_MAJOR, ABI_MINOR, BAD_NOTE, BAD_ID, BAD_SCHEME. */
enum fl_reject fl_manifest_read(char *text, struct fl_manifest *out, bool *memory,
                                struct fl_refusal *refusal) FL_CHECK;

void fl_manifest_done(struct fl_manifest *manifest);

const struct fl_scheme *fl_scheme_find(const struct fl_scheme_list *list, const char *name);

#endif
