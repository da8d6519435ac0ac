/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin_host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_PIECE (1024 * 1024)

static struct plugin_run *run_of(struct flame_transfer *transfer)
{
    return (struct plugin_run *)transfer;
}

static void misuse(struct plugin_run *run, const char *what)
{
    if (!run->misuse[0])
        (void)snprintf(run->misuse, sizeof(run->misuse), "%s", what);
}

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static int32_t host_log_enabled(const struct flame_host *host, uint32_t level)
{
    (void)host;
    return level <= FLAME_LOG_TRACE;
}

static void host_log(const struct flame_host *host, struct flame_transfer *transfer, uint32_t level,
                     const char *text, uint64_t size)
{
    (void)transfer;
    plugin_host_log(host->impl, level, text, size);
}

static const char *host_option_get(const struct flame_host *host, struct flame_transfer *transfer,
                                   const char *name)
{
    const char *const *pair = transfer ? run_of(transfer)->options : NULL;

    for (; pair && pair[0]; pair += 2)
        if (strcmp(pair[0], name) == 0)
            return pair[1];
    return plugin_host_option_get(host->impl, name);
}

static int32_t host_secret_get(struct flame_transfer *transfer, const char *name,
                               const char *origin, void *buffer, uint64_t capacity, uint64_t *size)
{
    const char *value = NULL;
    int32_t status = plugin_host_secret_get(run_of(transfer)->host, name, origin, &value);

    if (status != FLAME_OK)
        return status;
    *size = strlen(value);
    if (*size > capacity)
        return FLAME_ERR_LIMIT;
    memcpy(buffer, value, *size);
    return FLAME_OK;
}

static int32_t host_fail(struct flame_error *err, int32_t status, const char *message)
{
    struct plugin_failure *failure = (struct plugin_failure *)err;

    if (!failure)
        return status;
    (void)pthread_mutex_lock(&failure->lock);
    if (failure->error.status == FLAME_OK) {
        failure->error.status = status;
        (void)snprintf(failure->error.message, sizeof(failure->error.message), "%s", message);
    }
    (void)pthread_mutex_unlock(&failure->lock);
    return status;
}

static void host_fail_detail(struct flame_error *err, uint32_t what, int64_t value)
{
    struct plugin_failure *failure = (struct plugin_failure *)err;

    if (!failure || what >= PLUGIN_DETAILS)
        return;
    (void)pthread_mutex_lock(&failure->lock);
    failure->has_detail[what] = true;
    failure->detail[what] = value;
    (void)pthread_mutex_unlock(&failure->lock);
}

static char *copy_or_null(const char *text)
{
    return text ? must(strdup(text)) : NULL;
}

static int32_t host_report(struct flame_transfer *transfer, const struct flame_object *object)
{
    struct plugin_run *run = run_of(transfer);
    struct plugin_object *added;
    size_t size = (run->object_count + 1) * sizeof(*run->objects);

    if (object->struct_size != sizeof(*object))
        misuse(run, "report: struct_size is not set");
    if (run->writes || run->copies || run->finishes)
        misuse(run, "report: after the first byte or after finish");
    run->objects = must(realloc(run->objects, size));
    added = &run->objects[run->object_count++];
    added->object = *object;
    added->object.validator = added->validator = copy_or_null(object->validator);
    added->object.url = added->url = copy_or_null(object->url);
    return run->report_answer;
}

static void host_metadata(struct flame_transfer *transfer, const char *key, const char *value)
{
    struct plugin_run *run = run_of(transfer);

    run->metadata =
        must(realloc(run->metadata, (run->metadata_count + 3) * sizeof(*run->metadata)));
    run->metadata[run->metadata_count++] = must(strdup(key));
    run->metadata[run->metadata_count++] = must(strdup(value));
    run->metadata[run->metadata_count] = NULL;
}

static int32_t take_body(struct plugin_run *run, const void *data, uint64_t size)
{
    uint64_t keep;

    if (run->finishes)
        misuse(run, "body after finish");
    if (run->body_size + size > run->limit_bytes)
        return FLAME_ERR_LIMIT;
    keep = run->body_kept + size <= run->keep_bytes ? size : run->keep_bytes - run->body_kept;
    if (keep > 0) {
        run->body = must(realloc(run->body, run->body_kept + keep));
        memcpy(run->body + run->body_kept, data, keep);
        run->body_kept += keep;
    }
    sha256_update(&run->hash, size, data);
    run->body_size += size;
    return FLAME_OK;
}

static int32_t piece_arrived(struct plugin_run *run, uint64_t size, uint32_t *calls)
{
    *calls += size > 0;
    if (size > run->largest_piece)
        run->largest_piece = size;
    if (run->body_size >= run->cancel_after_bytes)
        plugin_run_cancel(run, FLAME_ERR_CANCELLED);
    if (run->on_body)
        run->on_body(run, run->body_size);
    return FLAME_OK;
}

static int32_t host_sink_write(struct flame_transfer *transfer, const struct flame_slice *slices,
                               uint32_t count)
{
    struct plugin_run *run = run_of(transfer);
    int32_t status = atomic_load(&run->cancel_status);
    uint64_t size = 0;

    for (uint32_t i = 0; i < count && status == FLAME_OK; i++) {
        status = take_body(run, slices[i].data, slices[i].size);
        size += slices[i].size;
    }
    return status == FLAME_OK ? piece_arrived(run, size, &run->writes) : status;
}

