/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of settings that know where they come from, and the configuration made of them.
 * Internal to the module. */
#ifndef FL_CONFIG_SETTINGS_H
#define FL_CONFIG_SETTINGS_H

#include "config/config.h"

#include <pthread.h>

#define FL_SOURCE_DEFAULT "default"
#define FL_SOURCE_OPTION "option"
#define FL_SOURCE_TASK "task"

struct fl_setting {
    char *name;
    char *value;
    const char *source; /* borrowed: a literal, or one of fl_config.files */
};

/* One setting per name. {0} is empty. */
struct fl_settings {
    struct fl_setting *items;
    size_t count;
};

/* Set or replace; false = no memory. */
bool fl_settings_set(struct fl_settings *settings, const char *name, const char *value,
                     const char *source) FL_CHECK;
const struct fl_setting *fl_settings_find(const struct fl_settings *settings, const char *name);
void fl_settings_done(struct fl_settings *settings); /* wipes every value */

/* What stands below one origin or one plugin. */
struct fl_section {
    char *key;
    struct fl_settings options; /* an origin's are canonical, a plugin's as they were written */
    struct fl_settings secrets;
};

struct fl_sections {
    struct fl_section *items;
    size_t count;
};

/* The section of `key`, made when it is missing; NULL = no memory. Valid until the next call. */
struct fl_section *fl_sections_open(struct fl_sections *sections, const char *key);
const struct fl_section *fl_sections_find(const struct fl_sections *sections, const char *key);
void fl_sections_done(struct fl_sections *sections);

/* A NULL-terminated list of strings. {0} is empty. */
struct fl_strings {
    char **items;
    size_t count;
};

bool fl_strings_add(struct fl_strings *strings, const char *text) FL_CHECK; /* false = no memory */
void fl_strings_done(struct fl_strings *strings);

/* A plugin's own options, canonical, defaults included. Constant once it is in the list. */
struct fl_checked {
    char *plugin_id;
    struct fl_settings values;
    struct fl_checked *next;
};

const struct fl_checked *fl_checked_find(const struct fl_config *config, const char *plugin_id);
void fl_checked_free(struct fl_checked *checked); /* takes NULL */

struct fl_config {
    struct fl_strings files; /* those that were read: the sources of settings */
    struct fl_settings defaults;
    struct fl_settings host; /* flame_config.options */
    struct fl_settings options;
    struct fl_settings pins;
    struct fl_sections origins;
    struct fl_sections plugins;
    struct fl_strings file_dirs; /* "plugin_path" of the last file that has one */
    struct fl_strings plugin_dirs;
    pthread_mutex_t lock;               /* for additions to `checked`; readers need none */
    struct fl_checked *_Atomic checked; /* grows at its head only */
};

#endif
