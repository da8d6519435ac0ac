/* SPDX-License-Identifier: Apache-2.0 */
/* DoAction DELETE. The cache answers OK whether anything was there or not. */
#include "flight/messages.h"
#include "message.h"
#include "slot.h"
#include "status.h"

static int32_t judge(struct fl_grpc_exchange *exchange, const struct fl_grpc_end *end)
{
    if (end->code == 0)
        return flame_finish(exchange->host, exchange->transfer, FLAME_PROOF_COMPLETE);
    if (end->is_from_peer)
        return fl_grpc_fail_end(exchange, end, false);
    return flame_fail(exchange->host, exchange->err, FLAME_ERR_UNKNOWN_OUTCOME,
                      "the connection was lost before the cache answered: %s", end->details);
}

static int32_t take_answer(struct fl_grpc_exchange *exchange, struct fl_grpc_call *call)
{
    struct fl_flight_buffer ignored = {.size = 0};
    enum fl_grpc_event event;

    while ((event = fl_grpc_call_gather(call, &ignored)) == FL_GRPC_DONE)
        ;
    fl_flight_buffer_done(&ignored);
    if (event == FL_GRPC_STOPPED)
        return exchange->refused;
    if (event == FL_GRPC_REFUSED)
        return fl_grpc_fail(exchange, FLAME_ERR_UNKNOWN_OUTCOME, "the cache's answer is too long");
    return judge(exchange, fl_grpc_call_end(call));
}

static int32_t delete_key(struct fl_grpc_exchange *exchange, const struct fl_flight_key *key)
{
    const struct fl_flight_action action = {.type = fl_flight_text("DELETE"),
                                            .body = fl_flight_text(key->text)};
    struct fl_flight_buffer message = {.size = 0};
    struct fl_grpc_call *call = NULL;
    int32_t status;

    fl_flight_write_action(&message, &action);
    status = fl_grpc_call_ask(exchange, "DoAction", &message, &call);
    if (status == FLAME_OK)
        status = take_answer(exchange, call);
    fl_grpc_call_free(call);
    return status;
}

int32_t fl_grpc_remove(struct fl_grpc_exchange *exchange)
{
    bool is_prefix = (exchange->request->flags & FLAME_REQUEST_PREFIX) != 0;
    uint32_t kinds = is_prefix
                         ? FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION | FL_FLIGHT_KEY_APPLICATION
                         : FL_FLIGHT_KEY_OBJECT;
    struct fl_flight_key key;
    int32_t status = fl_grpc_key_read(exchange, kinds, &key);

    return status == FLAME_OK ? delete_key(exchange, &key) : status;
}
