/* SPDX-License-Identifier: Apache-2.0 */
#include "slot.h"

#include "channel.h"
#include "connect.h"
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

uint64_t fl_grpc_number(const struct fl_grpc_exchange *exchange, const char *name)
{
    const char *value = fl_grpc_option(exchange, name);

    return value ? strtoull(value, NULL, 10) : 0;
}

bool fl_grpc_is_secure(const struct fl_grpc_exchange *exchange)
{
    const char *scheme = exchange->request->scheme;

    return strcmp(scheme, "grpcs") == 0 || strcmp(scheme, "grpc+tls") == 0;
}

static int32_t refuse(const struct fl_grpc_exchange *exchange, bool is_reading)
{
    if (exchange->request->flags & FLAME_REQUEST_MUST_UNDERSTAND)
        return fl_grpc_fail(exchange, FLAME_ERR_UNSUPPORTED,
                            "the request has a flag that this plugin does not know");
    if (!is_reading && exchange->request->condition != FLAME_WHEN_ALWAYS)
        return fl_grpc_fail(exchange, FLAME_ERR_UNSUPPORTED,
                            "the object cache knows no such condition");
    if (exchange->request->query)
        return fl_grpc_fail(exchange, FLAME_ERR_INVALID_URL, "a grpc url has no query");
    if (!fl_grpc_runtime_is_ours())
        return fl_grpc_fail(exchange, FLAME_ERR_UNSUPPORTED,
                            "grpc does not work in a child of the process that started it");
    return FLAME_OK;
}

static int32_t work_once(struct fl_grpc_exchange *exchange,
                         int32_t (*work)(struct fl_grpc_exchange *exchange), bool is_reading,
                         bool is_new)
{
    int32_t status = fl_grpc_connect(exchange, is_new);

    if (status != FLAME_OK)
        return status;
    exchange->may_repeat = is_reading && exchange->channel->is_warm;
    status = work(exchange);
    fl_grpc_disconnect(exchange, exchange->refused == FLAME_OK && !exchange->is_broken);
    return status;
}

int32_t fl_grpc_run(struct fl_grpc_exchange *exchange,
                    int32_t (*work)(struct fl_grpc_exchange *exchange), bool is_reading)
{
    sigset_t before;
    int32_t status = refuse(exchange, is_reading);

    if (status != FLAME_OK)
        return status;
    fl_grpc_signals_block(&before);
    status = work_once(exchange, work, is_reading, false);
    if (exchange->must_repeat) {
        exchange->must_repeat = false;
        exchange->is_broken = false;
        status = work_once(exchange, work, is_reading, true);
    }
    fl_grpc_signals_restore(&before);
    return status;
}
