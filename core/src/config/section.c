/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config/settings.h"
#include "config/value.h"

#include <stdatomic.h>
#include <string.h>

struct candidate {
    const struct flame_option *option;
    const char *text;
    const char *source;
    struct fl_place place;
};

static int32_t add_value(struct fl_checked *checked, const struct candidate *candidate,
                         struct flame_error *err)
{
    fl_auto_free char *value = NULL;
    int32_t status =
        fl_value_canonical(candidate->option, candidate->text, &candidate->place, &value, err);

    if (status != FLAME_OK)
        return status;
    return fl_settings_set(&checked->values, candidate->option->name, value, candidate->source)
               ? FLAME_OK
               : fl_fail_memory(err);
}

static int32_t add_written(struct fl_checked *checked, const struct fl_section *section,
                           const struct flame_option *const *table, struct flame_error *err)
{
    for (size_t i = 0; section && i < section->options.count; i++) {
        const struct fl_setting *written = &section->options.items[i];
        const struct candidate candidate = {
            fl_option_find(table, written->name),
            written->value,
            written->source,
            {written->source, "plugins", section->key, written->name},
        };
        char where[FL_PLACE_MAX];
        int32_t status;

        if (!candidate.option)
            return fl_fail(err, FLAME_ERR_INVALID, "%s: the plugin has no such option",
                           fl_place_text(&candidate.place, where));
        status = add_value(checked, &candidate, err);
        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}

static int32_t add_defaults(struct fl_checked *checked, const struct flame_option *const *table,
                            struct flame_error *err)
{
    for (size_t i = 0; table && table[i]; i++) {
        const struct flame_option *option = table[i];
        const struct candidate candidate = {
            option,
            option->value,
            FL_SOURCE_DEFAULT,
            {checked->plugin_id, "default", NULL, option->name},
        };
        int32_t status;

        if (!option->name || !option->value || option->type == FLAME_OPTION_SECRET ||
            fl_settings_find(&checked->values, option->name))
            continue;
        status = add_value(checked, &candidate, err);
        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}

void fl_checked_free(struct fl_checked *checked)
{
    if (!checked)
        return;
    free(checked->plugin_id);
    fl_settings_done(&checked->values);
    free(checked);
}

const struct fl_checked *fl_checked_find(const struct fl_config *config, const char *plugin_id)
{
    const struct fl_checked *checked = atomic_load_explicit(&config->checked, memory_order_acquire);

    while (checked && strcmp(checked->plugin_id, plugin_id) != 0)
        checked = checked->next;
    return checked;
}

static int32_t check_section(const struct fl_config *config, const char *plugin_id,
                             const struct flame_option *const *table, struct fl_checked **out,
                             struct flame_error *err)
{
    struct fl_checked *checked = calloc(1, sizeof(*checked));
    int32_t status = FLAME_OK;

    if (checked)
        checked->plugin_id = strdup(plugin_id);
    if (!checked || !checked->plugin_id)
        status = fl_fail_memory(err);
    if (status == FLAME_OK)
        status = add_written(checked, fl_sections_find(&config->plugins, plugin_id), table, err);
    if (status == FLAME_OK)
        status = add_defaults(checked, table, err);
    if (status == FLAME_OK)
        *out = checked;
    else
        fl_checked_free(checked);
    return status;
}

int32_t fl_config_check_plugin(struct fl_config *config, const char *plugin_id,
                               const struct flame_option *const *plugin_options,
                               struct flame_error *err)
{
    struct fl_checked *checked = NULL;
    int32_t status = FLAME_OK;

    (void)pthread_mutex_lock(&config->lock);
    if (!fl_checked_find(config, plugin_id))
        status = check_section(config, plugin_id, plugin_options, &checked, err);
    if (checked) {
        checked->next = atomic_load_explicit(&config->checked, memory_order_relaxed);
        atomic_store_explicit(&config->checked, checked, memory_order_release);
    }
    (void)pthread_mutex_unlock(&config->lock);
    return status;
}
