/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <inttypes.h>

static int32_t judge_size(const struct fl_grpc_exchange *exchange, uint64_t size)
{
    uint64_t allowed = exchange->request->max_bytes;

    if (size > allowed)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_LIMIT,
                          "the source is larger than the allowed %" PRIu64 " bytes", allowed);
    if (size > FL_GRPC_STORE_MAX)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_LIMIT,
                          "the object cache takes no more than %" PRIu64 " bytes",
                          FL_GRPC_STORE_MAX);
    return FLAME_OK;
}

int32_t fl_grpc_source_open(struct fl_grpc_exchange *exchange, struct fl_grpc_source *source)
{
    *source = (struct fl_grpc_source){
        .exchange = exchange,
        .size = exchange->request->source_size,
        .has_size = (exchange->request->flags & FLAME_REQUEST_SOURCE_SIZE) != 0};
    return source->has_size ? judge_size(exchange, source->size) : FLAME_OK;
}

static int32_t fail_changed(const struct fl_grpc_exchange *exchange, int32_t status,
                            const char *what)
{
    return flame_fail(exchange->host, exchange->err, status, "the source %s while it was read",
                      what);
}

static int32_t judge_end(const struct fl_grpc_source *source)
{
    if (source->has_size && source->at < source->size)
        return fail_changed(source->exchange, FLAME_ERR_TRUNCATED, "shrank");
    return FLAME_OK;
}

static int32_t judge_more(const struct fl_grpc_source *source)
{
    if (source->has_size && source->at > source->size)
        return fail_changed(source->exchange, FLAME_ERR_CHANGED, "grew");
    return judge_size(source->exchange, source->at);
}

int32_t fl_grpc_source_read(struct fl_grpc_source *source, void *buffer, size_t capacity,
                            size_t *size)
{
    struct fl_grpc_exchange *exchange = source->exchange;
    size_t used = 0;

    while (used < capacity) {
        uint64_t got = 0;
        int32_t status = exchange->host->source_read(exchange->transfer, source->at,
                                                     (char *)buffer + used, capacity - used, &got);

        if (status != FLAME_OK)
            return exchange->refused = status;
        if (got == 0)
            break;
        used += (size_t)got;
        source->at += got;
        status = judge_more(source);
        if (status != FLAME_OK)
            return status;
    }
    *size = used;
    return used < capacity ? judge_end(source) : FLAME_OK;
}
