/* SPDX-License-Identifier: Apache-2.0 */
#include "upload.h"

#include "flight/messages.h"
#include "flight/write.h"
#include "message.h"
#include "private_copy.h"
#include "source.h"

#define ROW_SIZE ((size_t)1 << 20)

static const struct fl_flight_format format = {.codec = FL_FLIGHT_PLAIN};
static const uint8_t zeros[64];

/* ---- messages -------------------------------------------------------------------------------- */

/* OK also where the server has ended the call: the end is for the caller to judge. */
static int32_t after(const struct fl_grpc_upload *upload, enum fl_grpc_event event, bool *goes_on)
{
    *goes_on = event == FL_GRPC_DONE;
    if (event == FL_GRPC_STOPPED)
        return upload->exchange->refused;
    fl_grpc_progress(upload->exchange, FLAME_PHASE_BODY);
    return FLAME_OK;
}

static int32_t send_schema(struct fl_grpc_upload *upload, bool *goes_on)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer descriptor = {.size = 0};
    struct fl_flight_buffer message = {.size = 0};
    bool ok = fl_flight_descriptor_write(&descriptor, upload->key) &&
              fl_flight_write_schema_message(&message, &format, fl_flight_buffer_view(&descriptor),
                                             &fault);
    int32_t status = ok ? FLAME_OK : fl_grpc_fail_memory(upload->exchange);

    if (ok) {
        fl_grpc_call_add(upload->call, message.data, message.size);
        status = after(upload, fl_grpc_call_send(upload->call, false), goes_on);
    }
    fl_flight_buffer_done(&message);
    fl_flight_buffer_done(&descriptor);
    return status;
}

/* What stands before the bytes of a row; the padding follows them. */
static int32_t add_head(struct fl_grpc_upload *upload, uint64_t size, uint32_t *padding)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_message message = {.padding = 0};
    const struct fl_flight_row row = {.version = 0, .size = size};
    const struct fl_flight_rows_out rows = {.row = &row, .rows = 1};
    int32_t status = FLAME_OK;

    if (fl_flight_write_batch(&message, &format, &rows, &fault))
        fl_grpc_call_add(upload->call, message.head.data, message.head.size);
    else
        status = fl_grpc_fail_fault(upload->exchange, &fault);
    *padding = message.padding;
    fl_flight_message_done(&message);
    return status;
}

static int32_t begin(struct fl_grpc_upload *upload, bool *goes_on)
{
    int32_t status = fl_grpc_call_begin(upload->exchange, "DoPut", &upload->call);

    if (status != FLAME_OK)
        return status;
    fl_grpc_call_expect(upload->call);
    return send_schema(upload, goes_on);
}

/* From here on the server has all that it needs. */
static void all_is_sent(struct fl_grpc_upload *upload)
{
    upload->is_all_sent = true;
    upload->exchange->is_finishing = true;
    fl_grpc_progress(upload->exchange, FLAME_PHASE_FINISH);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void take_result(struct fl_grpc_upload *upload, const struct fl_flight_buffer *message)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_bytes document;

    if (upload->has_reference || message->size == 0)
        return;
    upload->has_reference =
        fl_flight_read_single(fl_flight_buffer_view(message), &document, &fault) &&
        fl_flight_reference_read(document, &upload->reference, &fault);
}

static int32_t take_answer(struct fl_grpc_upload *upload)
{
    struct fl_flight_buffer message = {.size = 0};
    enum fl_grpc_event event;

    while ((event = fl_grpc_call_gather(upload->call, &message)) == FL_GRPC_DONE)
        take_result(upload, &message);
    fl_flight_buffer_done(&message);
    if (event == FL_GRPC_STOPPED)
        return upload->exchange->refused;
    if (event == FL_GRPC_REFUSED)
        return fl_grpc_fail(upload->exchange, FLAME_ERR_UNKNOWN_OUTCOME,
                            "the server's answer to the upload is too long");
    return FLAME_OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int32_t send_row(struct fl_grpc_upload *upload, size_t size, bool *goes_on)
{
    uint32_t padding;
    int32_t status = add_head(upload, size, &padding);

    if (status != FLAME_OK)
        return status;
    fl_grpc_call_add_room(upload->call, size);
    fl_grpc_call_add(upload->call, zeros, padding);
    return after(upload, fl_grpc_call_send(upload->call, false), goes_on);
}

/* An empty file is one row without bytes: no row at all would be refused. */
static int32_t send_rows(struct fl_grpc_upload *upload, struct fl_grpc_source *source,
                         bool *goes_on)
{
    size_t size = ROW_SIZE;
    int32_t status = FLAME_OK;

    while (status == FLAME_OK && *goes_on && size == ROW_SIZE) {
        void *room = fl_grpc_call_room(upload->call, ROW_SIZE);

        status = fl_grpc_source_read(source, room, ROW_SIZE, &size);
        if (status == FLAME_OK && (size > 0 || source->at == 0))
            status = send_row(upload, size, goes_on);
    }
    upload->size = source->at;
    return status;
}

int32_t fl_grpc_upload_rows(struct fl_grpc_upload *upload)
{
    struct fl_grpc_source source;
    bool goes_on = false;
    int32_t status = fl_grpc_source_open(upload->exchange, &source);

    if (status == FLAME_OK)
        status = begin(upload, &goes_on);
    if (status == FLAME_OK)
        status = send_rows(upload, &source, &goes_on);
    if (status != FLAME_OK)
        return status;
    if (goes_on) {
        all_is_sent(upload);
        if (fl_grpc_call_send_end(upload->call) == FL_GRPC_STOPPED)
            return upload->exchange->refused;
    }
    return take_answer(upload);
}

/* ---- one row --------------------------------------------------------------------------------- */

static int32_t send_copy(struct fl_grpc_upload *upload, struct fl_grpc_copy *copy)
{
    uint32_t padding;
    int32_t status = add_head(upload, upload->size, &padding);
    enum fl_grpc_event event;

    if (status != FLAME_OK)
        return status;
    fl_grpc_copy_hold(copy);
    fl_grpc_call_add_borrowed(upload->call, fl_grpc_copy_data(copy), (size_t)upload->size,
                              fl_grpc_copy_release, copy);
    fl_grpc_call_add(upload->call, zeros, padding);
    /* No sign of progress until all of it has gone: the server's life is what there is. */
    fl_grpc_call_vouch(upload->call, true);
    event = fl_grpc_call_send(upload->call, false);
    fl_grpc_call_vouch(upload->call, false);
    if (event == FL_GRPC_DONE) {
        all_is_sent(upload);
        event = fl_grpc_call_send_end(upload->call);
    }
    return event == FL_GRPC_STOPPED ? upload->exchange->refused : take_answer(upload);
}

int32_t fl_grpc_upload_one_row(struct fl_grpc_upload *upload)
{
    struct fl_grpc_copy *copy = NULL;
    bool goes_on = false;
    int32_t status;

    upload->size = upload->exchange->request->source_size;
    status = fl_grpc_copy_new(upload->exchange, upload->size, &copy);
    if (status == FLAME_OK)
        status = begin(upload, &goes_on);
    if (status == FLAME_OK)
        status = goes_on ? send_copy(upload, copy) : take_answer(upload);
    fl_grpc_copy_release(copy);
    return status;
}

void fl_grpc_upload_clear(struct fl_grpc_upload *upload)
{
    fl_grpc_call_free(upload->call);
    upload->call = NULL;
    upload->is_all_sent = false;
    upload->has_reference = false;
    upload->exchange->is_finishing = false;
}
