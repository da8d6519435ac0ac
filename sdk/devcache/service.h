/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache answers to each method, without gRPC: a request becomes a reply, which gives its
 * messages one after another, so that an answer of any length needs the memory of one message.
 *
 * DoGet lives in answer.h, DoPut in upload.h. Status codes and texts are those that were recorded
 * from flame-object-cache 0.6 and 0.5. A reply belongs to one thread at a time; the service is
 * shared and does not change. */
#ifndef FL_CACHE_SERVICE_H
#define FL_CACHE_SERVICE_H

#include "codec.h"
#include "reference.h"
#include "store.h"

enum fl_cache_dialect { FL_CACHE_DIALECT_0_6, FL_CACHE_DIALECT_0_5 };
enum fl_cache_layout { FL_CACHE_LAYOUT_ONE, FL_CACHE_LAYOUT_BATCHES };

#define FL_CACHE_ENDPOINT_MAX FL_FLIGHT_ENDPOINT_TEXT_MAX /* what a reference has room for */

struct fl_cache_service {
    struct fl_cache_store *store;
    enum fl_cache_dialect dialect;
    enum fl_cache_layout layout; /* one row for all as the real cache sends, or 1 MiB a row */
    enum fl_flight_codec body;   /* compression of what is sent, but of tables */
    char endpoint[FL_CACHE_ENDPOINT_MAX + 1]; /* where clients find it: "grpc://host:port" */
};

/* X(name, method of arrow.flight.protocol.FlightService, "not implemented" or NULL) */
#define FL_CACHE_METHOD_TABLE(X)                                                                   \
    X(GET, "DoGet", NULL)                                                                          \
    X(PUT, "DoPut", NULL)                                                                          \
    X(ACTION, "DoAction", NULL)                                                                    \
    X(LIST, "ListFlights", NULL)                                                                   \
    X(INFO, "GetFlightInfo", NULL)                                                                 \
    X(SCHEMA, "GetSchema", NULL)                                                                   \
    X(ACTIONS, "ListActions", NULL)                                                                \
    X(HANDSHAKE, "Handshake", "Handshake not implemented")                                         \
    X(EXCHANGE, "DoExchange", "Do exchange not implemented")                                       \
    X(POLL, "PollFlightInfo", "Poll flight info not implemented")

/* clang-format off */
enum fl_cache_method {
#define FL_CACHE_ROW_(name, method, missing) FL_CACHE_METHOD_##name,
    FL_CACHE_METHOD_TABLE(FL_CACHE_ROW_)
#undef FL_CACHE_ROW_
    FL_CACHE_METHODS
};
/* clang-format on */

/* From ":path", "/arrow.flight.protocol.FlightService/DoGet". UNIMPLEMENTED for others. */
bool fl_cache_method_find(struct fl_flight_bytes path, enum fl_cache_method *method,
                          struct fl_cache_status *status);

/* "DoGet"; a text also for what is none. */
const char *fl_cache_method_name(enum fl_cache_method method);

/* ---- messages that go out -------------------------------------------------------------------- */

/* Bytes, and who is told when they are no longer needed, by any thread. */
struct fl_cache_piece {
    void *data;
    size_t size;
    void *owner;
    void (*release)(void *owner); /* NULL = there is no need */
};

#define FL_CACHE_PIECES_MAX 4

struct fl_cache_message {
    struct fl_cache_piece piece[FL_CACHE_PIECES_MAX];
    uint32_t pieces;
};

uint64_t fl_cache_message_size(const struct fl_cache_message *message);

/* Add a piece of what the buffer holds, which is {0} then. */
void fl_cache_message_move(struct fl_cache_message *message, struct fl_flight_buffer *buffer);

/* Release all pieces. */
void fl_cache_message_done(struct fl_cache_message *message);

/* ---- replies --------------------------------------------------------------------------------- */

struct fl_cache_reply;

/* The reply to a request, any method but DoPut. NULL = refused. */
struct fl_cache_reply *fl_cache_service_ask(const struct fl_cache_service *service,
                                            enum fl_cache_method method,
                                            struct fl_flight_bytes request,
                                            struct fl_cache_status *status);

enum fl_cache_step { FL_CACHE_STEP_MESSAGE, FL_CACHE_STEP_END, FL_CACHE_STEP_FAILED };

/* The next message; *out is {0} before and the caller's then. */
enum fl_cache_step fl_cache_reply_next(struct fl_cache_reply *reply, struct fl_cache_message *out,
                                       struct fl_cache_status *status);

/* For the fault switches, a DoGet: the schema names another column; the last message is left out.
 * Nothing for other replies. */
void fl_cache_reply_spoil_schema(struct fl_cache_reply *reply);
void fl_cache_reply_drop_last(struct fl_cache_reply *reply);

/* Takes NULL. */
void fl_cache_reply_free(struct fl_cache_reply *reply);

#endif
