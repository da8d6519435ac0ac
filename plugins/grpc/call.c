/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include "channel.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice_buffer.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MS 50 /* for gRPC to notice that a connection is gone */
#define PIECES_IN 64 /* slices given away at once: 4 MiB of 64 KiB */
#define PIECES_OUT 6 /* of a message that is sent */
#define SERVICE "/arrow.flight.protocol.FlightService/"

/* The operations that may be under way; their tags in the queue. */
enum {
    OP_BEGIN = 1, /* our metadata out, the peer's in */
    OP_STATUS = 2,
    OP_SEND = 4,
    OP_RECEIVE = 8,
};

struct fl_grpc_call {
    struct fl_grpc_exchange *exchange;
    grpc_completion_queue *queue;
    grpc_call *call;
    unsigned pending; /* OP_*, under way */
    unsigned failed;  /* OP_*, when they were done last */
    bool vouches;
    bool is_over;      /* `end` counts */
    bool has_received; /* what an expected message brought: `received` */
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
    struct fl_grpc_end end;
    grpc_byte_buffer *received;
    grpc_byte_buffer *sending;
    grpc_slice pieces[PIECES_OUT];
    size_t piece_count;
    grpc_slice room;
};

/* ---- operations ------------------------------------------------------------------------------ */

static void start(struct fl_grpc_call *call, const grpc_op *ops, size_t count, unsigned tag)
{
    call->failed &= ~tag;
    if (grpc_call_start_batch(call->call, ops, count, (void *)(uintptr_t)tag, NULL) == GRPC_CALL_OK)
        call->pending |= tag;
    else
        call->failed |= tag;
}

static void take_end(struct fl_grpc_call *call)
{
    size_t size = GRPC_SLICE_LENGTH(call->details);

    call->end.code = (int32_t)call->code;
    if (size >= sizeof(call->end.details))
        size = sizeof(call->end.details) - 1;
    if (size > 0)
        memcpy(call->end.details, GRPC_SLICE_START_PTR(call->details), size);
    call->end.details[size] = '\0';
}

static void note(struct fl_grpc_call *call, const grpc_event *event)
{
    unsigned tag = (unsigned)(uintptr_t)event->tag;

    call->pending &= ~tag;
    if (!event->success)
        call->failed |= tag;
    if (tag == OP_STATUS)
        take_end(call);
    if (tag == OP_RECEIVE) {
        call->has_received = true;
        call->exchange->is_answered |= call->received != NULL;
    }
    if (tag == OP_SEND && call->sending) {
        grpc_byte_buffer_destroy(call->sending);
        call->sending = NULL;
    }
}

/* Of a call that has ended or was cancelled: nothing of this waits for the peer. */
static void drain(struct fl_grpc_call *call)
{
    while (call->pending) {
        grpc_event event =
            grpc_completion_queue_next(call->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);

        note(call, &event);
    }
}

/* Wait for one event, FL_GRPC_SLICE_MS at most. false = the host does not want us any more. */
static bool wait_once(struct fl_grpc_call *call)
{
    struct fl_grpc_exchange *exchange = call->exchange;
    gpr_timespec slice = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                      gpr_time_from_millis(FL_GRPC_SLICE_MS, GPR_TIMESPAN));
    grpc_event event;

    if (!fl_grpc_is_wanted(exchange))
        return false;
    event = grpc_completion_queue_next(call->queue, slice, NULL);
    if (event.type == GRPC_OP_COMPLETE)
        note(call, &event);
    else if (call->vouches)
        fl_grpc_progress(exchange, FLAME_PHASE_BODY);
    return true;
}

/* Until none of `tags` is under way. */
static bool wait_for(struct fl_grpc_call *call, unsigned tags)
{
    while (call->pending & tags)
        if (!wait_once(call))
            return false;
    return true;
}

/* Has the server said it, or gRPC of the connection? gRPC makes both look alike, so what is told
 * apart here is what may be: a stream that was reset or ended without a word, a gateway on the way
 * that has lost the server (5xx), a limit of ours, a connection that is gone. A server that says
 * "unavailable" and hangs up at once is taken for the latter. */
