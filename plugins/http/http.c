/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include "pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- instances ------------------------------------------------------------------------------- */

/* Process-wide and for good: libcurl cannot be stopped safely while threads may use it. */
static void start_libcurl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int32_t http_init(const struct flame_host *host, struct flame_instance **out,
                         struct flame_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct flame_instance *instance = calloc(1, sizeof(*instance));

    (void)pthread_once(&once, start_libcurl);
    if (!instance)
        return host->fail(err, FLAME_ERR_NO_MEMORY, "out of memory");
    instance->host = host;
    instance->policy = host->get_extension(host, FLAME_EXT_NET_POLICY);
    instance->pool = fl_http_pool_new();
    if (!instance->pool) {
        free(instance);
        return host->fail(err, FLAME_ERR_NO_MEMORY, "out of memory");
    }
    *out = instance;
    return FLAME_OK;
}

static void http_shutdown(struct flame_instance *instance)
{
    fl_http_pool_free(instance->pool);
    free(instance);
}

/* ---- the key of a connection ----------------------------------------------------------------- */

/* FNV-1a, to tell identities apart in a key; libcurl compares them in full before it reuses. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3ULL;
    return hash;
}

static uint64_t mix_secret(const struct fl_exchange *exchange, uint64_t hash, const char *name)
{
    char value[4096];
    uint64_t size = 0;
    int32_t status = exchange->host->secret_get(exchange->transfer, name, exchange->request->origin,
                                                value, sizeof(value), &size);

    if (status == FLAME_OK)
        hash = mix(hash, value, (size_t)size);
    explicit_bzero(value, sizeof(value));
    return mix(hash, &size, sizeof(size));
}

static char *connection_key(const struct fl_exchange *exchange)
{
    static const char *const names[] = {
        FLAME_OPT_TLS_CA, FLAME_OPT_TLS_MIN,   FLAME_OPT_TLS_PIN, FLAME_OPT_TLS_VERIFY,
        FLAME_OPT_NET_IP, FLAME_OPT_NET_PROXY, "resolve",         "connect_to",
        "unix_socket"};
    const struct flame_net_policy *policy = exchange->instance->policy;
    uint64_t hash = policy ? policy->id(exchange->transfer) : 0;
    long version = fl_http_version(exchange);
    char *key = NULL;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *value = fl_http_option(exchange, names[i]);

        hash = mix(hash, value ? value : "", value ? strlen(value) + 1 : 0);
        hash = mix(hash, "\n", 1);
    }
    hash = mix(hash, &version, sizeof(version));
    hash = mix_secret(exchange, hash, FLAME_SECRET_TLS_CERT);
    hash = mix_secret(exchange, hash, FLAME_SECRET_TLS_KEY);
    if (asprintf(&key, "%s %016llx", exchange->request->origin, (unsigned long long)hash) < 0)
        return NULL;
    return key;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static bool is_wanted(void *data)
{
    struct fl_exchange *exchange = data;

    /* Waiting for one of our own handles is no silence of the peer's. */
    exchange->host->progress(exchange->transfer, FLAME_PHASE_START, 0);
    exchange->refused = exchange->host->cancelled(exchange->transfer);
    return exchange->refused == FLAME_OK;
}

static int32_t run_on(struct fl_exchange *exchange, struct fl_http_handle *handle)
{
    int32_t status;

    exchange->easy = handle->easy;
    handle->was_silent = false;
    exchange->was_silent = &handle->was_silent;
    status = fl_http_setup(exchange);
    if (status == FLAME_OK)
        status = fl_http_setup_tls(exchange);
    if (status == FLAME_OK) {
        fl_http_listen(exchange);
        (void)curl_multi_add_handle(handle->multi, handle->easy);
        status = fl_http_run(exchange, handle->multi);
        (void)curl_multi_remove_handle(handle->multi, handle->easy);
    }
    fl_http_clean(exchange);
    return status;
}

static int32_t exchange_once(struct fl_exchange *exchange)
{
    char *key = connection_key(exchange);
    bool shares = !fl_http_option(exchange, "resolve");
    struct fl_http_handle *handle = NULL;
    int32_t status;

    if (key)
        handle = fl_http_pool_take(exchange->instance->pool, key, shares, is_wanted, exchange);
    free(key);
    if (!handle)
        return exchange->refused != FLAME_OK
                   ? exchange->refused
                   : exchange->host->fail(exchange->err, FLAME_ERR_NO_MEMORY, "out of memory");
    status = run_on(exchange, handle);
    /* What was broken off may still have a lookup or a handshake under way. */
    fl_http_pool_give(exchange->instance->pool, handle, exchange->refused == FLAME_OK);
    return status;
}

