/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include "envelope.h"
#include "files.h"
#include "keys.h"
#include "mapping.h"
#include "messages.h"
#include "native.h"
#include "write.h"

#include <stdlib.h>
#include <string.h>

#define ROW_SIZE ((uint64_t)1 << 20)

struct fl_cache_answer {
    const struct fl_cache_service *service;
    struct fl_cache_object *object;
    struct fl_cache_mapping *mapping; /* NULL = the object is read bit by bit */
    struct fl_flight_format format;
    uint64_t messages; /* in all, the schema first */
    uint64_t sent;
    uint32_t part; /* where the next message begins */
    uint64_t at;   /* in it */
    bool is_native;
    bool is_spoiled;
};

/* ---- what is to be sent ---------------------------------------------------------------------- */

static uint64_t current_version(const struct fl_cache_answer *answer)
{
    const struct fl_cache_record *record = &answer->object->record;

    return answer->service->dialect == FL_CACHE_DIALECT_0_5 ? record->part[0].version
                                                            : fl_cache_record_version(record);
}

/* The first part that a client with `version` does not have: 0 = it needs all. */
static uint32_t first_part(const struct fl_cache_answer *answer, uint64_t version)
{
    const struct fl_cache_record *record = &answer->object->record;
    uint32_t part = 0;

    if (version == current_version(answer))
        return record->parts;
    if (answer->service->dialect == FL_CACHE_DIALECT_0_5 || record->is_native ||
        version < record->part[0].version || version > current_version(answer))
        return 0;
    while (record->part[part].version <= version)
        part++;
    return part;
}

static uint64_t messages_of(const struct fl_cache_answer *answer, const struct fl_cache_part *part)
{
    if (answer->mapping || part->size == 0)
        return 1;
    return (part->size + ROW_SIZE - 1) / ROW_SIZE;
}

/* The schema of a table is its first part. */
static void plan(struct fl_cache_answer *answer, uint64_t version)
{
    const struct fl_cache_record *record = &answer->object->record;

    answer->part = first_part(answer, version);
    answer->is_native = record->is_native && answer->part < record->parts;
    answer->messages = answer->is_native ? 0 : 1;
    for (uint32_t i = answer->part; i < record->parts; i++)
        answer->messages += messages_of(answer, &record->part[i]);
}

static bool open_object(struct fl_cache_answer *answer, struct fl_cache_status *status)
{
    const struct fl_cache_service *service = answer->service;

    if (service->layout == FL_CACHE_LAYOUT_BATCHES && !answer->object->record.is_native)
        return true;
    answer->mapping = fl_cache_mapping_new(answer->object, status);
    return answer->mapping != NULL;
}

struct fl_cache_answer *fl_cache_answer_new(const struct fl_cache_service *service,
                                            struct fl_flight_bytes ticket,
                                            struct fl_cache_status *status)
{
    struct fl_cache_answer *answer = calloc(1, sizeof(*answer));
    struct fl_flight_key key;
    uint64_t version;

