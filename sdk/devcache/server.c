/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include "call.h"
#include "credentials.h"

#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESS_MAX 300
#define LEAVE_MS 1000 /* calls under way have to end by themselves */
#define KEEPALIVE_MS 60000
#define PING_MS 1000 /* clients may ask so often whether we are alive */

struct fl_cache_server {
    struct fl_cache_hub hub;
    uint16_t port;
    uint32_t threads; /* to be started, then started */
    pthread_t *thread;
    uint32_t max_calls;
    bool is_stopped; /* gRPC has no more calls; under the hub's lock */
};

/* gRPC tells of every client that breaks off; only what it dies of is worth a line. */
static void say_little(gpr_log_func_args *args)
{
    if (strstr(args->message, "assertion failed"))
        (void)fprintf(stderr, "flame-devcache: grpc: %s\n", args->message);
}

/* ---- listening ------------------------------------------------------------------------------- */

static grpc_arg number(const char *key, int value)
{
    grpc_arg arg = {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key};

    arg.value.integer = value;
    return arg;
}

/* On a line without delay the probing of bandwidth only makes windows, and memory, larger. */
static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

/* No limit on the size of a message, since an object is one; the quota bounds the memory of all.
 * Clients may ping as they like: some do, while a large answer is being compressed. */
static grpc_server *create(const struct fl_cache_server_config *config)
{
    grpc_resource_quota *quota = grpc_resource_quota_create("flame-devcache");
    grpc_arg args[] = {
        number(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
        number(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
        number(GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)config->max_calls),
        number(GRPC_ARG_ALLOW_REUSEPORT, 0),
        number(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS),
        number(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        number(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_MS),
        number(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0),
        number(GRPC_ARG_HTTP2_BDP_PROBE, !is_loopback(config->host)),
        number(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1),
        {.type = GRPC_ARG_POINTER, .key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA},
    };
    grpc_channel_args list = {sizeof(args) / sizeof(args[0]), args};
    grpc_server *server;

    args[list.num_args - 1].value.pointer.p = quota;
    args[list.num_args - 1].value.pointer.vtable = grpc_resource_quota_arg_vtable();
    grpc_resource_quota_resize(quota, (size_t)config->memory);
    server = grpc_server_create(&list, NULL);
    grpc_resource_quota_unref(quota);
    return server;
}

static bool bind_port(struct fl_cache_server *server, const struct fl_cache_server_config *config,
                      struct fl_cache_status *status)
{
    grpc_server_credentials *credentials = fl_cache_credentials(config, status);
    bool has_colon = strchr(config->host, ':') != NULL;
    char address[ADDRESS_MAX];

    if (!credentials)
        return false;
    (void)snprintf(address, sizeof(address), has_colon ? "[%s]:%u" : "%s:%u", config->host,
                   config->port);
    server->port = (uint16_t)grpc_server_add_http2_port(server->hub.server, address, credentials);
    grpc_server_credentials_release(credentials);
    if (server->port != 0)
        return true;
    return fl_cache_fail(status, FL_CACHE_FAILED_PRECONDITION, "could not listen at %s%s", address,
                         config->certificate ? ", or not with this certificate and key" : "");
}

/* Waits on it go by the clock that nobody sets. */
static void init_changed(pthread_cond_t *changed)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

bool fl_cache_server_open(struct fl_cache_server **out, const struct fl_cache_server_config *config,
                          struct fl_cache_status *status)
{
    struct fl_cache_server *server = calloc(1, sizeof(*server));

    if (!server)
        return fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    gpr_set_log_function(say_little);
    grpc_init();
    (void)pthread_mutex_init(&server->hub.lock, NULL);
    init_changed(&server->hub.changed);
    server->hub.faults = config->faults;
    server->hub.is_verbose = config->is_verbose;
    server->max_calls = config->max_calls;
    server->hub.free_calls = config->max_calls;
    server->threads = config->threads;
    server->hub.queue = grpc_completion_queue_create_for_next(NULL);
    server->hub.server = create(config);
    grpc_server_register_completion_queue(server->hub.server, server->hub.queue, NULL);
    if (bind_port(server, config, status)) {
        *out = server;
        return true;
    }
    server->threads = 0;
    fl_cache_server_stop(server);
    return false;
}

uint16_t fl_cache_server_port(const struct fl_cache_server *server)
{
    return server->port;
}

/* ---- serving --------------------------------------------------------------------------------- */

static void note_stopped(struct fl_cache_server *server)
{
    (void)pthread_mutex_lock(&server->hub.lock);
    server->is_stopped = true;
    (void)pthread_cond_signal(&server->hub.changed);
    (void)pthread_mutex_unlock(&server->hub.lock);
}

static gpr_timespec in_ms(uint64_t ms)
{
    return ms == UINT64_MAX ? gpr_inf_future(GPR_CLOCK_MONOTONIC)
                            : gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                           gpr_time_from_millis((int64_t)ms, GPR_TIMESPAN));
}

static void *serve(void *context)
{
    struct fl_cache_server *server = context;
    grpc_event event = {.type = GRPC_QUEUE_TIMEOUT};

    (void)pthread_setname_np(pthread_self(), "cache-serve");
    while (event.type != GRPC_QUEUE_SHUTDOWN) {
        gpr_timespec until = in_ms(fl_cache_hub_wake(&server->hub));

        event = grpc_completion_queue_next(server->hub.queue, until, NULL);
        if (event.type == GRPC_OP_COMPLETE && event.tag == server)
            note_stopped(server);
        else if (event.type == GRPC_OP_COMPLETE)
            fl_cache_call_event(event.tag, event.success != 0);
    }
    return NULL;
}

bool fl_cache_server_start(struct fl_cache_server *server, const struct fl_cache_service *service,
                           struct fl_cache_status *status)
{
    uint32_t wanted = server->threads;

    server->hub.service = service;
    server->threads = 0;
    server->thread = calloc(wanted, sizeof(pthread_t));
    if (!server->thread)
        return fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    grpc_server_start(server->hub.server);
    while (server->threads < wanted) {
        if (pthread_create(&server->thread[server->threads], NULL, serve, server) != 0)
            return fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "could not start a thread");
        server->threads++;
    }
    return true;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Under the lock. A call that gRPC has no more may still be handled, and begin something: the queue
 * has to be there for all of them. */
static bool is_over(const struct fl_cache_server *server)
{
    return server->is_stopped && server->hub.free_calls == server->max_calls;
}

static void wait_stopped(struct fl_cache_server *server)
{
    struct timespec until;
    int late = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LEAVE_MS / 1000;
    (void)pthread_mutex_lock(&server->hub.lock);
    while (!is_over(server) && late == 0)
        late = pthread_cond_timedwait(&server->hub.changed, &server->hub.lock, &until);
    (void)pthread_mutex_unlock(&server->hub.lock);
    grpc_server_cancel_all_calls(server->hub.server);
    (void)pthread_mutex_lock(&server->hub.lock);
    while (!is_over(server))
        (void)pthread_cond_wait(&server->hub.changed, &server->hub.lock);
    (void)pthread_mutex_unlock(&server->hub.lock);
}

static void stop_serving(struct fl_cache_server *server)
{
    (void)pthread_mutex_lock(&server->hub.lock);
    server->hub.is_stopping = true;
    (void)pthread_mutex_unlock(&server->hub.lock);
    grpc_server_shutdown_and_notify(server->hub.server, server->hub.queue, server);
    if (server->threads > 0)
        wait_stopped(server);
    grpc_completion_queue_shutdown(server->hub.queue);
    if (server->threads == 0)
        (void)serve(server);
    for (uint32_t i = 0; i < server->threads; i++)
        (void)pthread_join(server->thread[i], NULL);
}

/* gRPC itself is not shut down: it would wait up to ten seconds for a poller of its own that was
 * started by a write that blocked, and the program is about to end. */
void fl_cache_server_stop(struct fl_cache_server *server)
{
    if (!server)
        return;
    stop_serving(server);
    grpc_server_destroy(server->hub.server);
    grpc_completion_queue_destroy(server->hub.queue);
    (void)pthread_cond_destroy(&server->hub.changed);
    (void)pthread_mutex_destroy(&server->hub.lock);
    free(server->thread);
    free(server);
}
