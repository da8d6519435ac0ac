/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include "body.h"
#include "envelope.h"

#include <stdlib.h>

#define PIECES 64

struct fl_flight_reader {
    struct fl_flight_reader_config config;
    struct fl_flight_summary summary;
    struct fl_flight_fault fault;
    int32_t sink_status;
    struct fl_flight_envelope envelope;
    struct fl_flight_plan plan;
    struct fl_flight_body body;
    struct fl_flight_rows rows;
    bool has_schema;
    bool in_message; /* begun and not complete */
    bool is_opened;  /* its header was judged */
    bool is_batch;   /* it has a batch, which takes the body */
    uint64_t skip;   /* of `data`, before the first row */
    uint64_t want;   /* of `data`, from there */
};

static bool sink_failed(struct fl_flight_reader *reader, int32_t status)
{
    reader->sink_status = status;
    return fl_flight_fail(&reader->fault, FL_FLIGHT_SINK, "the receiver wants no more");
}

/* ---- what a batch brings --------------------------------------------------------------------- */

static bool take_row(struct fl_flight_reader *reader, const struct fl_flight_row *row)
{
    struct fl_flight_summary *summary = &reader->summary;
    bool is_patch = row->is_patch || (summary->rows > 0 && row->version != summary->version);
    struct fl_flight_row judged = {row->version, row->size, is_patch};
    int32_t status;

    if (is_patch && !reader->config.takes_patches)
        return fl_flight_fail(&reader->fault, FL_FLIGHT_PATCHED,
                              "the object has patches, it is not one file");
    if (summary->rows == 0)
        summary->version = row->version;
    summary->rows++;
    summary->patches += is_patch;
    status = reader->config.row ? reader->config.row(reader->config.context, &judged) : FLAME_OK;
    return status == FLAME_OK || sink_failed(reader, status);
}

/* Every row is known and none of their bytes were given away. */
static bool begin_data(struct fl_flight_reader *reader, uint64_t size)
{
    struct fl_flight_rows *rows = &reader->rows;
    struct fl_flight_row row;

    if (!fl_flight_rows_judge(rows, size, &reader->fault))
        return false;
    if (rows->total > reader->config.max_bytes - reader->summary.bytes)
        return fl_flight_fail(&reader->fault, FL_FLIGHT_LIMIT, "the object is too large");
    for (uint64_t i = 0; i < rows->count; i++) {
        fl_flight_rows_get(rows, i, &row);
        if (!take_row(reader, &row))
            return false;
    }
    reader->skip = rows->first;
    reader->want = rows->total;
    return true;
}

static bool enter(void *context, enum fl_flight_role role, uint64_t size,
                  struct fl_flight_fault *fault)
{
    struct fl_flight_reader *reader = context;

    if (role == FL_FLIGHT_ROLE_DATA)
        return begin_data(reader, size);
    return fl_flight_rows_announce(&reader->rows, size, fault);
}

static bool to_sink(struct fl_flight_reader *reader, const struct flame_slice *slices,
                    uint32_t count)
{
    struct flame_slice pieces[PIECES];
    struct fl_flight_cursor cursor;
    uint64_t size;

    fl_flight_cursor_init(&cursor, slices, count);
    reader->skip -= fl_flight_cursor_skip(&cursor, reader->skip);
    while (cursor.left > 0 && reader->want > 0) {
        uint32_t got = fl_flight_cursor_pieces(&cursor, reader->want, pieces, PIECES, &size);
        int32_t status = reader->config.sink(reader->config.context, pieces, got);

        if (status != FLAME_OK)
            return sink_failed(reader, status);
        reader->want -= size;
        reader->summary.bytes += size;
    }
    return true;
}

static bool content(void *context, enum fl_flight_role role, const struct flame_slice *slices,
                    uint32_t count, struct fl_flight_fault *fault)
{
    struct fl_flight_reader *reader = context;

    if (role == FL_FLIGHT_ROLE_DATA)
        return to_sink(reader, slices, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!fl_flight_rows_add(&reader->rows, role, &slices[i], fault))
            return false;
    }
    return true;
}

/* ---- what a message is ----------------------------------------------------------------------- */

static bool open_schema(struct fl_flight_reader *reader, struct fl_flight_ipc *ipc)
{
    if (reader->has_schema)
        return fl_flight_fail(&reader->fault, FL_FLIGHT_MALFORMED, "a second schema");
    if (!fl_flight_ipc_plan(ipc, &reader->plan, &reader->fault))
        return false;
    reader->has_schema = true;
    reader->summary.has_kind = reader->plan.has_kind;
    return true;
}

static bool open_batch(struct fl_flight_reader *reader, struct fl_flight_ipc *ipc)
{
    uint64_t body_size = reader->envelope.has_body ? reader->envelope.body_size : 0;
    struct fl_flight_batch batch;

    if (!reader->has_schema)
        return fl_flight_fail(&reader->fault, FL_FLIGHT_MALFORMED,
                              "a record batch before its schema");
    if (!fl_flight_ipc_batch(ipc, &reader->plan, body_size, &batch, &reader->fault))
        return false;
    fl_flight_rows_begin(&reader->rows, &reader->plan, batch.rows);
    fl_flight_body_begin(&reader->body, &batch);
    reader->summary.codec = batch.codec;
    reader->is_batch = true;
    return true;
}

/* The header is complete: the body begins, or the message is at its end. A message without a header
 * has metadata or a descriptor only. */
