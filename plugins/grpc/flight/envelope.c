/* SPDX-License-Identifier: Apache-2.0 */
#include "envelope.h"

/* The numbers of Flight.proto. */
enum { DESCRIPTOR = 1, HEADER = 2, METADATA = 3, BODY = 1000 };

enum state {
    IN_TAG,
    IN_NUMBER, /* the value of a varint field, which nobody needs */
    IN_LENGTH,
    IN_FIELD, /* bytes of a field, kept in `target` or skipped */
    IN_BODY,
};

void fl_flight_envelope_begin(struct fl_flight_envelope *envelope, uint64_t size)
{
    struct fl_flight_envelope fresh = {
        .descriptor = envelope->descriptor,
        .header = envelope->header,
        .metadata = envelope->metadata,
        .left = size,
    };

    *envelope = fresh;
    fl_flight_buffer_clear(&envelope->descriptor);
    fl_flight_buffer_clear(&envelope->header);
    fl_flight_buffer_clear(&envelope->metadata);
}

void fl_flight_envelope_done(struct fl_flight_envelope *envelope)
{
    fl_flight_buffer_done(&envelope->descriptor);
    fl_flight_buffer_done(&envelope->header);
    fl_flight_buffer_done(&envelope->metadata);
}

static void enter(struct fl_flight_envelope *envelope, enum state state)
{
    envelope->state = state;
    envelope->varint = (struct fl_flight_varint){0};
}

/* A field that is kept: its bytes replace those of an earlier one. */
static bool keep(struct fl_flight_envelope *envelope, struct fl_flight_buffer *target, size_t max,
                 struct fl_flight_fault *fault)
{
    if (envelope->wire != FL_FLIGHT_WIRE_BYTES)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a field of a FlightData has no length");
    if (envelope->field_left > max)
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "a field of a FlightData is too large");
    fl_flight_buffer_clear(target);
    envelope->target = target;
    return true;
}

static bool begin_body(struct fl_flight_envelope *envelope, struct fl_flight_fault *fault)
{
    if (envelope->wire != FL_FLIGHT_WIRE_BYTES)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "the body of a FlightData has no length");
    if (envelope->has_body)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a FlightData has two bodies");
    envelope->has_body = true;
    envelope->body_size = envelope->field_left;
    enter(envelope, IN_BODY);
    return true;
}

static bool begin_header(struct fl_flight_envelope *envelope, struct fl_flight_fault *fault)
{
    if (envelope->has_body)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED,
                              "the header of a FlightData comes behind its body");
    return keep(envelope, &envelope->header, FL_FLIGHT_HEADER_MAX, fault);
}

/* The tag is known, and so is the length: where do the bytes go? */
static bool begin_field(struct fl_flight_envelope *envelope, uint64_t size,
                        struct fl_flight_fault *fault)
{
    if (size > envelope->left)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED,
                              "a field of a FlightData is longer than the message");
    envelope->field_left = size;
    envelope->target = NULL;
    enter(envelope, IN_FIELD);
    switch (envelope->number) {
    case DESCRIPTOR:
        return keep(envelope, &envelope->descriptor, FL_FLIGHT_DESCRIPTOR_MAX, fault);
    case HEADER:
        return begin_header(envelope, fault);
    case METADATA:
        return keep(envelope, &envelope->metadata, FL_FLIGHT_METADATA_MAX, fault);
    case BODY:
        return begin_body(envelope, fault);
    default:
        return true;
    }
}

static bool end_number(struct fl_flight_envelope *envelope, struct fl_flight_fault *fault)
{
    if (envelope->number <= METADATA || envelope->number == BODY)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a field of a FlightData is a number");
    enter(envelope, IN_TAG);
    return true;
}