static bool is_from_peer(struct fl_grpc_call *call)
{
    static const char *const local[] = {
        "Received RST_STREAM", "Stream removed",
        "No status received",  "Received http2 header with status: 5",
        "Buffers full",        "larger than max"};

    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
        if (strstr(call->end.details, local[i]))
            return false;
    return call->code != GRPC_STATUS_UNAVAILABLE ||
           fl_grpc_channel_is_up(call->exchange->channel, SETTLE_MS);
}

/* An operation failed, or nothing more comes: the end says why. */
static enum fl_grpc_event over(struct fl_grpc_call *call)
{
    if (!wait_for(call, OP_STATUS))
        return FL_GRPC_STOPPED;
    if (call->is_over)
        return FL_GRPC_OVER;
    (void)grpc_call_cancel(call->call, NULL); /* what is still under way */
    drain(call);
    call->is_over = true;
    call->end.is_from_peer = is_from_peer(call);
    call->exchange->is_answered |= call->end.is_from_peer;
    call->exchange->is_broken |= !call->end.is_from_peer;
    return FL_GRPC_OVER;
}

/* ---- begin and end --------------------------------------------------------------------------- */

static void begin(struct fl_grpc_call *call, const struct fl_grpc_metadata *metadata)
{
    grpc_metadata out[FL_GRPC_METADATA_MAX];
    grpc_op ops[] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_RECV_INITIAL_METADATA}};
    grpc_op last = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};

    memset(out, 0, sizeof(out));
    for (size_t i = 0; i < metadata->count; i++) {
        out[i].key = grpc_slice_from_copied_string(metadata->name[i]);
        out[i].value = grpc_slice_from_copied_string(metadata->value[i]);
    }
    ops[0].data.send_initial_metadata.metadata = out;
    ops[0].data.send_initial_metadata.count = metadata->count;
    ops[1].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
    last.data.recv_status_on_client.trailing_metadata = &call->trailing;
    last.data.recv_status_on_client.status = &call->code;
    last.data.recv_status_on_client.status_details = &call->details;
    start(call, &last, 1, OP_STATUS);
    start(call, ops, 2, OP_BEGIN);
    for (size_t i = 0; i < metadata->count; i++) {
        grpc_slice_unref(out[i].key);
        grpc_slice_unref(out[i].value);
    }
}

