/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/host.h"

#include "request/secret.h"
#include "transfer/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_LINE_MAX 512 /* bytes */

static const struct fl_plugin_host *plugin_host(const struct flame_host *host)
{
    return (const struct fl_plugin_host *)(const void *)host; /* `table` is its first member */
}

/* ---- log ------------------------------------------------------------------------------------- */

static int32_t host_log_enabled(const struct flame_host *host, uint32_t level)
{
    const struct fl_host_core *core = plugin_host(host)->core;

    return core->log && level <= core->log_level;
}

static void emit(struct fl_host_core *core, uint32_t level, const char *plugin, const char *text)
{
    (void)pthread_mutex_lock(core->log_lock);
    core->log(core->log_data, level, plugin, text);
    (void)pthread_mutex_unlock(core->log_lock);
}

static void host_log(const struct flame_host *host, struct flame_transfer *transfer, uint32_t level,
                     const char *text, uint64_t size)
{
    char line[LOG_LINE_MAX];

    if (!host_log_enabled(host, level))
        return;
    (void)fl_escape(text, (size_t)size, line, sizeof(line));
    if (transfer)
        fl_secret_redact(transfer->task, transfer->config, line);
    emit(plugin_host(host)->core, level, fl_plugin_id(plugin_host(host)->plugin), line);
}

void fl_host_log(struct fl_host_core *core, uint32_t level, const char *format, ...)
{
    char raw[LOG_LINE_MAX];
    char line[LOG_LINE_MAX];
    va_list args;

    if (!core->log || level > core->log_level)
        return;
    va_start(args, format);
    (void)vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    (void)fl_escape(raw, strlen(raw), line, sizeof(line));
    emit(core, level, NULL, line);
}

/* ---- options and secrets --------------------------------------------------------------------- */

static const char *host_option_get(const struct flame_host *host, struct flame_transfer *transfer,
                                   const char *name)
{
    const struct fl_plugin *plugin = plugin_host(host)->plugin;
    const struct fl_host_core *core = plugin_host(host)->core;
    struct fl_scope scope = {.plugin_id = fl_plugin_id(plugin),
                             .plugin_options = fl_plugin_options(plugin)};

    if (transfer) {
        scope.task_options = fl_pairs_list(&transfer->task->options);
        scope.origin = transfer->hop->url.origin;
        /* netrc(5) knows hosts, not origins: its passwords must not follow a redirect. */
        if (strcmp(name, FLAME_OPT_NET_NETRC) == 0 && !transfer->hop->is_home)
            return NULL;
    }
    return fl_config_option(core->config, &scope, name, NULL);
}

