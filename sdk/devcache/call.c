/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include "cursor.h"
#include "cut.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUEST_MAX ((size_t)1 << 20)

/* ---- operations ------------------------------------------------------------------------------ */

static void give_away(struct fl_cache_tag *tag)
{
    __atomic_store_n(&tag->turn, 1, __ATOMIC_RELEASE);
}

/* Start some; the tag reports when they are done. What cannot be started counts as done and failed,
 * gRPC will close the call. */
static void start(struct fl_cache_call *call, const grpc_op *ops, size_t count,
                  struct fl_cache_tag *tag)
{
    call->pending++;
    give_away(tag);
    if (grpc_call_start_batch(call->call, ops, count, tag, NULL) != GRPC_CALL_OK) {
        call->pending--;
        (void)grpc_call_cancel(call->call, NULL);
    }
}

static void start_closed(struct fl_cache_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

    op.data.recv_close_on_server.cancelled = &call->is_cancelled;
    start(call, &op, 1, &call->closed);
}

static void receive(struct fl_cache_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

    op.data.recv_message.recv_message = &call->incoming;
    start(call, &op, 1, &call->received);
}

/* Initial metadata go with the first thing that is sent: without a message the answer is a header
 * alone. */
static size_t add_initial(struct fl_cache_call *call, grpc_op *ops)
{
    if (call->has_initial)
        return 0;
    call->has_initial = true;
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    return 1;
}

static void send_message(struct fl_cache_call *call)
{
    grpc_op ops[2] = {{.op = GRPC_OP_SEND_MESSAGE}};
    size_t count = add_initial(call, ops);

    call->bytes += fl_cache_message_size(&call->message);
    call->outgoing = fl_cache_wire_out(&call->message);
    ops[count].op = GRPC_OP_SEND_MESSAGE;
    ops[count].data.send_message.send_message = call->outgoing;
    start(call, ops, count + 1, &call->sent);
}

static void finish(struct fl_cache_call *call)
{
    grpc_op ops[2] = {{.op = GRPC_OP_SEND_STATUS_FROM_SERVER}};
    size_t count = add_initial(call, ops);
    grpc_slice text = fl_cache_wire_text(call->status.text);

    if (!call->is_finished) {
        call->is_finished = true;
        ops[count].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
        ops[count].data.send_status_from_server.status = (grpc_status_code)call->status.code;
        ops[count].data.send_status_from_server.status_details =
            call->status.code == FL_CACHE_OK ? NULL : &text;
        start(call, ops, count + 1, &call->finished);
    }
    grpc_slice_unref(text);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void fall_asleep(struct fl_cache_call *call)
{
    if (call->is_closed)
        return; /* nobody would wake it */
    call->due_ms = call->fault.stall_ms > 0 ? fl_cache_hub_now_ms() + call->fault.stall_ms : 0;
    call->pending++;
    fl_cache_hub_sleep(call->hub, call);
}

/* true = the call does not go on as it would. */
static bool has_fault(struct fl_cache_call *call, uint64_t size)
{
    switch (fl_cache_fault_due(&call->fault, size)) {
    case FL_CACHE_FAULT_CUT:
        if (call->reply)
            send_message(call);
        fl_cache_cut(call->call);
        return true;
    case FL_CACHE_FAULT_STALL:
        fall_asleep(call);
        return true;
    case FL_CACHE_FAULT_STATUS:
        call->status.code = call->fault.code;
        (void)snprintf(call->status.text, sizeof(call->status.text), "a fault was asked for");
        fl_cache_message_done(&call->message);
        finish(call);
        return true;
    default:
        return false;
    }
}

/* ---- sending --------------------------------------------------------------------------------- */

/* The next message, or the end. */
static void step(struct fl_cache_call *call)
{
    enum fl_cache_step next = FL_CACHE_STEP_END;

    if (call->message.pieces > 0)
        next = FL_CACHE_STEP_MESSAGE;
    else if (call->reply)
        next = fl_cache_reply_next(call->reply, &call->message, &call->status);
    if (next != FL_CACHE_STEP_MESSAGE) {
        fl_cache_message_done(&call->message);
        finish(call);
    } else if (!call->reply || !has_fault(call, fl_cache_message_size(&call->message))) {
        send_message(call);
    }
}

static void on_sent(struct fl_cache_call *call, bool ok)
{
    grpc_byte_buffer_destroy(call->outgoing);
    call->outgoing = NULL;
    if (ok)
        step(call);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static void ask(struct fl_cache_call *call, const struct flame_slice *slices, uint32_t count)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer request = {.size = 0};

    if (!fl_flight_gather(slices, count, REQUEST_MAX, &request, &fault))
        (void)fl_cache_fail_fault(&call->status, &fault);
    else
        call->reply = fl_cache_service_ask(call->hub->service, call->method,
                                           fl_flight_buffer_view(&request), &call->status);
    fl_flight_buffer_done(&request);
    if (call->reply && call->fault.kind == FL_CACHE_FAULT_SCHEMA)
        fl_cache_reply_spoil_schema(call->reply);
    if (call->reply && call->fault.kind == FL_CACHE_FAULT_SHORT)
        fl_cache_reply_drop_last(call->reply);
    if (call->reply)
        step(call);
    else
        finish(call);
}

static void take(struct fl_cache_call *call, const struct flame_slice *slices, uint32_t count)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < count; i++)
        size += slices[i].size;
    call->bytes += size;
    if (!fl_cache_upload_message(call->upload, slices, count, &call->status))
        finish(call);
    else if (!has_fault(call, size))
        receive(call);
}

