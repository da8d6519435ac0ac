/* SPDX-License-Identifier: Apache-2.0 */
/* One call, from its request to its end, driven by the events of the queue.
 *
 *     accept -> receive the request -> ask -> send, send, ... -> finish
 *     accept -> receive, receive, ... -> store -> send -> finish        (DoPut)
 *
 * One message is under way at a time: the next is made when gRPC says that the one before has left
 * (which it does when flow control let it pass), and received when the one before is written. So a
 * call's memory is that of a message, however slow its peer is.
 *
 * An event may come on any thread while another one of the same call is handled: each handler holds
 * the call's lock. `pending` counts operations that will still report; the call is freed when none
 * is left. */
#ifndef FL_CACHE_CALL_H
#define FL_CACHE_CALL_H

#include "hub.h"
#include "upload.h"
#include "wire.h"

/* What the queue gives back. gRPC orders what is done before a tag is given away before what is
 * done when it comes back; `turn`, released and acquired, says so to race detectors, which do not
 * see into gRPC. */
struct fl_cache_tag {
    void (*handle)(struct fl_cache_call *call, bool ok);
    struct fl_cache_call *call;
    uint32_t turn;
};

struct fl_cache_call {
    struct fl_cache_hub *hub;
    pthread_mutex_t lock;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
    struct fl_cache_tag accepted, closed, received, sent, finished;
    uint32_t pending;
    int is_cancelled; /* gRPC's word */
    bool has_initial; /* initial metadata were sent */
    bool is_finished; /* a status was sent */
    bool is_closed;   /* gRPC has no more of it, but for what is pending */
    grpc_byte_buffer *incoming;
    grpc_byte_buffer *outgoing;

    enum fl_cache_method method;
    struct fl_cache_status status;
    struct fl_cache_reply *reply;    /* of all methods but DoPut */
    struct fl_cache_upload *upload;  /* of DoPut */
    struct fl_cache_message message; /* ready to be sent */
    uint64_t bytes;                  /* sent, or received */

    struct fl_cache_fault_run fault;
    uint64_t due_ms; /* asleep: see hub.h */
    struct fl_cache_call *next;
};

/* Ask the server for a call; called with the hub's lock held. false = it gives none, or there is no
 * memory for one. */
bool fl_cache_call_request(struct fl_cache_hub *hub);

/* An event of the queue. */
void fl_cache_call_event(struct fl_cache_tag *tag, bool ok);

/* A call that was asleep goes on. */
void fl_cache_call_wake(struct fl_cache_call *call);

#endif