static int32_t host_secret_get(struct flame_transfer *transfer, const char *name,
                               const char *origin, void *buffer, uint64_t capacity, uint64_t *size)
{
    const char *value = NULL;
    int32_t status = fl_secret_find(transfer->task, transfer->config, name, origin, &value);

    if (status != FLAME_OK)
        return status;
    *size = strlen(value);
    if (*size > capacity)
        return FLAME_ERR_LIMIT;
    memcpy(buffer, value, (size_t)*size);
    return FLAME_OK;
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* Guards every error that a plugin holds: its threads may fail at once, and failing is rare. */
static pthread_mutex_t fail_lock = PTHREAD_MUTEX_INITIALIZER;

static int32_t host_fail(struct flame_error *err, int32_t status, const char *message)
{
    (void)pthread_mutex_lock(&fail_lock);
    (void)fl_fail(err, status, "%s", message ? message : "");
    (void)pthread_mutex_unlock(&fail_lock);
    return status;
}

static void set_native(struct flame_error *err, const char *domain, int64_t value)
{
    err->flags |= FLAME_ERROR_HAS_NATIVE;
    err->native_code = value;
    (void)snprintf(err->native_domain, sizeof(err->native_domain), "%s", domain);
}

static void set_retry_after(struct flame_error *err, int64_t value)
{
    err->flags |= FLAME_ERROR_RETRY_AFTER | FLAME_ERROR_RETRYABLE;
    err->retry_after_ms = value;
}

static void set_detail(struct flame_error *err, uint32_t what, int64_t value)
{
    switch (what) {
    case FLAME_DETAIL_ERRNO:
        err->errno_code = (int32_t)value;
        return;
    case FLAME_DETAIL_HTTP:
        err->flags |= FLAME_ERROR_HAS_HTTP;
        err->http_status = (int32_t)value;
        return;
    case FLAME_DETAIL_GRPC:
        err->flags |= FLAME_ERROR_HAS_GRPC;
        err->grpc_status = (int32_t)value;
        return;
    case FLAME_DETAIL_RETRY_AFTER_MS:
        set_retry_after(err, value);
        return;
    case FLAME_DETAIL_RETRYABLE:
        err->flags |= FL_ERROR_RETRYABLE_SAID | (value ? FLAME_ERROR_RETRYABLE : 0);
        return;
    case FLAME_DETAIL_CURL:
        set_native(err, "curl", value);
        return;
    case FLAME_DETAIL_X509:
        set_native(err, "x509", value);
        return;
    default:
        return;
    }
}

static void host_fail_detail(struct flame_error *err, uint32_t what, int64_t value)
{
    if (!err)
        return;
    (void)pthread_mutex_lock(&fail_lock);
    set_detail(err, what, value);
    (void)pthread_mutex_unlock(&fail_lock);
}

/* ---- clocks ---------------------------------------------------------------------------------- */

static void host_progress(struct flame_transfer *transfer, uint32_t phase, uint64_t wire_bytes)
{
    fl_watch_progress(transfer->watch, phase, wire_bytes);
}

static int32_t host_cancel_fd(struct flame_transfer *transfer)
{
    return transfer->watch->cancel_fd;
}

static int64_t host_time_left_ms(struct flame_transfer *transfer)
{
    return fl_watch_left_ms(transfer->watch);
}

/* ---- source ---------------------------------------------------------------------------------- */

static int32_t host_source_fd(struct flame_transfer *transfer)
{
    if (!transfer->source || transfer->paces[0] || transfer->paces[1])
        return -1; /* what is read from a descriptor keeps no pace */
    atomic_store(&transfer->lends_source, true);
    return fl_source_fd(transfer->source);
}

/* ---- extensions ------------------------------------------------------------------------------ */

static int32_t policy_check(struct flame_transfer *transfer, const char *address, uint32_t port)
{
    int32_t status = fl_address_check(&transfer->task->addresses, address, &transfer->refusal);

    (void)port;
    return status;
}

static uint64_t policy_id(struct flame_transfer *transfer)
{
    return fl_address_policy_id(&transfer->task->addresses);
}

static const void *host_get_extension(const struct flame_host *host, const char *id)
{
    static const struct flame_net_policy net_policy = {
        .struct_size = sizeof(net_policy), .check = policy_check, .id = policy_id};

    (void)host;
    return strcmp(id, FLAME_EXT_NET_POLICY) == 0 ? &net_policy : NULL;
}

const struct flame_host *fl_host_table(void)
{
    static const struct flame_host table = {
        .struct_size = sizeof(table),
        .abi_minor = FLAME_ABI_MINOR,
        .log_enabled = host_log_enabled,
        .log = host_log,
        .option_get = host_option_get,
        .secret_get = host_secret_get,
        .fail = host_fail,
        .fail_detail = host_fail_detail,
        .report = fl_body_report,
        .metadata = fl_body_metadata,
        .sink_write = fl_body_write,
        .sink_copy = fl_body_copy,
        .source_read = fl_body_read,
        .source_fd = host_source_fd,
        .finish = fl_body_finish,
        .progress = host_progress,
        .cancelled = fl_transfer_wanted,
        .cancel_fd = host_cancel_fd,
        .time_left_ms = host_time_left_ms,
        .get_extension = host_get_extension,
    };

    return &table;
}
