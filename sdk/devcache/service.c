/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include "answer.h"
#include "keys.h"
#include "messages.h"
#include "write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "/arrow.flight.protocol.FlightService/"
#define DELETE "DELETE"
#define SHOWN_MAX 64

struct fl_cache_reply {
    const struct fl_cache_service *service;
    struct fl_cache_answer *answer; /* of DoGet */
    bool is_list;
    struct fl_cache_listed listed;
    struct fl_flight_buffer only; /* the one message of others */
    bool is_sent;
};

/* ---- methods --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *missing;
} methods[FL_CACHE_METHODS] = {
#define FL_CACHE_ROW_(name, method, missing) {method, missing},
    FL_CACHE_METHOD_TABLE(FL_CACHE_ROW_)
#undef FL_CACHE_ROW_
};

const char *fl_cache_method_name(enum fl_cache_method method)
{
    return method < FL_CACHE_METHODS ? methods[method].name : "unknown method";
}

bool fl_cache_method_find(struct fl_flight_bytes path, enum fl_cache_method *method,
                          struct fl_cache_status *status)
{
    const size_t skip = strlen(PREFIX);
    struct fl_flight_bytes name;

    if (path.size < skip || memcmp(path.data, PREFIX, skip) != 0)
        return fl_cache_fail(status, FL_CACHE_UNIMPLEMENTED, "no such service");
    name = (struct fl_flight_bytes){path.data + skip, path.size - skip};
    for (int i = 0; i < FL_CACHE_METHODS; i++) {
        if (!fl_flight_bytes_equal(name, methods[i].name))
            continue;
        *method = (enum fl_cache_method)i;
        return !methods[i].missing ||
               fl_cache_fail(status, FL_CACHE_UNIMPLEMENTED, "%s", methods[i].missing);
    }
    return fl_cache_fail(status, FL_CACHE_UNIMPLEMENTED, "no such method");
}

/* ---- messages -------------------------------------------------------------------------------- */

uint64_t fl_cache_message_size(const struct fl_cache_message *message)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < message->pieces; i++)
        size += message->piece[i].size;
    return size;
}

void fl_cache_message_move(struct fl_cache_message *message, struct fl_flight_buffer *buffer)
{
    if (buffer->size > 0) {
        message->piece[message->pieces++] =
            (struct fl_cache_piece){buffer->data, buffer->size, buffer->data, free};
        *buffer = (struct fl_flight_buffer){.size = 0};
    }
}

void fl_cache_message_done(struct fl_cache_message *message)
{
    for (uint32_t i = 0; i < message->pieces; i++) {
        if (message->piece[i].release)
            message->piece[i].release(message->piece[i].owner);
    }
    *message = (struct fl_cache_message){.pieces = 0};
}

/* ---- what each method answers ---------------------------------------------------------------- */

static struct fl_flight_endpoint endpoint_of(const struct fl_cache_service *service,
                                             struct fl_flight_bytes key)
{
    struct fl_flight_endpoint endpoint = {.ticket = key, .locations = 1};

    endpoint.location[0] = fl_flight_text(service->endpoint);
    return endpoint;
}

static bool get(struct fl_cache_reply *reply, struct fl_flight_bytes request,
                struct fl_cache_status *status)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_bytes ticket;

    if (!fl_flight_read_single(request, &ticket, &fault))
        return fl_cache_fail_fault(status, &fault);
    reply->answer = fl_cache_answer_new(reply->service, ticket, status);
    return reply->answer != NULL;
}

static bool run_delete(struct fl_cache_reply *reply, struct fl_flight_bytes key_text,
                       struct fl_cache_status *status)
{
    const uint32_t kinds = FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION | FL_FLIGHT_KEY_APPLICATION;
    struct fl_flight_key key;

    if (!fl_cache_key_read(key_text, kinds, &key, status) ||
        !fl_cache_store_remove(reply->service->store, &key, status))
        return false;
    fl_flight_write_single(&reply->only, fl_flight_text("OK"));
    return true;
}

static bool act(struct fl_cache_reply *reply, struct fl_flight_bytes request,
                struct fl_cache_status *status)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_action action;
    char shown[SHOWN_MAX + 1];

    if (!fl_flight_read_action(request, &action, &fault))
        return fl_cache_fail_fault(status, &fault);
    if (fl_flight_bytes_equal(action.type, DELETE))
        return run_delete(reply, action.body, status);
    fl_cache_show(action.type, shown, sizeof(shown));
    return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                         "Unknown action type: %s. Only " DELETE " is supported.", shown);
}

static bool list_actions(struct fl_cache_reply *reply)
{
    struct fl_flight_action action = {fl_flight_text(DELETE),
                                      fl_flight_text("Delete objects by key prefix")};

    fl_flight_write_action(&reply->only, &action);
    return true;
}

/* The parts of a path joined, as the real cache does; what they name is not looked at. */
static bool join_path(const struct fl_flight_descriptor *descriptor, struct fl_flight_buffer *out,
                      struct fl_cache_status *status)
{
    if (descriptor->paths == 0)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "Empty descriptor path");
    if (descriptor->paths > FL_FLIGHT_PATH_MAX)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "the descriptor path is too long");
    for (uint32_t i = 0; i < descriptor->paths; i++) {
        if (i > 0)
            (void)fl_flight_buffer_add(out, "/", 1);
        (void)fl_flight_buffer_add(out, descriptor->path[i].data, descriptor->path[i].size);
    }
    return out->size <= FL_FLIGHT_KEY_MAX ||
           fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "the descriptor path is too long");
}

