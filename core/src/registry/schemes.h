/* SPDX-License-Identifier: Apache-2.0 */
/* Who serves which scheme. Settled once, constant afterwards: any thread. Internal to the module.
 */
#ifndef FL_REGISTRY_SCHEMES_H
#define FL_REGISTRY_SCHEMES_H

#include "config/config.h"
#include "registry/scan.h"

/* One scheme that somebody offers. */
struct fl_served {
    const char *name;         /* borrowed from a manifest */
    struct fl_plugin *plugin; /* NULL = nobody serves it */
    char *reason;             /* then: why */
};

struct fl_schemes {
    struct fl_served *items; /* by name */
    size_t count;
};

/* Decide among the accepted items of `list`; those that lose a scheme get a code and a reason, and
 * all get their `schemes`. Fails with NO_MEMORY; fl_schemes_done() it in any case. */
int32_t fl_schemes_settle(struct fl_found_list *list, const struct fl_config *config,
                          struct fl_schemes *out, struct flame_error *err) FL_CHECK;

void fl_schemes_done(struct fl_schemes *schemes);

const struct fl_served *fl_schemes_find(const struct fl_schemes *schemes, const char *name);

/* The names that are served, separated by ", ", as many as fit. */
void fl_schemes_text(const struct fl_schemes *schemes, char *out, size_t capacity);

#endif
