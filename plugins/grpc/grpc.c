/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"
#include "pool.h"
#include "runtime.h"
#include "slot.h"

#include <stdlib.h>

/* ---- instances ------------------------------------------------------------------------------- */

static int32_t grpc_plugin_init(const struct flame_host *host, struct flame_instance **out,
                                struct flame_error *err)
{
    struct flame_instance *instance = calloc(1, sizeof(*instance));
    struct fl_grpc_pool *pool = fl_grpc_pool_new();

    if (!instance || !pool) {
        fl_grpc_pool_free(pool);
        free(instance);
        return host->fail(err, FLAME_ERR_NO_MEMORY, "out of memory");
    }
    fl_grpc_runtime_start();
    instance->host = host;
    instance->policy = host->get_extension(host, FLAME_EXT_NET_POLICY);
    instance->pool = pool;
    *out = instance;
    return FLAME_OK;
}

static void grpc_plugin_shutdown(struct flame_instance *instance)
{
    sigset_t before;

    /* A child of fork() has the memory, but none of the threads that closing a channel needs. */
    if (fl_grpc_runtime_is_ours()) {
        fl_grpc_signals_block(&before);
        fl_grpc_pool_free(instance->pool);
        fl_grpc_signals_restore(&before);
    }
    free(instance);
}

/* ---- slots ----------------------------------------------------------------------------------- */

#define EXCHANGE                                                                                   \
    {                                                                                              \
        .instance = instance, .host = instance->host, .request = request, .transfer = transfer,    \
        .err = err                                                                                 \
    }

static int32_t grpc_plugin_fetch(struct flame_instance *instance,
                                 const struct flame_request *request,
                                 struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_grpc_exchange exchange = EXCHANGE;

    return fl_grpc_run(&exchange, fl_grpc_fetch, true);
}

static int32_t grpc_plugin_store(struct flame_instance *instance,
                                 const struct flame_request *request,
                                 struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_grpc_exchange exchange = EXCHANGE;

    return fl_grpc_run(&exchange, fl_grpc_store, false);
}

static int32_t grpc_plugin_remove(struct flame_instance *instance,
                                  const struct flame_request *request,
                                  struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_grpc_exchange exchange = EXCHANGE;

    return fl_grpc_run(&exchange, fl_grpc_remove, false);
}

static int32_t grpc_plugin_stat(struct flame_instance *instance,
                                const struct flame_request *request,
                                struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_grpc_exchange exchange = EXCHANGE;

    return fl_grpc_run(&exchange, fl_grpc_stat, true);
}

static int32_t grpc_plugin_list(struct flame_instance *instance,
                                const struct flame_request *request,
                                struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_grpc_exchange exchange = EXCHANGE;

    return fl_grpc_run(&exchange, fl_grpc_list, true);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct flame_option keepalive = {
    sizeof(keepalive),
    FLAME_OPTION_DURATION,
    "keepalive",
    "30s",
    "after so long without a byte the server is asked whether it lives",
    "1s..1h"};
static const struct flame_option keepalive_timeout = {sizeof(keepalive_timeout),
                                                      FLAME_OPTION_DURATION,
                                                      "keepalive_timeout",
                                                      "30s",
                                                      "how long its answer may take",
                                                      "1s..1h"};
static const struct flame_option message_max = {
    sizeof(message_max),
    FLAME_OPTION_SIZE,
    "message_max",
    "2G",
    "largest message taken; a cache sends an object as one, and it is held in memory",
    "1m..3G"};
static const struct flame_option list_max = {
    sizeof(list_max),
    FLAME_OPTION_INTEGER,
    "list_max",
    "1000000",
    "objects of a cache to look at for a listing or a stat",
    "1..1000000000"};

static const struct flame_option *const options[] = {&keepalive, &keepalive_timeout, &message_max,
                                                     &list_max, NULL};

FLAME_PLUGIN("org.flame.grpc", "0.1.0", "grpc:9090 grpcs:9090 grpc+tls:9090 grpc+tcp:9090",
             "flame's object cache, arrow flight over grpc")
{
    plugin->caps = FLAME_CAN_CHANGED | FLAME_CAN_STORE_STREAM | FLAME_CAN_REMOVE_PREFIX;
    plugin->options = options;
    plugin->init = grpc_plugin_init;
    plugin->shutdown = grpc_plugin_shutdown;
    plugin->fetch = grpc_plugin_fetch;
    plugin->store = grpc_plugin_store;
    plugin->remove = grpc_plugin_remove;
    plugin->stat = grpc_plugin_stat;
    plugin->list = grpc_plugin_list;
}