static bool open_message(struct fl_flight_reader *reader)
{
    struct fl_flight_ipc ipc;

    if (reader->is_opened)
        return true;
    reader->is_opened = true;
    if (reader->envelope.header.size == 0)
        return reader->envelope.body_size == 0 ||
               fl_flight_fail(&reader->fault, FL_FLIGHT_MALFORMED, "a body without a header");
    if (!fl_flight_ipc_open(&ipc, fl_flight_buffer_view(&reader->envelope.header), &reader->fault))
        return false;
    return ipc.kind == FL_FLIGHT_IPC_SCHEMA ? open_schema(reader, &ipc) : open_batch(reader, &ipc);
}

static bool take_body(struct fl_flight_reader *reader, struct fl_flight_cursor *cursor)
{
    struct fl_flight_cursor part;

    if (!open_message(reader))
        return false;
    fl_flight_envelope_body(&reader->envelope, cursor, &part);
    return !reader->is_batch || fl_flight_body_push(&reader->body, &part, &reader->fault);
}

static bool end_message(struct fl_flight_reader *reader)
{
    struct fl_flight_cursor nothing = {NULL, 0, 0};

    reader->in_message = false;
    if (!open_message(reader))
        return false;
    return !reader->is_batch || (fl_flight_body_push(&reader->body, &nothing, &reader->fault) &&
                                 fl_flight_body_end(&reader->body, &reader->fault));
}

/* ---- the calls ------------------------------------------------------------------------------- */

struct fl_flight_reader *fl_flight_reader_new(const struct fl_flight_reader_config *config)
{
    struct fl_flight_reader *reader = calloc(1, sizeof(*reader));

    if (!reader)
        return NULL;
    reader->config = *config;
    reader->body.taker = (struct fl_flight_taker){reader, enter, content};
    return reader;
}

void fl_flight_reader_free(struct fl_flight_reader *reader)
{
    if (!reader)
        return;
    fl_flight_envelope_done(&reader->envelope);
    fl_flight_body_done(&reader->body);
    fl_flight_rows_done(&reader->rows);
    free(reader);
}

bool fl_flight_reader_begin(struct fl_flight_reader *reader, uint64_t size)
{
    if (reader->fault.code != FL_FLIGHT_NONE)
        return false;
    if (reader->in_message)
        return fl_flight_fail(&reader->fault, FL_FLIGHT_TRUNCATED, "a message is cut short");
    fl_flight_envelope_begin(&reader->envelope, size);
    reader->in_message = true;
    reader->is_opened = false;
    reader->is_batch = false;
    return fl_flight_reader_push(reader, NULL, 0);
}

bool fl_flight_reader_push(struct fl_flight_reader *reader, const struct flame_slice *slices,
                           uint32_t count)
{
    struct fl_flight_cursor cursor;

    fl_flight_cursor_init(&cursor, slices, count);
    while (reader->fault.code == FL_FLIGHT_NONE && reader->in_message) {
        switch (fl_flight_envelope_step(&reader->envelope, &cursor, &reader->fault)) {
        case FL_FLIGHT_EVENT_BODY:
            (void)take_body(reader, &cursor);
            break;
        case FL_FLIGHT_EVENT_END:
            (void)end_message(reader);
            break;
        case FL_FLIGHT_EVENT_MORE:
            return true;
        case FL_FLIGHT_EVENT_FAULT:
            return false;
        }
    }
    if (cursor.left > 0)
        (void)fl_flight_fail(&reader->fault, FL_FLIGHT_MALFORMED, "bytes behind a message");
    return reader->fault.code == FL_FLIGHT_NONE;
}

bool fl_flight_reader_message(struct fl_flight_reader *reader, const struct flame_slice *slices,
                              uint32_t count)
{
    struct fl_flight_cursor cursor;

    fl_flight_cursor_init(&cursor, slices, count);
    return fl_flight_reader_begin(reader, cursor.left) &&
           fl_flight_reader_push(reader, slices, count);
}

bool fl_flight_reader_finish(struct fl_flight_reader *reader, struct fl_flight_summary *summary)
{
    *summary = reader->summary;
    if (reader->in_message)
        return fl_flight_fail(&reader->fault, FL_FLIGHT_TRUNCATED, "a message is cut short");
    if (!reader->has_schema)
        return fl_flight_fail(&reader->fault, FL_FLIGHT_TRUNCATED, "the answer has no schema");
    if (reader->fault.code == FL_FLIGHT_NONE && reader->summary.rows == 0)
        return fl_flight_fail(&reader->fault, FL_FLIGHT_NO_ROWS, "the answer has no row");
    return reader->fault.code == FL_FLIGHT_NONE;
}

bool fl_flight_reader_has_schema(const struct fl_flight_reader *reader)
{
    return reader->has_schema;
}

struct fl_flight_bytes fl_flight_reader_descriptor(const struct fl_flight_reader *reader)
{
    return fl_flight_buffer_view(&reader->envelope.descriptor);
}

struct fl_flight_bytes fl_flight_reader_metadata(const struct fl_flight_reader *reader)
{
    return fl_flight_buffer_view(&reader->envelope.metadata);
}

const struct fl_flight_fault *fl_flight_reader_fault(const struct fl_flight_reader *reader)
{
    return &reader->fault;
}

int32_t fl_flight_reader_status(const struct fl_flight_reader *reader)
{
    return reader->fault.code == FL_FLIGHT_SINK ? reader->sink_status
                                                : fl_flight_status(reader->fault.code);
}