    if (!answer) {
        (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    answer->service = service;
    answer->format = (struct fl_flight_format){.has_kind = service->dialect == FL_CACHE_DIALECT_0_6,
                                               .has_bitmaps = true,
                                               .codec = service->body};
    if (!fl_cache_ticket_read(ticket, &key, &version, status) ||
        !fl_cache_store_take(service->store, &key, &answer->object, status) ||
        !open_object(answer, status)) {
        fl_cache_answer_free(answer);
        return NULL;
    }
    plan(answer, version);
    return answer;
}

void fl_cache_answer_free(struct fl_cache_answer *answer)
{
    if (!answer)
        return;
    fl_cache_mapping_release(answer->mapping);
    if (answer->object)
        fl_cache_store_give(answer->service->store, answer->object);
    free(answer);
}

void fl_cache_answer_spoil_schema(struct fl_cache_answer *answer)
{
    answer->is_spoiled = true;
}

void fl_cache_answer_drop_last(struct fl_cache_answer *answer)
{
    answer->messages--;
}

/* ---- schemas --------------------------------------------------------------------------------- */

static bool native_schema(struct fl_cache_answer *answer, struct fl_flight_buffer *out,
                          struct fl_flight_fault *fault)
{
    const struct fl_cache_part *part = &answer->object->record.part[0];
    struct fl_flight_buffer header = {.size = 0};
    struct fl_flight_bytes nothing = {NULL, 0};
    bool done;

    done = (fl_flight_buffer_add(&header, answer->mapping->data, (size_t)part->size) ||
            fl_flight_fail_memory(fault)) &&
           fl_flight_native_set_version(&header, part->version, fault);
    if (done)
        fl_flight_write_envelope(out, nothing, fl_flight_buffer_view(&header), UINT64_MAX);
    fl_flight_buffer_done(&header);
    answer->part = 1;
    return done && (!out->failed || fl_flight_fail_memory(fault));
}

/* Another name for the column that matters. */
static void spoil(struct fl_flight_buffer *schema)
{
    uint8_t *name = memmem(schema->data, schema->size, "data", 4);

    if (name)
        memcpy(name, "blob", 4);
}

static bool send_schema(struct fl_cache_answer *answer, struct fl_cache_message *out,
                        struct fl_cache_status *status)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer bytes = {.size = 0};
    struct fl_flight_bytes nothing = {NULL, 0};
    bool done = answer->is_native
                    ? native_schema(answer, &bytes, &fault)
                    : fl_flight_write_schema_message(&bytes, &answer->format, nothing, &fault);

    if (done && answer->is_spoiled)
        spoil(&bytes);
    if (done)
        fl_cache_message_move(out, &bytes);
    fl_flight_buffer_done(&bytes);
    return done || fl_cache_fail_fault(status, &fault);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void add_mapped(struct fl_cache_answer *answer, const struct fl_cache_piece *piece,
                       struct fl_cache_message *out)
{
    if (piece->size == 0)
        return;
    if (answer->mapping)
        fl_cache_mapping_hold(answer->mapping);
    out->piece[out->pieces++] = *piece;
}

/* The bytes of the next message: from the mapping, or read into memory of their own. */
static bool load(struct fl_cache_answer *answer, struct fl_cache_piece *piece,
                 struct fl_cache_status *status)
{
    const struct fl_cache_part *part = &answer->object->record.part[answer->part];
    uint64_t left = part->size - answer->at;

    *piece = (struct fl_cache_piece){.size = (size_t)left};
    if (answer->mapping) {
        piece->data = answer->mapping->data ? answer->mapping->data + part->offset : NULL;
        piece->owner = answer->mapping;
        piece->release = fl_cache_mapping_release;
        return true;
    }
    piece->size = (size_t)(left < ROW_SIZE ? left : ROW_SIZE);
    piece->data = malloc(piece->size + 1);
    piece->owner = piece->data;
    piece->release = free;
    if (!piece->data)
        return fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    return fl_cache_read_at(answer->object->fd, part->offset + answer->at, piece->data,
                            piece->size) ||
           fl_cache_fail(status, FL_CACHE_DATA_LOSS, "an object cannot be read any more");
}

/* Where the following message begins. */
static void advance(struct fl_cache_answer *answer, size_t size)
{
    answer->at += size;
    if (answer->at >= answer->object->record.part[answer->part].size) {
        answer->part++;
        answer->at = 0;
    }
}

static bool write_row(struct fl_cache_answer *answer, struct fl_cache_piece *piece,
                      struct fl_cache_message *out, struct fl_cache_status *status)
{
    static uint8_t zeros[64];
    const struct fl_cache_part *part = &answer->object->record.part[answer->part];
    bool is_nameless = part->is_patch && !answer->format.has_kind;
    struct fl_flight_row row = {is_nameless ? 0 : part->version, piece->size, part->is_patch};
    struct flame_slice slice = {piece->data, piece->size};
    struct fl_flight_rows_out rows = {&row, 1, &slice, 1};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_message message = {.padding = 0};
    bool done = fl_flight_write_batch(&message, &answer->format, &rows, &fault);

    if (done) {
        fl_cache_message_move(out, &message.head);
        if (message.packed.size > 0)
            fl_cache_message_move(out, &message.packed);
        else
            add_mapped(answer, piece, out);
        out->piece[out->pieces++] = (struct fl_cache_piece){.data = zeros, .size = message.padding};
    }
    fl_flight_message_done(&message);
    return done || fl_cache_fail_fault(status, &fault);
}

/* Memory of its own that did not become a piece of the message is not needed any more. */
static void release_unused(const struct fl_cache_answer *answer, const struct fl_cache_piece *piece,
                           const struct fl_cache_message *out)
{
    if (answer->mapping || !piece->data)
        return;
    for (uint32_t i = 0; i < out->pieces; i++) {
        if (out->piece[i].owner == piece->owner)
            return;
    }
    piece->release(piece->owner);
}

static bool send_row(struct fl_cache_answer *answer, struct fl_cache_message *out,
                     struct fl_cache_status *status)
{
    struct fl_cache_piece piece;
    bool done = load(answer, &piece, status);

    if (done && answer->is_native)
        add_mapped(answer, &piece, out);
    else if (done)
        done = write_row(answer, &piece, out, status);
    release_unused(answer, &piece, out);
    advance(answer, piece.size);
    return done;
}

enum fl_cache_step fl_cache_answer_next(struct fl_cache_answer *answer,
                                        struct fl_cache_message *out,
                                        struct fl_cache_status *status)
{
    bool done;

    if (answer->sent == answer->messages)
        return FL_CACHE_STEP_END;
    done = answer->sent == 0 ? send_schema(answer, out, status) : send_row(answer, out, status);
    answer->sent++;
    return done ? FL_CACHE_STEP_MESSAGE : FL_CACHE_STEP_FAILED;
}
