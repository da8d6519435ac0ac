/* SPDX-License-Identifier: Apache-2.0 */
#include "run/flame.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_WORKERS 64

static int32_t open_parts(struct flame *flame, const struct flame_config *config,
                          struct flame_error *err)
{
    uint32_t workers = config->workers ? config->workers : DEFAULT_WORKERS;
    int32_t status = fl_config_load(config, &flame->config, err);

    if (status != FLAME_OK)
        return status;
    flame->core.config = flame->config;
    status =
        fl_registry_open(flame->config, NULL, fl_host_table(), &flame->core, &flame->registry, err);
    if (status == FLAME_OK)
        status = fl_watchdog_open(&flame->watchdog, err);
    if (status == FLAME_OK)
        status = fl_pool_open(workers, &flame->pool, err);
    return status;
}

int32_t flame_open(const struct flame_config *config, struct flame **out, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct flame_config said = FLAME_INIT(flame_config);
    struct flame *flame = calloc(1, sizeof(*flame));
    int32_t status;

    if (config)
        memcpy(&said, config,
               config->struct_size < sizeof(said) ? config->struct_size : sizeof(said));
    said.struct_size = sizeof(said);
    if (!flame) {
        status = fl_fail_memory(&own);
        fl_error_export(&own, err);
        return status;
    }
    flame->pid = getpid();
    flame->core.log = said.log;
    flame->core.log_data = said.log_data;
    flame->core.log_level = said.log_level ? said.log_level : FLAME_LOG_ERROR;
    (void)pthread_mutex_init(&flame->core.log_lock, NULL);
    status = open_parts(flame, &said, &own);
    if (status == FLAME_OK) {
        *out = flame;
        return FLAME_OK;
    }
    flame_close(flame);
    fl_error_export(&own, err);
    return status;
}

void flame_close(struct flame *flame)
{
    /* In a fork's child the threads to be joined do not exist; the memory goes with the process. */
    if (!flame || flame->pid != getpid())
        return;
    fl_pool_close(flame->pool);
    fl_watchdog_close(flame->watchdog);
    fl_registry_close(flame->registry);
    fl_config_free(flame->config);
    (void)pthread_mutex_destroy(&flame->core.log_lock);
    free(flame);
}

int32_t fl_flame_check(const struct flame *flame, struct flame_error *err)
{
    if (flame->pid == getpid())
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_INTERNAL, "the context was opened before a fork");
}
