/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/text.h"
#include "config/origin.h"
#include "config/settings.h"

#include <string.h>

static const struct fl_setting *find_in_origins(const struct fl_config *config, const char *origin,
                                                const char *name)
{
    const struct fl_setting *best = NULL;
    size_t best_fit = 0;

    for (size_t i = 0; origin && i < config->origins.count; i++) {
        const struct fl_section *section = &config->origins.items[i];
        size_t fit = fl_origin_fit(section->key, origin);
        const struct fl_setting *setting =
            fit > best_fit ? fl_settings_find(&section->options, name) : NULL;

        if (!setting)
            continue;
        best = setting;
        best_fit = fit;
    }
    return best;
}

static const struct fl_setting *find_shared(const struct fl_config *config,
                                            const struct fl_scope *scope, const char *name)
{
    const struct fl_setting *setting = fl_settings_find(&config->host, name);

    if (!setting)
        setting = find_in_origins(config, scope->origin, name);
    if (!setting)
        setting = fl_settings_find(&config->options, name);
    return setting ? setting : fl_settings_find(&config->defaults, name);
}

static const struct fl_setting *find_own(const struct fl_config *config,
                                         const struct fl_scope *scope, const char *name)
{
    const struct fl_checked *checked =
        scope->plugin_id ? fl_checked_find(config, scope->plugin_id) : NULL;

    return checked ? fl_settings_find(&checked->values, name) : NULL;
}

const char *fl_config_option(const struct fl_config *config, const struct fl_scope *scope,
                             const char *name, const char **source)
{
    static const struct fl_scope nowhere = {0};
    const struct fl_scope *where = scope ? scope : &nowhere;
    const char *value = fl_list_get(where->task_options, name);
    const struct fl_setting *setting = NULL;

    if (!value) {
        setting =
            strchr(name, '.') ? find_shared(config, where, name) : find_own(config, where, name);
        value = setting ? setting->value : NULL;
    }
    if (value && source)
        *source = setting ? setting->source : FL_SOURCE_TASK;
    return value;
}

uint64_t fl_config_number(const struct fl_config *config, const struct fl_scope *scope,
                          enum fl_core_option number)
{
    const char *value = fl_config_option(config, scope, fl_core_option(number)->name, NULL);

    return value ? fl_option_number(value) : 0;
}

const char *fl_config_secret(const struct fl_config *config, const char *origin, const char *name)
{
    const struct fl_section *section = fl_sections_find(&config->origins, origin);
    const struct fl_setting *secret = section ? fl_settings_find(&section->secrets, name) : NULL;

    return secret ? secret->value : NULL;
}

void fl_config_each_secret(const struct fl_config *config,
                           void (*visit)(void *data, const char *name, const char *value),
                           void *data)
{
    for (size_t i = 0; i < config->origins.count; i++) {
        const struct fl_settings *secrets = &config->origins.items[i].secrets;

        for (size_t j = 0; j < secrets->count; j++)
            visit(data, secrets->items[j].name, secrets->items[j].value);
    }
}

const char *fl_config_pin(const struct fl_config *config, const char *scheme)
{
    const struct fl_setting *pin = fl_settings_find(&config->pins, scheme);

    return pin ? pin->value : NULL;
}

const char *const *fl_config_plugin_dirs(const struct fl_config *config)
{
    static const char *const none[] = {NULL};

    return config->plugin_dirs.items ? (const char *const *)config->plugin_dirs.items : none;
}