static bool tell_info(struct fl_cache_reply *reply, struct fl_flight_bytes request,
                      struct fl_cache_status *status)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer described = {.size = 0};
    struct fl_flight_buffer key = {.size = 0};
    struct fl_flight_descriptor descriptor;
    bool done = false;

    if (!fl_flight_read_descriptor(request, &descriptor, &fault))
        return fl_cache_fail_fault(status, &fault);
    if (join_path(&descriptor, &key, status)) {
        struct fl_flight_info info = {.endpoints = 1, .total_records = -1, .total_bytes = -1};

        descriptor.paths = 1;
        descriptor.path[0] = fl_flight_buffer_view(&key);
        fl_flight_write_descriptor(&described, &descriptor);
        info.descriptor = fl_flight_buffer_view(&described);
        info.endpoint[0] = endpoint_of(reply->service, fl_flight_buffer_view(&key));
        fl_flight_write_info(&reply->only, &info);
        done = true;
    }
    fl_flight_buffer_done(&described);
    fl_flight_buffer_done(&key);
    return done;
}

static bool tell_schema(struct fl_cache_reply *reply, struct fl_cache_status *status)
{
    struct fl_flight_format format = {.has_kind = reply->service->dialect == FL_CACHE_DIALECT_0_6};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer schema = {.size = 0};
    bool done = fl_flight_write_schema(&schema, &format, &fault);

    if (done)
        fl_flight_write_single(&reply->only, fl_flight_buffer_view(&schema));
    fl_flight_buffer_done(&schema);
    return done || fl_cache_fail_fault(status, &fault);
}

/* ---- replies --------------------------------------------------------------------------------- */

static bool fill(struct fl_cache_reply *reply, enum fl_cache_method method,
                 struct fl_flight_bytes request, struct fl_cache_status *status)
{
    switch (method) {
    case FL_CACHE_METHOD_GET:
        return get(reply, request, status);
    case FL_CACHE_METHOD_ACTION:
        return act(reply, request, status);
    case FL_CACHE_METHOD_LIST:
        reply->is_list = true; /* the criteria mean nothing, as in the real cache */
        return true;
    case FL_CACHE_METHOD_INFO:
        return tell_info(reply, request, status);
    case FL_CACHE_METHOD_SCHEMA:
        return tell_schema(reply, status);
    case FL_CACHE_METHOD_ACTIONS:
        return list_actions(reply);
    default:
        return fl_cache_fail(status, FL_CACHE_INTERNAL, "a method without an answer");
    }
}

struct fl_cache_reply *fl_cache_service_ask(const struct fl_cache_service *service,
                                            enum fl_cache_method method,
                                            struct fl_flight_bytes request,
                                            struct fl_cache_status *status)
{
    struct fl_cache_reply *reply = calloc(1, sizeof(*reply));

    if (!reply) {
        (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    reply->service = service;
    if (fill(reply, method, request, status) && !reply->only.failed)
        return reply;
    (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    fl_cache_reply_free(reply);
    return NULL;
}

void fl_cache_reply_free(struct fl_cache_reply *reply)
{
    if (!reply)
        return;
    fl_cache_answer_free(reply->answer);
    fl_flight_buffer_done(&reply->only);
    free(reply);
}

static enum fl_cache_step next_listed(struct fl_cache_reply *reply, struct fl_cache_message *out,
                                      struct fl_cache_status *status)
{
    struct fl_flight_info info = {.endpoints = 1, .total_records = -1};
    struct fl_flight_buffer bytes = {.size = 0};

    if (!fl_cache_store_next(reply->service->store, &reply->listed))
        return FL_CACHE_STEP_END;
    info.total_bytes = (int64_t)reply->listed.bytes;
    info.endpoint[0] = endpoint_of(reply->service, fl_flight_text(reply->listed.key));
    fl_flight_write_info(&bytes, &info);
    if (!bytes.failed) {
        fl_cache_message_move(out, &bytes);
        return FL_CACHE_STEP_MESSAGE;
    }
    fl_flight_buffer_done(&bytes);
    (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    return FL_CACHE_STEP_FAILED;
}

enum fl_cache_step fl_cache_reply_next(struct fl_cache_reply *reply, struct fl_cache_message *out,
                                       struct fl_cache_status *status)
{
    if (reply->answer)
        return fl_cache_answer_next(reply->answer, out, status);
    if (reply->is_list)
        return next_listed(reply, out, status);
    if (reply->is_sent)
        return FL_CACHE_STEP_END;
    reply->is_sent = true;
    fl_cache_message_move(out, &reply->only);
    return FL_CACHE_STEP_MESSAGE;
}

void fl_cache_reply_spoil_schema(struct fl_cache_reply *reply)
{
    if (reply->answer)
        fl_cache_answer_spoil_schema(reply->answer);
}

void fl_cache_reply_drop_last(struct fl_cache_reply *reply)
{
    if (reply->answer)
        fl_cache_answer_drop_last(reply->answer);
}
