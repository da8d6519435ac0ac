/* SPDX-License-Identifier: Apache-2.0 */
/* DoGet: the rows of an object become the bytes of a file.
 *
 * The validator is the object's version, in decimal. Asked with the version that the caller has, a
 * cache that still has it answers with a schema and no row. */
#include "call.h"
#include "flight/reader.h"
#include "message.h"
#include "slot.h"
#include "status.h"
#include "version.h"

#include <inttypes.h>
#include <stdlib.h>

#define EMPTY_MAX 10000 /* messages without a byte of the file, one after the other */

struct fetch {
    struct fl_grpc_exchange *exchange;
    struct fl_grpc_call *call;
    struct fl_flight_reader *reader;
    struct fl_flight_key key;
    uint64_t have;  /* the version that the caller has; 0 = none */
    uint64_t limit; /* bytes of a message */
    uint32_t empty; /* messages since the last byte */
    bool is_reported;
    bool is_over_limit; /* a message was */
};

/* ---- to the host ----------------------------------------------------------------------------- */

static int32_t report_first(void *context, const struct fl_flight_row *row)
{
    struct fetch *fetch = context;
    const struct flame_host *host = fetch->exchange->host;
    struct flame_transfer *transfer = fetch->exchange->transfer;
    struct flame_object object = FLAME_INIT(flame_object);
    char version[FL_GRPC_VERSION_SIZE];

    if (fetch->is_reported)
        return FLAME_OK;
    fetch->is_reported = true;
    fl_grpc_version_write(row->version, version);
    host->metadata(transfer, FLAME_META_VERSION, version);
    host->metadata(transfer, FLAME_META_FLIGHT_KEY, fetch->key.text);
    /* The cache counts anew for each object: equal numbers are no proof of equal bytes. */
    object.validator = row->version ? version : NULL;
    fetch->exchange->refused = host->report(transfer, &object);
    return fetch->exchange->refused;
}

static int32_t write_slices(void *context, const struct flame_slice *slices, uint32_t count)
{
    struct fetch *fetch = context;
    struct fl_grpc_exchange *exchange = fetch->exchange;

    for (uint32_t i = 0; i < count; i++)
        if (slices[i].size > 0)
            fetch->empty = 0;
    exchange->refused = exchange->host->sink_write(exchange->transfer, slices, count);
    return exchange->refused;
}

/* ---- from the peer --------------------------------------------------------------------------- */

static bool begin_message(void *context, uint64_t size)
{
    struct fetch *fetch = context;

    fetch->is_over_limit = size > fetch->limit;
    return !fetch->is_over_limit && fl_flight_reader_begin(fetch->reader, size);
}

static bool take_slices(void *context, const struct flame_slice *slices, uint32_t count)
{
    struct fetch *fetch = context;

    return fl_flight_reader_push(fetch->reader, slices, count);
}

/* A message is done. What is alive and brings nothing is not waited for for ever. */
static int32_t after_message(struct fetch *fetch)
{
    if (++fetch->empty > EMPTY_MAX)
        return fl_grpc_fail(fetch->exchange, FLAME_ERR_PROTOCOL,
                            "the server sends one message after the other without bytes");
    if (fl_flight_reader_has_schema(fetch->reader)) {
        fl_grpc_progress(fetch->exchange, FLAME_PHASE_BODY);
        fl_grpc_call_vouch(fetch->call, true);
    }
    return FLAME_OK;
}

static int32_t fail_reader(const struct fetch *fetch)
{
    if (fetch->is_over_limit)
        return flame_fail(
            fetch->exchange->host, fetch->exchange->err, FLAME_ERR_LIMIT,
            "a message is over the limit of %" PRIu64 " bytes%s", fetch->limit,
            fetch->limit == fl_grpc_number(fetch->exchange, "message_max") ? " (message_max)" : "");
    if (fetch->exchange->refused != FLAME_OK)
        return fetch->exchange->refused;
    return fl_grpc_fail_fault(fetch->exchange, fl_flight_reader_fault(fetch->reader));
}

/* gRPC's OK alone is not enough, nor is a body without it. */
static int32_t finish(struct fetch *fetch)
{
    struct fl_grpc_exchange *exchange = fetch->exchange;
    const struct fl_grpc_end *end = fl_grpc_call_end(fetch->call);
    struct fl_flight_summary summary;

    if (end->code != 0)
        return fl_grpc_fail_end(exchange, end, fl_flight_reader_has_schema(fetch->reader));
    fl_grpc_progress(exchange, FLAME_PHASE_FINISH);
    if (fl_flight_reader_finish(fetch->reader, &summary))
        return flame_finish(exchange->host, exchange->transfer, FLAME_PROOF_COMPLETE);
    if (fl_flight_reader_fault(fetch->reader)->code == FL_FLIGHT_NO_ROWS && fetch->have)
        return FLAME_NOT_MODIFIED;
    return fail_reader(fetch);
}

static int32_t receive(struct fetch *fetch)
{
    const struct fl_grpc_receiver receiver = {fetch, begin_message, take_slices};
    int32_t status = FLAME_OK;

    while (status == FLAME_OK) {
        switch (fl_grpc_call_receive(fetch->call, &receiver)) {
        case FL_GRPC_DONE:
            status = after_message(fetch);
            break;
        case FL_GRPC_OVER:
            return finish(fetch);
        case FL_GRPC_STOPPED:
            return fetch->exchange->refused;
        case FL_GRPC_REFUSED:
            return fail_reader(fetch);
        }
    }
    return status;
}

/* ---- the slot -------------------------------------------------------------------------------- */

/* What a message may have beside the bytes of the file: its small buffers, its heads. */
#define SPARE ((uint64_t)17 << 20)

static uint64_t message_limit(const struct fl_grpc_exchange *exchange)
{
    uint64_t limit = fl_grpc_number(exchange, "message_max");
    uint64_t body = exchange->request->max_bytes;

    return body < limit && limit - body > SPARE ? body + SPARE : limit;
}

static int32_t get(struct fetch *fetch)
{
    struct fl_grpc_exchange *exchange = fetch->exchange;
    const struct fl_flight_reader_config config = {.context = fetch,
                                                   .sink = write_slices,
                                                   .row = report_first,
                                                   .max_bytes = exchange->request->max_bytes};
    int32_t status;

    fetch->reader = fl_flight_reader_new(&config);
    if (!fetch->reader)
        return fl_grpc_fail_memory(exchange);
    status = fl_grpc_call_get(exchange, &fetch->key, fetch->have, &fetch->call);
    return status == FLAME_OK ? receive(fetch) : status;
}

int32_t fl_grpc_fetch(struct fl_grpc_exchange *exchange)
{
    struct fetch fetch = {.exchange = exchange, .limit = message_limit(exchange)};
    int32_t status = fl_grpc_key_read(exchange, FL_FLIGHT_KEY_OBJECT, &fetch.key);

    if (status == FLAME_OK)
        status = fl_grpc_version_asked(exchange, &fetch.have);
    if (status == FLAME_OK)
        status = get(&fetch);
    fl_grpc_call_free(fetch.call);
    fl_flight_reader_free(fetch.reader);
    return status;
}
