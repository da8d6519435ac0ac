/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include "deadline.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 24
#define QUOTA_SPARE ((size_t)256 << 20) /* a quota near the limit fails innocent streams too */
#define CATCH_UP_TURNS 2
#define AUTHORITY_MAX 320
#define TARGET_MAX 96

struct args {
    grpc_arg arg[ARGS_MAX];
    size_t count;
};

static void add_number(struct args *args, const char *key, int value)
{
    grpc_arg *arg = &args->arg[args->count++];

    arg->type = GRPC_ARG_INTEGER;
    arg->key = (char *)(uintptr_t)key;
    arg->value.integer = value;
}

static void add_text(struct args *args, const char *key, const char *value)
{
    grpc_arg *arg = &args->arg[args->count++];

    arg->type = GRPC_ARG_STRING;
    arg->key = (char *)(uintptr_t)key;
    arg->value.string = (char *)(uintptr_t)value;
}

static void add_quota(struct args *args, grpc_resource_quota *quota)
{
    grpc_arg *arg = &args->arg[args->count++];

    arg->type = GRPC_ARG_POINTER;
    arg->key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA;
    arg->value.pointer.p = quota;
    arg->value.pointer.vtable = grpc_resource_quota_arg_vtable();
}

/* ---- how it behaves -------------------------------------------------------------------------- */

static bool is_loopback(const struct fl_grpc_address *address)
{
    return strncmp(address->text, "127.", 4) == 0 || strcmp(address->text, "::1") == 0;
}

