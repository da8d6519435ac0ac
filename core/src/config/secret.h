/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a secret in the configuration. Internal to the module. */
#ifndef FL_CONFIG_SECRET_H
#define FL_CONFIG_SECRET_H

#include "base/error.h"
#include "config/place.h"

#include <stdbool.h>

/* Does the text stand for itself, rather than for a file "@/abs/file"? */
bool fl_secret_is_literal(const char *text);

/* The secret that `text` means: itself, or the file's bytes without one trailing line end.
 * *out: to be fl_wipe_free()d. No message ever holds any of it.
 * Fails with INVALID, IO, NO_MEMORY. */
int32_t fl_secret_read(const char *text, const struct fl_place *place, char **out,
                       struct flame_error *err) FL_CHECK;

#endif
