/* SPDX-License-Identifier: Apache-2.0 */
/* One gRPC call, without gRPC's types: messages out, messages in, how it ended.
 *
 *     call = fl_grpc_call_new(exchange, "DoGet", &metadata);
 *     fl_grpc_call_add(call, bytes, size); fl_grpc_call_send(call, true);
 *     while ((event = fl_grpc_call_receive(call, &receiver)) == FL_GRPC_DONE) ...
 *     fl_grpc_call_end(call)->code ...                      after FL_GRPC_OVER
 *     fl_grpc_call_free(call);                              breaks it off, if it is not over
 *
 * The thread that calls drives the queue of the channel, and looks every 40 ms whether the host
 * still wants it. A send waits until the peer has made room: memory stays bounded by the messages
 * under way. What ended the call is told once and for all by the end, not by the operation that
 * failed because of it. One thread. */
#ifndef FL_GRPC_CALL_H
#define FL_GRPC_CALL_H

#include "exchange.h"
#include "metadata.h"

struct fl_grpc_call;

enum fl_grpc_event {
    FL_GRPC_DONE,    /* it was sent; a message was received */
    FL_GRPC_OVER,    /* the call has ended */
    FL_GRPC_STOPPED, /* the host does not want it: exchange->refused */
    FL_GRPC_REFUSED, /* the receiver said no */
};

/* How a call ended. */
struct fl_grpc_end {
    int32_t code;      /* of gRPC: 0 OK .. 16 */
    bool is_from_peer; /* the server said so; else gRPC did, of the connection */
    char details[512];
};

/* Who takes a message, in the pieces that came. Slices are borrowed; false = no more of it. */
struct fl_grpc_receiver {
    void *context;
    bool (*begin)(void *context, uint64_t size);
    bool (*take)(void *context, const struct flame_slice *slices, uint32_t count);
};

/* Start a call of Flight's `method` ("DoGet") on exchange->channel. NULL = no memory. */
struct fl_grpc_call *fl_grpc_call_new(struct fl_grpc_exchange *exchange, const char *method,
                                      const struct fl_grpc_metadata *metadata);

/* While it waits for the peer, tell the host that it lives, which keepalive proves: for what is
 * silent by nature, as one huge message is. Off at first. */
void fl_grpc_call_vouch(struct fl_grpc_call *call, bool vouches);

/* ---- a message to send: pieces, in order ---- */

void fl_grpc_call_add(struct fl_grpc_call *call, const void *bytes, size_t size); /* copied */
/* Borrowed until `done(context)` is called, on any thread, maybe after the call is freed. */
void fl_grpc_call_add_borrowed(struct fl_grpc_call *call, const void *bytes, size_t size,
                               void (*done)(void *context), void *context);
/* Memory for `size` bytes of a piece, to be filled and then added, cut to `used`. One at a time. */
void *fl_grpc_call_room(struct fl_grpc_call *call, size_t size);
void fl_grpc_call_add_room(struct fl_grpc_call *call, size_t used);

/* Send what was added as one message; is_last: and say that none follows. */
enum fl_grpc_event fl_grpc_call_send(struct fl_grpc_call *call, bool is_last);
/* Say that nothing follows. */
enum fl_grpc_event fl_grpc_call_send_end(struct fl_grpc_call *call);

/* ---- the answer ---- */

/* Let a message come while others are sent. */
void fl_grpc_call_expect(struct fl_grpc_call *call);
enum fl_grpc_event fl_grpc_call_receive(struct fl_grpc_call *call,
                                        const struct fl_grpc_receiver *receiver);
/* Wait for the end, whatever still comes. OVER or STOPPED. */
enum fl_grpc_event fl_grpc_call_finish(struct fl_grpc_call *call);
/* After OVER. */
const struct fl_grpc_end *fl_grpc_call_end(const struct fl_grpc_call *call);

/* Takes NULL. Does not wait for the peer. */
void fl_grpc_call_free(struct fl_grpc_call *call);

#endif