static int32_t host_sink_copy(struct flame_transfer *transfer, int32_t fd, uint64_t offset,
                              uint64_t size, uint64_t *copied)
{
    struct plugin_run *run = run_of(transfer);
    int32_t status = atomic_load(&run->cancel_status);
    uint8_t *buffer;
    uint64_t done = 0;

    if (status != FLAME_OK || run->refuse_copy)
        return status != FLAME_OK ? status : FLAME_ERR_UNSUPPORTED;
    buffer = must(malloc(COPY_PIECE));
    while (done < size && status == FLAME_OK) {
        size_t want = size - done < COPY_PIECE ? (size_t)(size - done) : COPY_PIECE;
        ssize_t got = pread(fd, buffer, want, (off_t)(offset + done));

        if (got <= 0) {
            status = got < 0 ? FLAME_ERR_IO : FLAME_OK;
            break;
        }
        status = take_body(run, buffer, (uint64_t)got);
        done += (uint64_t)got;
    }
    free(buffer);
    if (status != FLAME_OK)
        return status;
    *copied = done;
    return piece_arrived(run, done, &run->copies);
}

static int32_t host_source_read(struct flame_transfer *transfer, uint64_t offset, void *buffer,
                                uint64_t capacity, uint64_t *size)
{
    struct plugin_run *run = run_of(transfer);
    int32_t status = atomic_load(&run->cancel_status);
    uint64_t want = run->source_step && run->source_step < capacity ? run->source_step : capacity;
    ssize_t got;

    if (status != FLAME_OK)
        return status;
    if (run->is_stream && offset != run->stream_at) {
        misuse(run, "source_read: back, on a stream");
        return FLAME_ERR_UNSUPPORTED;
    }
    if (run->source_fd >= 0) {
        got = pread(run->source_fd, buffer, want, (off_t)offset);
        if (got < 0)
            return FLAME_ERR_IO;
    } else {
        uint64_t left = offset < run->source_size ? run->source_size - offset : 0;

        got = (ssize_t)(left < want ? left : want);
        if (got > 0)
            memcpy(buffer, (const uint8_t *)run->source + offset, (size_t)got);
    }
    *size = (uint64_t)got;
    run->stream_at = offset + *size;
    if (run->on_source)
        run->on_source(run, offset + *size);
    return FLAME_OK;
}

static int32_t host_source_fd(struct flame_transfer *transfer)
{
    struct plugin_run *run = run_of(transfer);

    return run->source_fd >= 0 && !run->hide_source_fd ? dup(run->source_fd) : -1;
}

static int32_t host_finish(struct flame_transfer *transfer, const struct flame_end *end)
{
    struct plugin_run *run = run_of(transfer);

    if (run->finishes++)
        misuse(run, "finish: twice");
    if (end->struct_size != sizeof(*end))
        misuse(run, "finish: struct_size is not set");
    run->proof = end->proof;
    run->cursor = copy_or_null(end->cursor);
    return FLAME_OK;
}

static void host_progress(struct flame_transfer *transfer, uint32_t phase, uint64_t wire_bytes)
{
    struct plugin_run *run = run_of(transfer);

    run->phases |= 1u << (phase / 10 % 32);
    run->progress_calls++;
    if (wire_bytes > run->wire_bytes)
        run->wire_bytes = wire_bytes;
}

static int32_t host_cancelled(struct flame_transfer *transfer)
{
    atomic_fetch_add(&run_of(transfer)->cancel_checks, 1);
    return atomic_load(&run_of(transfer)->cancel_status);
}

static int32_t host_cancel_fd(struct flame_transfer *transfer)
{
    return run_of(transfer)->cancel_fd;
}

static int64_t host_time_left_ms(struct flame_transfer *transfer)
{
    return run_of(transfer)->time_left_ms;
}

static int32_t policy_check(struct flame_transfer *transfer, const char *address, uint32_t port)
{
    struct plugin_run *run = run_of(transfer);
    const char *const *refused = run->refused_addresses;

    (void)port;
    run->addresses_asked++;
    (void)snprintf(run->last_address, sizeof(run->last_address), "%s", address);
    for (; refused && *refused; refused++)
        if (strcmp(*refused, address) == 0)
            return FLAME_ERR_POLICY;
    return FLAME_OK;
}

static uint64_t policy_id(struct flame_transfer *transfer)
{
    return (uint64_t)(uintptr_t)run_of(transfer)->refused_addresses;
}

static const struct flame_net_policy net_policy = {
    .struct_size = sizeof(net_policy), .check = policy_check, .id = policy_id};

static const void *host_get_extension(const struct flame_host *host, const char *id)
{
    (void)host;
    return strcmp(id, FLAME_EXT_NET_POLICY) == 0 ? &net_policy : NULL;
}

const struct flame_host plugin_run_table = {
    .struct_size = sizeof(struct flame_host),
    .abi_minor = FLAME_ABI_MINOR,
    .log_enabled = host_log_enabled,
    .log = host_log,
    .option_get = host_option_get,
    .secret_get = host_secret_get,
    .fail = host_fail,
    .fail_detail = host_fail_detail,
    .report = host_report,
    .metadata = host_metadata,
    .sink_write = host_sink_write,
    .sink_copy = host_sink_copy,
    .source_read = host_source_read,
    .source_fd = host_source_fd,
    .finish = host_finish,
    .progress = host_progress,
    .cancelled = host_cancelled,
    .cancel_fd = host_cancel_fd,
    .time_left_ms = host_time_left_ms,
    .get_extension = host_get_extension,
};
