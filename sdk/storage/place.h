/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of an application's packages: <base>/<application>/pkg/. A query of the base (a token
 * of a signed URL) stays at the end of each URL. No state; any thread. */
#ifndef SDK_STORAGE_PLACE_H
#define SDK_STORAGE_PLACE_H

#include "base/error.h"

#include <flame/fetch.h>

struct sdk_place {
    char *folder; /* as said, with "/<application>/pkg/"; may hold a password */
    char *query;  /* "?..." or "" */
    char *shown;  /* the folder as it may be told to people */
    char *scheme;
};

/* `said_by`: who named the base, or NULL. `out` is {0} before; sdk_place_done() it, also after a
 * failure. Fails with INVALID (application), INVALID_URL, UNSUPPORTED (no plugin has the scheme),
 * NO_MEMORY. */
int32_t sdk_place_make(struct flame *flame, const char *base, const char *app,
                       struct sdk_place *out, struct flame_error *err) FL_CHECK;
void sdk_place_done(struct sdk_place *place);

/* The URL of a package; of the folder itself, without '/' at its end, with NULL. *out:
 * fl_wipe_free() it. Fails with UNSAFE_NAME, NO_MEMORY. */
int32_t sdk_place_url(const struct sdk_place *place, const char *name, char **out,
                      struct flame_error *err) FL_CHECK;

#endif
