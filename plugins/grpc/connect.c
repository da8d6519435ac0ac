/* SPDX-License-Identifier: Apache-2.0 */
#include "connect.h"

#include "call.h"
#include "deadline.h"
#include "diagnose.h"
#include "pool.h"
#include "status.h"

#include <string.h>

/* ---- why not --------------------------------------------------------------------------------- */

/* A call on a channel that is down fails at once, with the reason that nothing else tells. */
static int32_t explain(struct fl_grpc_exchange *exchange, const struct fl_grpc_place *place)
{
    struct fl_grpc_metadata nothing = {.count = 0};
    struct fl_grpc_call *call = fl_grpc_call_new(exchange, "Handshake", &nothing);
    const char *reason = NULL;
    int32_t status;
    long x509 = 0;

    if (!call)
        return fl_grpc_fail_memory(exchange);
    if (fl_grpc_call_finish(call) == FL_GRPC_STOPPED) {
        fl_grpc_call_free(call);
        return exchange->refused;
    }
    if (place->identity->is_secure && !strstr(fl_grpc_call_end(call)->details, "remote host"))
        reason = fl_grpc_diagnose(exchange, place, &x509);
    if (x509 != 0)
        exchange->host->fail_detail(exchange->err, FLAME_DETAIL_X509, x509);
    status = reason ? fl_grpc_fail(exchange, FLAME_ERR_TLS, reason)
                    : fl_grpc_fail_connect(exchange, fl_grpc_call_end(call)->details);
    fl_grpc_call_free(call);
    return status;
}

static int32_t judge(struct fl_grpc_exchange *exchange, const struct fl_grpc_place *place,
                     enum fl_grpc_state state)
{
    switch (state) {
    case FL_GRPC_UP:
        return FLAME_OK;
    case FL_GRPC_UNWANTED:
        return exchange->refused;
    case FL_GRPC_LATE:
        return fl_grpc_fail(exchange, FLAME_ERR_TIMEOUT, "the server did not answer in time");
    case FL_GRPC_DOWN:
        break;
    }
    return explain(exchange, place);
}

/* ---- one address ----------------------------------------------------------------------------- */

static int32_t check_address(struct fl_grpc_exchange *exchange,
                             const struct fl_grpc_address *address)
{
    const struct flame_net_policy *policy = exchange->instance->policy;

    if (!policy)
        return FLAME_OK;
    exchange->refused = policy->check(exchange->transfer, address->text, exchange->request->port);
    return exchange->refused;
}

/* `says`: this is the last address, so its failure is stated. */
static int32_t dial(struct fl_grpc_exchange *exchange, const struct fl_grpc_place *place, bool says)
{
    enum fl_grpc_state state;
    int32_t status;

    exchange->channel = fl_grpc_channel_new(exchange, place);
    if (!exchange->channel)
        return fl_grpc_fail_memory(exchange);
    fl_grpc_progress(exchange, FLAME_PHASE_CONNECT);
    state = fl_grpc_channel_connect(exchange, exchange->channel, place->deadline_ms);
    status = says || state == FL_GRPC_UP || state == FL_GRPC_UNWANTED
                 ? judge(exchange, place, state)
                 : FLAME_ERR_NETWORK;
    if (status == FLAME_OK)
        return FLAME_OK;
    fl_grpc_channel_free(exchange->channel);
    exchange->channel = NULL;
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Of the time that is left, each address gets its share, the last one all. */
static int64_t share_until(int64_t deadline_ms, uint32_t left)
{
    int64_t ms = fl_grpc_left_ms(deadline_ms);

    return left == 1 || ms == INT64_MAX ? deadline_ms : fl_grpc_now_ms() + ms / left;
}

static int32_t dial_all(struct fl_grpc_exchange *exchange, const struct fl_grpc_identity *identity,
                        int64_t deadline_ms)
{
    struct fl_grpc_addresses found;
    int32_t status = fl_grpc_resolve(exchange, deadline_ms, &found);

    for (uint32_t i = 0; status == FLAME_OK && i < found.count; i++) {
        uint32_t left = found.count - i;
        struct fl_grpc_place place = {.address = &found.address[i], .identity = identity};

        status = check_address(exchange, place.address);
        if (status != FLAME_OK)
            return status;
        place.deadline_ms = share_until(deadline_ms, left);
        status = dial(exchange, &place, left == 1);
        if (status == FLAME_OK || exchange->refused != FLAME_OK)
            return status;
        if (left > 1)
            status = FLAME_OK;
    }
    return status;
}

static int32_t connect_as(struct fl_grpc_exchange *exchange, struct fl_grpc_identity *identity,
                          bool is_new)
{
    int64_t deadline_ms = fl_grpc_deadline(exchange->request->connect_timeout_ms);
    char key[FL_GRPC_KEY_SIZE];
    int32_t status = fl_grpc_identity_read(exchange, identity);

    if (status != FLAME_OK)
        return status;
    if (!fl_grpc_identity_key(exchange, identity, key))
        return fl_grpc_fail_memory(exchange);
    exchange->channel = is_new ? NULL : fl_grpc_pool_take(exchange->instance->pool, key);
    if (exchange->channel)
        return FLAME_OK;
    status = fl_grpc_identity_read_roots(exchange, identity);
    if (status == FLAME_OK)
        status = dial_all(exchange, identity, deadline_ms);
    if (status == FLAME_OK)
        memcpy(exchange->channel->key, key, sizeof(key));
    return status;
}

int32_t fl_grpc_connect(struct fl_grpc_exchange *exchange, bool is_new)
{
    struct fl_grpc_identity identity = {.is_secure = false};
    int32_t status;

    if (fl_grpc_option(exchange, FLAME_OPT_NET_PROXY))
        return fl_grpc_fail(exchange, FLAME_ERR_UNSUPPORTED,
                            "net.proxy: grpc does not go through a proxy");
    status = connect_as(exchange, &identity, is_new);
    fl_grpc_identity_done(&identity);
    return status;
}

void fl_grpc_disconnect(struct fl_grpc_exchange *exchange, bool is_good)
{
    if (is_good && exchange->channel)
        fl_grpc_pool_give(exchange->instance->pool, exchange->channel);
    else
        fl_grpc_channel_free(exchange->channel);
    exchange->channel = NULL;
}