static bool end_tag(struct fl_flight_envelope *envelope, struct fl_flight_fault *fault)
{
    if (!fl_flight_pb_tag(envelope->varint.value, &envelope->number, &envelope->wire))
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a malformed tag in a FlightData");
    if (envelope->wire == FL_FLIGHT_WIRE_FIXED64)
        return begin_field(envelope, 8, fault);
    if (envelope->wire == FL_FLIGHT_WIRE_FIXED32)
        return begin_field(envelope, 4, fault);
    enter(envelope, envelope->wire == FL_FLIGHT_WIRE_VARINT ? IN_NUMBER : IN_LENGTH);
    return true;
}

static bool end_varint(struct fl_flight_envelope *envelope, struct fl_flight_fault *fault)
{
    if (envelope->state == IN_TAG)
        return end_tag(envelope, fault);
    if (envelope->state == IN_NUMBER)
        return end_number(envelope, fault);
    return begin_field(envelope, envelope->varint.value, fault);
}

static bool take_byte(struct fl_flight_envelope *envelope, struct fl_flight_cursor *cursor,
                      struct fl_flight_fault *fault)
{
    struct flame_slice piece = fl_flight_cursor_next(cursor, 1);

    envelope->left--;
    switch (fl_flight_varint_take(&envelope->varint, *(const uint8_t *)piece.data)) {
    case FL_FLIGHT_VARINT_MORE:
        return true;
    case FL_FLIGHT_VARINT_DONE:
        return end_varint(envelope, fault);
    default:
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a malformed number in a FlightData");
    }
}

static bool take_field(struct fl_flight_envelope *envelope, struct fl_flight_cursor *cursor,
                       struct fl_flight_fault *fault)
{
    struct flame_slice piece = fl_flight_cursor_next(cursor, envelope->field_left);

    envelope->left -= piece.size;
    envelope->field_left -= piece.size;
    if (envelope->target && !fl_flight_buffer_add(envelope->target, piece.data, (size_t)piece.size))
        return fl_flight_fail_memory(fault);
    return true;
}

enum fl_flight_event fl_flight_envelope_step(struct fl_flight_envelope *envelope,
                                             struct fl_flight_cursor *cursor,
                                             struct fl_flight_fault *fault)
{
    for (;;) {
        bool is_good;

        if (envelope->state == IN_BODY)
            return cursor->left > 0 ? FL_FLIGHT_EVENT_BODY : FL_FLIGHT_EVENT_MORE;
        if (envelope->state == IN_FIELD && envelope->field_left == 0)
            enter(envelope, IN_TAG);
        if (envelope->state == IN_TAG && envelope->varint.shift == 0 && envelope->left == 0)
            return FL_FLIGHT_EVENT_END;
        if (envelope->left == 0) {
            (void)fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a FlightData ends inside a field");
            return FL_FLIGHT_EVENT_FAULT;
        }
        if (cursor->left == 0)
            return FL_FLIGHT_EVENT_MORE;
        is_good = envelope->state == IN_FIELD ? take_field(envelope, cursor, fault)
                                              : take_byte(envelope, cursor, fault);
        if (!is_good)
            return FL_FLIGHT_EVENT_FAULT;
        if (envelope->state == IN_BODY)
            return FL_FLIGHT_EVENT_BODY;
    }
}

void fl_flight_envelope_body(struct fl_flight_envelope *envelope, struct fl_flight_cursor *cursor,
                             struct fl_flight_cursor *part)
{
    *part = *cursor;
    if (part->left > envelope->field_left)
        part->left = envelope->field_left;
    (void)fl_flight_cursor_skip(cursor, part->left);
    envelope->field_left -= part->left;
    envelope->left -= part->left;
    if (envelope->field_left == 0)
        enter(envelope, IN_TAG);
}

void fl_flight_write_envelope(struct fl_flight_buffer *out, struct fl_flight_bytes descriptor,
                              struct fl_flight_bytes header, uint64_t body_size)
{
    fl_flight_pb_put_some(out, DESCRIPTOR, descriptor);
    fl_flight_pb_put_some(out, HEADER, header);
    if (body_size == UINT64_MAX)
        return;
    fl_flight_pb_put_tag(out, BODY, FL_FLIGHT_WIRE_BYTES);
    fl_flight_pb_put_varint(out, body_size);
}
