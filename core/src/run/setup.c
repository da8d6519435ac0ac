/* SPDX-License-Identifier: Apache-2.0 */
#include "run/engine.h"

static int32_t fill(struct fl_setup *setup, const struct flame_config *config,
                    struct flame_error *err)
{
    int32_t status = fl_config_load(config, &setup->config, err);

    if (status != FLAME_OK)
        return status;
    setup->core.config = setup->config;
    setup->pace.bytes_per_second = fl_config_number(setup->config, NULL, FL_OPT_RATE_TOTAL);
    return fl_registry_open(setup->config, NULL, fl_host_table(), &setup->core, &setup->registry,
                            err);
}

int32_t fl_setup_new(const struct flame_config *config, const struct fl_log_target *log,
                     struct fl_setup **out, struct flame_error *err)
{
    struct fl_setup *setup = calloc(1, sizeof(*setup));
    int32_t status;

    if (!setup)
        return fl_fail_memory(err);
    atomic_init(&setup->references, 1);
    fl_pace_init(&setup->pace, UINT64_MAX);
    setup->core.log = log->log;
    setup->core.log_data = log->data;
    setup->core.log_level = log->level;
    setup->core.log_lock = log->lock;
    status = fill(setup, config, err);
    if (status == FLAME_OK)
        *out = setup;
    else
        fl_setup_unref(setup);
    return status;
}

struct fl_setup *fl_setup_ref(struct fl_setup *setup)
{
    atomic_fetch_add(&setup->references, 1);
    return setup;
}

void fl_setup_unref(struct fl_setup *setup)
{
    if (!setup || atomic_fetch_sub(&setup->references, 1) > 1)
        return;
    fl_registry_close(setup->registry);
    fl_config_free(setup->config);
    fl_pace_done(&setup->pace);
    free(setup);
}