static void end_upload(struct fl_cache_call *call)
{
    struct fl_flight_buffer result = {.size = 0};

    if (fl_cache_upload_finish(call->upload, &result, &call->status)) {
        fl_cache_message_move(&call->message, &result);
        step(call);
    } else {
        finish(call);
    }
    fl_flight_buffer_done(&result);
}

static void take_message(struct fl_cache_call *call, grpc_byte_buffer *buffer)
{
    uint32_t count = 0;
    struct flame_slice *slices = fl_cache_wire_in(buffer, &count, &call->status);

    if (!slices)
        finish(call);
    else if (call->upload)
        take(call, slices, count);
    else
        ask(call, slices, count);
    free(slices);
}

static void end_requests(struct fl_cache_call *call)
{
    if (call->upload) {
        end_upload(call);
        return;
    }
    (void)fl_cache_fail(&call->status, FL_CACHE_INVALID_ARGUMENT, "the call has no request");
    finish(call);
}

/* No message is the end of what the client sends, or of the client: an upload that was cut is no
 * upload, and only gRPC knows which it is. */
static void on_received(struct fl_cache_call *call, bool ok)
{
    grpc_byte_buffer *buffer = call->incoming;

    call->incoming = NULL;
    if (!ok || call->is_finished) {
        grpc_byte_buffer_destroy(buffer);
    } else if (buffer) {
        take_message(call, buffer);
        grpc_byte_buffer_destroy(buffer);
    } else if (!call->is_cancelled && !grpc_call_failed_before_recv_message(call->call)) {
        end_requests(call);
    }
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static void on_accepted(struct fl_cache_call *call, bool ok)
{
    struct fl_flight_bytes path = fl_cache_wire_bytes(&call->details.method);

    fl_cache_hub_asked(call->hub);
    if (!ok)
        return;
    start_closed(call);
    if (!fl_cache_method_find(path, &call->method, &call->status)) {
        finish(call);
        return;
    }
    call->fault = fl_cache_faults_claim(call->hub->faults, call->method);
    if (call->method == FL_CACHE_METHOD_PUT) {
        call->upload = fl_cache_upload_new(call->hub->service, &call->status);
        if (!call->upload) {
            finish(call);
            return;
        }
    }
    receive(call);
}

static void on_closed(struct fl_cache_call *call, bool ok)
{
    (void)ok;
    call->is_closed = true;
    if (fl_cache_hub_forget(call->hub, call))
        call->pending--;
}

static void on_finished(struct fl_cache_call *call, bool ok)
{
    (void)call;
    (void)ok;
}

/* A message is here still if its sending could not be started. */
static void free_call(struct fl_cache_call *call)
{
    grpc_byte_buffer_destroy(call->outgoing);
    fl_cache_message_done(&call->message);
    fl_cache_reply_free(call->reply);
    fl_cache_upload_free(call->upload);
    if (call->call)
        grpc_call_unref(call->call);
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->metadata);
    (void)pthread_mutex_destroy(&call->lock);
    free(call);
}

static void tell(const struct fl_cache_call *call)
{
    const char *method = fl_cache_method_name(call->method);
    const char *key = call->upload ? fl_cache_upload_key(call->upload) : "";

    (void)fprintf(stderr, "%s%s%s: %s%s, %" PRIu64 " bytes%s\n", method, *key ? " " : "", key,
                  call->status.code == FL_CACHE_OK ? "done" : "refused: ", call->status.text,
                  call->bytes, call->is_finished ? "" : ", cut");
}

static void release(struct fl_cache_call *call)
{
    struct fl_cache_hub *hub = call->hub;

    if (hub->is_verbose && call->call)
        tell(call);
    free_call(call);
    fl_cache_hub_leave(hub);
}

/* Handle something that was pending, and free the call after the last such thing. */
static void run(struct fl_cache_call *call, void (*handle)(struct fl_cache_call *call, bool ok),
                bool ok)
{
    bool is_over;

    (void)pthread_mutex_lock(&call->lock);
    handle(call, ok);
    call->pending--;
    is_over = call->pending == 0;
    (void)pthread_mutex_unlock(&call->lock);
    if (is_over)
        release(call);
}

void fl_cache_call_event(struct fl_cache_tag *tag, bool ok)
{
    (void)__atomic_load_n(&tag->turn, __ATOMIC_ACQUIRE);
    run(tag->call, tag->handle, ok);
}

static void on_woken(struct fl_cache_call *call, bool ok)
{
    (void)ok;
    if (call->upload && call->message.pieces == 0)
        receive(call);
    else
        step(call);
}

void fl_cache_call_wake(struct fl_cache_call *call)
{
    run(call, on_woken, true);
}

bool fl_cache_call_request(struct fl_cache_hub *hub)
{
    struct fl_cache_call *call = calloc(1, sizeof(*call));

    if (!call)
        return false;
    call->hub = hub;
    (void)pthread_mutex_init(&call->lock, NULL);
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    call->accepted = (struct fl_cache_tag){on_accepted, call, 0};
    call->closed = (struct fl_cache_tag){on_closed, call, 0};
    call->received = (struct fl_cache_tag){on_received, call, 0};
    call->sent = (struct fl_cache_tag){on_sent, call, 0};
    call->finished = (struct fl_cache_tag){on_finished, call, 0};
    call->pending = 1;
    call->method = FL_CACHE_METHODS;
    give_away(&call->accepted);
    if (grpc_server_request_call(hub->server, &call->call, &call->details, &call->metadata,
                                 hub->queue, hub->queue, &call->accepted) == GRPC_CALL_OK)
        return true;
    free_call(call);
    return false;
}
