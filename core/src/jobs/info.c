/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/flame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CANONICAL_OFF "18446744073709551615"
#define MS_PER_S 1000

void flame_plugins(struct flame *flame,
                   int32_t (*visit)(void *data, const struct flame_plugin_info *info), void *data)
{
    struct flame_error ignored = FLAME_INIT(flame_error);
    struct fl_setup *setup;

    if (fl_flame_check(flame, &ignored) != FLAME_OK)
        return;
    setup = fl_flame_setup(flame);
    fl_registry_visit(setup->registry, visit, data);
    fl_setup_unref(setup);
}

/* The value as the user would write it: what is kept as a number of milliseconds gets its unit,
 * since a number alone means seconds. Returns `value` or `buffer`. */
static const char *as_written(const struct flame_option *option, const char *value, char *buffer,
                              size_t capacity)
{
    uint64_t ms;

    if (!value || !option->range)
        return value;
    if (strcmp(value, CANONICAL_OFF) == 0 && strstr(option->range, "|off"))
        return "off";
    if (option->type != FLAME_OPTION_DURATION)
        return value;
    ms = strtoull(value, NULL, 10);
    if (ms % MS_PER_S == 0)
        (void)snprintf(buffer, capacity, "%" PRIu64 "s", ms / MS_PER_S);
    else
        (void)snprintf(buffer, capacity, "%" PRIu64 "ms", ms);
    return buffer;
}

static int32_t visit_options(const struct fl_setup *setup,
                             const struct flame_option *const *options,
                             const struct fl_scope *scope,
                             int32_t (*visit)(void *data, const struct flame_option_info *info),
                             void *data)
{
    int32_t stop = 0;

    for (size_t i = 0; options && options[i] && !stop; i++) {
        struct flame_option_info info = FLAME_INIT(flame_option_info);
        const char *value = fl_config_option(setup->config, scope, options[i]->name, &info.source);
        char buffer[32];

        info.type = options[i]->type;
        info.name = options[i]->name;
        info.plugin = scope->plugin_id;
        info.help = options[i]->help;
        info.range = options[i]->range;
        info.value = as_written(options[i], value, buffer, sizeof(buffer));
        stop = visit(data, &info);
    }
    return stop;
}

static int32_t visit_plugin(struct fl_setup *setup, const char *plugin_id,
                            int32_t (*visit)(void *data, const struct flame_option_info *info),
                            void *data, struct flame_error *err)
{
    struct fl_plugin *plugin = fl_registry_by_id(setup->registry, plugin_id);
    const struct flame_plugin *table = NULL;
    struct flame_instance *instance = NULL;
    struct fl_scope scope = {.plugin_id = plugin_id};
    int32_t status;

    if (!plugin)
        return fl_fail(err, FLAME_ERR_UNSUPPORTED, "no plugin '%s'", plugin_id);
    status = fl_plugin_use(plugin, &table, &instance, err);
    if (status != FLAME_OK)
        return status;
    scope.plugin_options = fl_plugin_options(plugin);
    (void)visit_options(setup, scope.plugin_options, &scope, visit, data);
    return FLAME_OK;
}

int32_t flame_options(struct flame *flame, const char *plugin_id,
                      int32_t (*visit)(void *data, const struct flame_option_info *info),
                      void *data, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct fl_setup *setup = NULL;
    struct fl_scope scope = {0};
    int32_t status = fl_flame_check(flame, &own);

    if (status == FLAME_OK)
        setup = fl_flame_setup(flame);
    if (status == FLAME_OK && plugin_id)
        status = visit_plugin(setup, plugin_id, visit, data, &own);
    else if (status == FLAME_OK)
        (void)visit_options(setup, fl_options(), &scope, visit, data);
    fl_setup_unref(setup);
    if (status != FLAME_OK)
        fl_error_export(&own, err);
    return status;
}
