/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/text.h"

#include <string.h>

static int32_t check_one(const char *name, const char *text,
                         const struct flame_option *const *table, struct fl_pairs *out,
                         struct flame_error *err)
{
    const struct flame_option *option = fl_option_find(table, name);
    fl_auto_free char *value = NULL;
    int32_t status;

    if (fl_is_secret(name))
        return fl_fail(err, FLAME_ERR_INVALID, "option '%.80s': is a secret, not an option", name);
    if (!option)
        return fl_fail(err, FLAME_ERR_INVALID, "option '%.80s': there is no such option", name);
    if (!text)
        return fl_fail(err, FLAME_ERR_INVALID, "option '%.80s': has no value", name);
    status = fl_option_canonical(option, text, &value, err);
    if (status != FLAME_OK)
        return status;
    return fl_pairs_set(out, name, value) ? FLAME_OK : fl_fail_memory(err);
}

int32_t fl_config_check_task(const char *const *options,
                             const struct flame_option *const *plugin_options, struct fl_pairs *out,
                             struct flame_error *err)
{
    struct fl_pairs pairs = {0};

    for (size_t i = 0; options && options[i]; i += 2) {
        bool shared = strchr(options[i], '.') != NULL;
        int32_t status = check_one(options[i], options[i + 1],
                                   shared ? fl_options() : plugin_options, &pairs, err);

        if (status != FLAME_OK) {
            fl_pairs_done(&pairs, false);
            return status;
        }
    }
    *out = pairs;
    return FLAME_OK;
}