static int to_ms(int64_t ms)
{
    return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static void add_behaviour(struct args *args, const struct fl_grpc_exchange *exchange,
                          const struct fl_grpc_place *place)
{
    /* This one is the time that connecting may take, handshakes included. */
    add_number(args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, to_ms(fl_grpc_left_ms(place->deadline_ms)));
    add_number(args, GRPC_ARG_ENABLE_RETRIES, 0);
    add_number(args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    add_number(args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    add_number(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1);
    add_number(args, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1);
    add_number(args, GRPC_ARG_KEEPALIVE_TIME_MS,
               to_ms((int64_t)fl_grpc_number(exchange, "keepalive")));
    add_number(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
               to_ms((int64_t)fl_grpc_number(exchange, "keepalive_timeout")));
    add_number(args, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    /* Identity only: what inflates a message knows no bound. */
    add_number(args, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
    /* Costs a fifth of the speed where there is no distance to measure. */
    if (is_loopback(place->address))
        add_number(args, GRPC_ARG_HTTP2_BDP_PROBE, 0);
    if (fl_grpc_option(exchange, FLAME_OPT_NET_USER_AGENT))
        add_text(args, GRPC_ARG_PRIMARY_USER_AGENT_STRING,
                 fl_grpc_option(exchange, FLAME_OPT_NET_USER_AGENT));
}

/* "host:port" as the URL has it, which virtual servers look at. With another name for TLS it is
 * that one: gRPC holds each call's authority against the certificate. */
static void write_authority(const struct fl_grpc_exchange *exchange,
                            const struct fl_grpc_identity *identity, char out[AUTHORITY_MAX])
{
    const char *host = identity->is_secure ? identity->server_name : exchange->request->host;
    bool is_v6 = strchr(host, ':') != NULL;

    (void)snprintf(out, AUTHORITY_MAX, is_v6 ? "[%s]:%u" : "%s:%u", host, exchange->request->port);
}

/* The brackets are encoded as gRPC's parser of targets wants them. */
static void write_target(const struct fl_grpc_address *address, uint32_t port, char out[TARGET_MAX])
{
    (void)snprintf(out, TARGET_MAX, address->is_v6 ? "ipv6:%%5B%s%%5D:%u" : "ipv4:%s:%u",
                   address->text, port);
}

static grpc_channel *open_channel(const struct fl_grpc_exchange *exchange,
                                  const struct fl_grpc_place *place)
{
    grpc_channel_credentials *credentials = fl_grpc_credentials_new(place->identity);
    grpc_resource_quota *quota = grpc_resource_quota_create(NULL);
    struct args args = {.count = 0};
    grpc_channel_args all = {.args = args.arg};
    char authority[AUTHORITY_MAX];
    char target[TARGET_MAX];
    grpc_channel *channel;

    grpc_resource_quota_resize(quota,
                               (size_t)fl_grpc_number(exchange, "message_max") + QUOTA_SPARE);
    write_authority(exchange, place->identity, authority);
    write_target(place->address, exchange->request->port, target);
    add_behaviour(&args, exchange, place);
    add_quota(&args, quota);
    add_text(&args, GRPC_ARG_DEFAULT_AUTHORITY, authority);
    if (place->identity->is_secure)
        add_text(&args, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, place->identity->server_name);
    all.num_args = args.count;
    channel = credentials ? grpc_channel_create(target, credentials, &all) : NULL;
    grpc_resource_quota_unref(quota);
    grpc_channel_credentials_release(credentials);
    return channel;
}

struct fl_grpc_channel *fl_grpc_channel_new(const struct fl_grpc_exchange *exchange,
                                            const struct fl_grpc_place *place)
{
    struct fl_grpc_channel *channel = calloc(1, sizeof(*channel));

    if (!channel)
        return NULL;
    channel->channel = open_channel(exchange, place);
    channel->queue = grpc_completion_queue_create_for_next(NULL);
    if (channel->channel && channel->queue)
        return channel;
    fl_grpc_channel_free(channel);
    return NULL;
}

void fl_grpc_channel_free(struct fl_grpc_channel *channel)
{
    if (!channel)
        return;
    if (channel->channel)
        grpc_channel_destroy(channel->channel);
    if (channel->queue) {
        grpc_completion_queue_shutdown(channel->queue);
        while (grpc_completion_queue_next(channel->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
                   .type != GRPC_QUEUE_SHUTDOWN)
            ;
        grpc_completion_queue_destroy(channel->queue);
    }
    free(channel);
}

/* ---- whether it is up ------------------------------------------------------------------------ */

static gpr_timespec in_ms(int64_t ms)
{
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(ms, GPR_TIMESPAN));
}

/* Wait until the state is another one, `ms` at most. The queue serves nobody else meanwhile. */
static grpc_connectivity_state watch(struct fl_grpc_channel *channel, grpc_connectivity_state state,
                                     int64_t ms)
{
    grpc_channel_watch_connectivity_state(channel->channel, state, in_ms(ms), channel->queue,
                                          channel);
    (void)grpc_completion_queue_next(channel->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    return grpc_channel_check_connectivity_state(channel->channel, 0);
}

enum fl_grpc_state fl_grpc_channel_connect(struct fl_grpc_exchange *exchange,
                                           struct fl_grpc_channel *channel, int64_t deadline_ms)
{
    grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel->channel, 1);

    while (state != GRPC_CHANNEL_READY) {
        if (!fl_grpc_is_wanted(exchange))
            return FL_GRPC_UNWANTED;
        if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN)
            return FL_GRPC_DOWN;
        if (fl_grpc_left_ms(deadline_ms) == 0)
            return FL_GRPC_LATE;
        state = watch(channel, state, FL_GRPC_SLICE_MS);
    }
    return FL_GRPC_UP;
}

/* Take in what the connection has received while nobody drove a queue: each turn polls once,
 * whatever its deadline. A watch whose time is up at once would not. */
static void catch_up(struct fl_grpc_channel *channel)
{
    for (int turn = 0; turn < CATCH_UP_TURNS; turn++)
        (void)grpc_completion_queue_next(channel->queue, in_ms(0), NULL);
}

bool fl_grpc_channel_is_up(struct fl_grpc_channel *channel, int64_t ms)
{
    catch_up(channel);
    if (ms > 0)
        return watch(channel, GRPC_CHANNEL_READY, ms) == GRPC_CHANNEL_READY;
    return grpc_channel_check_connectivity_state(channel->channel, 0) == GRPC_CHANNEL_READY;
}