static int32_t run(struct fl_exchange *exchange)
{
    const struct flame_request *request = exchange->request;

    if (request->flags & FLAME_REQUEST_MUST_UNDERSTAND)
        return exchange->host->fail(exchange->err, FLAME_ERR_UNSUPPORTED,
                                    "the request has a flag that this plugin does not know");
    if (request->flags & FLAME_REQUEST_PREFIX)
        return exchange->host->fail(exchange->err, FLAME_ERR_UNSUPPORTED,
                                    "http cannot tell what is below a url");
    return exchange_once(exchange);
}

/* The slots differ in the method only. */
#define EXCHANGE(method_)                                                                          \
    {                                                                                              \
        .method = (method_), .instance = instance, .host = instance->host, .request = request,     \
        .transfer = transfer, .err = err                                                           \
    }

static int32_t http_fetch(struct flame_instance *instance, const struct flame_request *request,
                          struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_exchange exchange = EXCHANGE(FL_GET);

    return run(&exchange);
}

static int32_t http_store(struct flame_instance *instance, const struct flame_request *request,
                          struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_exchange exchange = EXCHANGE(FL_PUT);

    return run(&exchange);
}

static int32_t http_remove(struct flame_instance *instance, const struct flame_request *request,
                           struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_exchange exchange = EXCHANGE(FL_DELETE);

    return run(&exchange);
}

/* Ask by GET what HEAD was refused. What comes of it counts only if it is an answer. */
static int32_t probe(struct fl_exchange *refused)
{
    struct fl_exchange exchange = {.method = FL_PROBE,
                                   .instance = refused->instance,
                                   .host = refused->host,
                                   .request = refused->request,
                                   .transfer = refused->transfer,
                                   .err = NULL};
    int32_t status = exchange_once(&exchange);

    if (status < FLAME_FIRST_FAILURE || exchange.refused != FLAME_OK)
        return status;
    return fl_http_refuse(refused);
}

static int32_t http_stat(struct flame_instance *instance, const struct flame_request *request,
                         struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_exchange exchange = EXCHANGE(FL_HEAD);
    int32_t status;

    exchange.may_defer = true;
    status = run(&exchange);
    return exchange.is_deferred ? probe(&exchange) : status;
}

static const struct flame_option resolve = {
    sizeof(resolve),
    FLAME_OPTION_TEXT,
    "resolve",
    NULL,
    "addresses to use for hosts: host:port:address[,address], separated by blanks",
    NULL};
static const struct flame_option connect_to = {
    sizeof(connect_to),
    FLAME_OPTION_TEXT,
    "connect_to",
    NULL,
    "places to connect to instead: host:port:host:port, separated by blanks",
    NULL};
static const struct flame_option unix_socket = {sizeof(unix_socket),
                                                FLAME_OPTION_FILE,
                                                "unix_socket",
                                                NULL,
                                                "socket to connect to instead of the network",
                                                NULL};
static const struct flame_option http_version = {
    sizeof(http_version),
    FLAME_OPTION_CHOICE,
    "http_version",
    "any",
    "any: http/2 over tls where the server has it; 2 also without tls",
    "any|1.1|2"};

static const struct flame_option *const options[] = {&resolve, &connect_to, &unix_socket,
                                                     &http_version, NULL};

FLAME_PLUGIN("org.flame.http", "0.1.0", "http:80 https:443", "http and https, by libcurl")
{
    plugin->caps = FLAME_CAN_RANGE | FLAME_CAN_CHANGED | FLAME_CAN_SAME | FLAME_CAN_STORE_ABSENT |
                   FLAME_CAN_STORE_SAME | FLAME_CAN_STORE_STREAM;
    plugin->options = options;
    plugin->init = http_init;
    plugin->shutdown = http_shutdown;
    plugin->fetch = http_fetch;
    plugin->store = http_store;
    plugin->remove = http_remove;
    plugin->stat = http_stat;
}
