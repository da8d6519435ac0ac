/* SPDX-License-Identifier: Apache-2.0 */
/* What several slots send and read: keys, tickets, calls with one small message.
 *
 * One thread, as the exchange. */
#ifndef FL_GRPC_MESSAGE_H
#define FL_GRPC_MESSAGE_H

#include "call.h"
#include "flight/buffer.h"
#include "flight/key.h"

/* The key in the request's path, of one of `kinds` (enum fl_flight_key_kind, ORed). Fails with
 * INVALID_URL. */
int32_t fl_grpc_key_read(const struct fl_grpc_exchange *exchange, uint32_t kinds,
                         struct fl_flight_key *key);

/* Start a call with the request's headers, and tell the host that it waits. *out is the caller's.
 * Fails with INVALID, LIMIT, NO_MEMORY. */
int32_t fl_grpc_call_begin(struct fl_grpc_exchange *exchange, const char *method,
                           struct fl_grpc_call **out);

/* The same, with one message and no more. `message` is emptied. Where the server ended the call
 * before it was sent, the next receive says so. */
int32_t fl_grpc_call_ask(struct fl_grpc_exchange *exchange, const char *method,
                         struct fl_flight_buffer *message, struct fl_grpc_call **out);

/* DoGet of a key, unless the peer still has that version (0: in any case). */
int32_t fl_grpc_call_get(struct fl_grpc_exchange *exchange, const struct fl_flight_key *key,
                         uint64_t version, struct fl_grpc_call **out);

/* Receive one small message into `out`, what was in it is forgotten. As fl_grpc_call_receive();
 * REFUSED: over FL_GRPC_SMALL_MAX bytes, or no memory. */
#define FL_GRPC_SMALL_MAX ((size_t)1 << 20)
enum fl_grpc_event fl_grpc_call_gather(struct fl_grpc_call *call, struct fl_flight_buffer *out);

#endif
