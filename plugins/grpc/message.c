/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include "flight/messages.h"

int32_t fl_grpc_key_read(const struct fl_grpc_exchange *exchange, uint32_t kinds,
                         struct fl_flight_key *key)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};

    if (fl_flight_key_decode(key, exchange->request->path, kinds, &fault))
        return FLAME_OK;
    return fl_grpc_fail_fault(exchange, &fault);
}

int32_t fl_grpc_call_begin(struct fl_grpc_exchange *exchange, const char *method,
                           struct fl_grpc_call **out)
{
    struct fl_grpc_metadata metadata = {.count = 0};
    int32_t status = fl_grpc_metadata_read(exchange, &metadata);

    if (status == FLAME_OK) {
        fl_grpc_progress(exchange, FLAME_PHASE_WAIT);
        *out = fl_grpc_call_new(exchange, method, &metadata);
        if (!*out)
            status = fl_grpc_fail_memory(exchange);
    }
    fl_grpc_metadata_done(&metadata);
    return status;
}

int32_t fl_grpc_call_ask(struct fl_grpc_exchange *exchange, const char *method,
                         struct fl_flight_buffer *message, struct fl_grpc_call **out)
{
    int32_t status =
        message->failed ? fl_grpc_fail_memory(exchange) : fl_grpc_call_begin(exchange, method, out);

    if (status == FLAME_OK) {
        fl_grpc_call_add(*out, message->data, message->size);
        if (fl_grpc_call_send(*out, true) == FL_GRPC_STOPPED)
            status = exchange->refused;
    }
    fl_flight_buffer_done(message);
    return status;
}

int32_t fl_grpc_call_get(struct fl_grpc_exchange *exchange, const struct fl_flight_key *key,
                         uint64_t version, struct fl_grpc_call **out)
{
    struct fl_flight_buffer ticket = {.size = 0};
    struct fl_flight_buffer message = {.size = 0};

    message.failed = !fl_flight_ticket_write(&ticket, key, version);
    if (!message.failed)
        fl_flight_write_single(&message, fl_flight_buffer_view(&ticket));
    fl_flight_buffer_done(&ticket);
    return fl_grpc_call_ask(exchange, "DoGet", &message, out);
}

/* ---- small answers --------------------------------------------------------------------------- */

static bool begin_small(void *context, uint64_t size)
{
    struct fl_flight_buffer *out = context;

    fl_flight_buffer_clear(out);
    return size <= FL_GRPC_SMALL_MAX;
}

static bool take_small(void *context, const struct flame_slice *slices, uint32_t count)
{
    struct fl_flight_buffer *out = context;

    for (uint32_t i = 0; i < count; i++)
        if (!fl_flight_buffer_add(out, slices[i].data, (size_t)slices[i].size))
            return false;
    return true;
}

enum fl_grpc_event fl_grpc_call_gather(struct fl_grpc_call *call, struct fl_flight_buffer *out)
{
    const struct fl_grpc_receiver receiver = {out, begin_small, take_small};

    return fl_grpc_call_receive(call, &receiver);
}