struct fl_grpc_call *fl_grpc_call_new(struct fl_grpc_exchange *exchange, const char *method,
                                      const struct fl_grpc_metadata *metadata)
{
    struct fl_grpc_call *call = calloc(1, sizeof(*call));
    char path[64];
    grpc_slice name;

    if (!call)
        return NULL;
    (void)snprintf(path, sizeof(path), SERVICE "%s", method);
    name = grpc_slice_from_copied_string(path);
    call->exchange = exchange;
    call->end.code = GRPC_STATUS_UNKNOWN; /* until it is told: never OK for want of an end */
    call->queue = exchange->channel->queue;
    call->details = grpc_empty_slice();
    call->room = grpc_empty_slice();
    grpc_metadata_array_init(&call->initial);
    grpc_metadata_array_init(&call->trailing);
    call->call = grpc_channel_create_call(exchange->channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                          call->queue, name, NULL,
                                          gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    grpc_slice_unref(name);
    begin(call, metadata);
    return call;
}

static void drop_pieces(struct fl_grpc_call *call)
{
    for (size_t i = 0; i < call->piece_count; i++)
        grpc_slice_unref(call->pieces[i]);
    call->piece_count = 0;
}

void fl_grpc_call_free(struct fl_grpc_call *call)
{
    if (!call)
        return;
    if (call->pending)
        (void)grpc_call_cancel(call->call, NULL);
    drain(call);
    grpc_call_unref(call->call);
    grpc_metadata_array_destroy(&call->initial);
    grpc_metadata_array_destroy(&call->trailing);
    grpc_slice_unref(call->details);
    grpc_slice_unref(call->room);
    drop_pieces(call);
    if (call->received)
        grpc_byte_buffer_destroy(call->received);
    if (call->sending)
        grpc_byte_buffer_destroy(call->sending);
    free(call);
}

void fl_grpc_call_vouch(struct fl_grpc_call *call, bool vouches)
{
    call->vouches = vouches;
}

const struct fl_grpc_end *fl_grpc_call_end(const struct fl_grpc_call *call)
{
    return &call->end;
}

enum fl_grpc_event fl_grpc_call_finish(struct fl_grpc_call *call)
{
    return over(call);
}

/* ---- sending --------------------------------------------------------------------------------- */

void fl_grpc_call_add(struct fl_grpc_call *call, const void *bytes, size_t size)
{
    call->pieces[call->piece_count++] = grpc_slice_from_copied_buffer(bytes, size);
}

void fl_grpc_call_add_borrowed(struct fl_grpc_call *call, const void *bytes, size_t size,
                               void (*done)(void *context), void *context)
{
    call->pieces[call->piece_count++] =
        grpc_slice_new_with_user_data((void *)(uintptr_t)bytes, size, done, context);
}

void *fl_grpc_call_room(struct fl_grpc_call *call, size_t size)
{
    grpc_slice_unref(call->room);
    call->room = grpc_slice_malloc(size);
    return GRPC_SLICE_START_PTR(call->room);
}

void fl_grpc_call_add_room(struct fl_grpc_call *call, size_t used)
{
    call->pieces[call->piece_count++] = grpc_slice_sub(call->room, 0, used);
    grpc_slice_unref(call->room);
    call->room = grpc_empty_slice();
}

static enum fl_grpc_event send_ops(struct fl_grpc_call *call, const grpc_op *ops, size_t count)
{
    start(call, ops, count, OP_SEND);
    /* A server that has ended the call may leave the rest of ours unread for ever. */
    while ((call->pending & OP_SEND) && (call->pending & OP_STATUS))
        if (!wait_once(call))
            return FL_GRPC_STOPPED;
    if (!(call->pending & OP_SEND) && !(call->failed & OP_SEND))
        return FL_GRPC_DONE;
    return over(call);
}

enum fl_grpc_event fl_grpc_call_send(struct fl_grpc_call *call, bool is_last)
{
    grpc_op ops[] = {{.op = GRPC_OP_SEND_MESSAGE}, {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}};

    call->sending = grpc_raw_byte_buffer_create(call->pieces, call->piece_count);
    drop_pieces(call);
    ops[0].data.send_message.send_message = call->sending;
    return send_ops(call, ops, is_last ? 2 : 1);
}

enum fl_grpc_event fl_grpc_call_send_end(struct fl_grpc_call *call)
{
    grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

    return send_ops(call, &op, 1);
}

/* ---- receiving ------------------------------------------------------------------------------- */

void fl_grpc_call_expect(struct fl_grpc_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    if ((call->pending & OP_RECEIVE) || call->has_received)
        return;
    op.data.recv_message.recv_message = &call->received;
    start(call, &op, 1, OP_RECEIVE);
}

/* Slices are let go as soon as they are written, so that memory falls while a big message is. */
static bool give_some(grpc_slice_buffer *slices, const struct fl_grpc_receiver *receiver)
{
    struct flame_slice out[PIECES_IN];
    grpc_slice in[PIECES_IN];
    uint32_t count = 0;
    bool goes_on;

    while (count < PIECES_IN && slices->count > 0) {
        in[count] = grpc_slice_buffer_take_first(slices);
        out[count].data = GRPC_SLICE_START_PTR(in[count]);
        out[count].size = GRPC_SLICE_LENGTH(in[count]);
        count++;
    }
    goes_on = receiver->take(receiver->context, out, count);
    while (count > 0)
        grpc_slice_unref(in[--count]);
    return goes_on;
}

static bool give(grpc_byte_buffer *message, const struct fl_grpc_receiver *receiver)
{
    grpc_slice_buffer *slices = &message->data.raw.slice_buffer;

    if (!receiver->begin(receiver->context, grpc_byte_buffer_length(message)))
        return false;
    while (slices->count > 0)
        if (!give_some(slices, receiver))
            return false;
    return true;
}

enum fl_grpc_event fl_grpc_call_receive(struct fl_grpc_call *call,
                                        const struct fl_grpc_receiver *receiver)
{
    grpc_byte_buffer *message;
    bool goes_on;

    fl_grpc_call_expect(call);
    if (!wait_for(call, OP_RECEIVE))
        return FL_GRPC_STOPPED;
    message = call->received;
    if (!message)
        return over(call);
    call->received = NULL;
    call->has_received = false;
    goes_on = give(message, receiver);
    grpc_byte_buffer_destroy(message);
    return goes_on ? FL_GRPC_DONE : FL_GRPC_REFUSED;
}
