/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: what the files and the host program said, checked once, constant afterwards.
 *
 * One JSON object (jansson; duplicate keys refused), read in this order, later files over earlier
 * ones key by key ("plugin_path" as a whole): /etc/flame/fetch.json,
 * $XDG_CONFIG_HOME/flame/fetch.json (or ~/.config/...). An explicit file replaces both. With
 * FLAME_CONFIG_NO_ENVIRONMENT only an explicit file is read, not even the one in /etc: a daemon's
 * behaviour has one place.
 *
 *   {
 *     "plugin_path": ["/abs/dir", ...],
 *     "pins":        {"scheme": "plugin.id", ...},
 *     "options":     {"time.stall": "10s", "tls.ca": "/abs/ca.pem", ...},
 *     "origins":     {"https://host:443": {"auth.bearer": "@/abs/file", "tls.min": "1.3"},
 *                     "https://[*].example.org:443": {...}},   (written without the brackets)
 *     "plugins":     {"plugin.id": {"own_option": "value"}}
 *   }
 *
 * Values are strings, numbers or true/false. An unknown key is an error that names its path; a
 * syntax error names the line. An origin is in lower case and names its port; "*." stands for one
 * label or more (origin.h). Secrets stand below exact origins only, literally or as "@/abs/file"
 * (read at load, trailing line end removed, 1 MiB at most); a file that holds a literal secret and
 * is readable by others is refused. Files are bounded to 1 MiB, objects to 4096 keys, nesting by
 * jansson.
 *
 * Lookup of an option, first hit wins: the task, the host program (flame_config.options), the
 * longest matching origin that sets it, the plugin's section or "options", the default.
 * Constant after fl_config_load(): any thread. */
#ifndef FL_CONFIG_CONFIG_H
#define FL_CONFIG_CONFIG_H

#include "config/option.h"

#include <flame/fetch.h>

struct fl_config;

/* Read the files that apply and check what can be checked without plugins. `config` may be NULL, or
 * shorter than ours. Fails with INVALID (file and key or line in the message), IO (a file that
 * cannot be read; standard ones may be missing), NO_MEMORY. */
int32_t fl_config_load(const struct flame_config *config, struct fl_config **out,
                       struct flame_error *err) FL_CHECK;
void fl_config_free(struct fl_config *config); /* takes NULL; wipes secrets */

/* Where to look something up. All may be NULL. */
struct fl_scope {
    const char *const *task_options; /* canonical values: fl_config_check_task() */
    const char *origin;              /* "scheme://host:port" */
    const char *plugin_id;           /* for a plugin's own options (names without a dot) */
    const struct flame_option *const *plugin_options; /* that plugin's table */
};

/* The canonical value, or NULL when it is neither set nor defaulted; "" is a value. *source (may be
 * NULL; untouched without a value): "default", "option", "task" or the file's path. Borrowed from
 * the config or the scope. A name that no table has: NULL. `scope` may be NULL. A plugin's own
 * options answer from fl_config_check_plugin() on. */
const char *fl_config_option(const struct fl_config *config, const struct fl_scope *scope,
                             const char *name, const char **source);

/* The number of a core option within `scope`. */
uint64_t fl_config_number(const struct fl_config *config, const struct fl_scope *scope,
                          enum fl_core_option number);

/* A secret that the configuration holds for exactly this origin; borrowed; or NULL. */
const char *fl_config_secret(const struct fl_config *config, const char *origin, const char *name);
/* Every secret of every origin, so that none is ever shown. */
void fl_config_each_secret(const struct fl_config *config,
                           void (*visit)(void *data, const char *name, const char *value),
                           void *data);

/* Check and canonicalise a task's "name, value, ..." list into `out` (struct fl_pairs of text.h,
 * which is overwritten). Names without a dot are looked up in `plugin_options`; of a name said
 * twice the last counts. Fails with INVALID, NO_MEMORY. */
struct fl_pairs;
int32_t fl_config_check_task(const char *const *options,
                             const struct flame_option *const *plugin_options, struct fl_pairs *out,
                             struct flame_error *err) FL_CHECK;

/* At a plugin's first load: canonicalise its section against its table, so that option lookups can
 * answer. Thread-safe; the second call for one id does nothing, after a failure it fails again.
 * Fails with INVALID, NO_MEMORY. */
int32_t fl_config_check_plugin(struct fl_config *config, const char *plugin_id,
                               const struct flame_option *const *plugin_options,
                               struct flame_error *err) FL_CHECK;

/* The id that the configuration pins `scheme` to, or NULL. */
const char *fl_config_pin(const struct fl_config *config, const char *scheme);

/* Plugin directories in order: flame_config.plugin_dirs, FLAME_PLUGIN_PATH (absolute entries,
 * empty ones skipped, secure_getenv, unless NO_ENVIRONMENT), "plugin_path" of the files;
 * NULL-terminated, borrowed. The shipped directory is the registry's to append. */
const char *const *fl_config_plugin_dirs(const struct fl_config *config);

#endif
