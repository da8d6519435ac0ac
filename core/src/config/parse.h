/* SPDX-License-Identifier: Apache-2.0 */
/* One configuration file's JSON into a configuration. Internal to the module. */
#ifndef FL_CONFIG_PARSE_H
#define FL_CONFIG_PARSE_H

#include "config/file.h"
#include "config/settings.h"

/* What exists before any file is read: defaults, an empty configuration. Fails with NO_MEMORY. */
int32_t fl_config_new(struct fl_config **out, struct flame_error *err) FL_CHECK;

/* Put what `text` says over what `config` holds. `path` names it in messages and as a source.
 * On failure `config` may hold some of it and is good for fl_config_free() only.
 * Fails with INVALID, IO (a secret's file), NO_MEMORY. */
int32_t fl_config_parse(struct fl_config *config, const struct fl_file *text, const char *path,
                        struct flame_error *err) FL_CHECK;

/* The same for the file at `path`. Fails with IO too. */
int32_t fl_config_read(struct fl_config *config, const char *path,
                       struct flame_error *err) FL_CHECK;

#endif
