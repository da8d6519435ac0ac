/* SPDX-License-Identifier: Apache-2.0 */
#include "pb.h"

#define NUMBER_MAX ((1u << 29) - 1)

enum fl_flight_varint_state fl_flight_varint_take(struct fl_flight_varint *varint, uint8_t byte)
{
    if (varint->shift > 63 || (varint->shift == 63 && byte > 1))
        return FL_FLIGHT_VARINT_BAD;
    varint->value |= (uint64_t)(byte & 0x7f) << varint->shift;
    varint->shift += 7;
    return byte & 0x80 ? FL_FLIGHT_VARINT_MORE : FL_FLIGHT_VARINT_DONE;
}

bool fl_flight_pb_tag(uint64_t tag, uint32_t *number, uint32_t *wire)
{
    *wire = (uint32_t)tag & 7;
    *number = (uint32_t)(tag >> 3);
    if (tag >> 3 == 0 || tag >> 3 > NUMBER_MAX)
        return false;
    return *wire == FL_FLIGHT_WIRE_VARINT || *wire == FL_FLIGHT_WIRE_FIXED64 ||
           *wire == FL_FLIGHT_WIRE_BYTES || *wire == FL_FLIGHT_WIRE_FIXED32;
}

struct fl_flight_pb fl_flight_pb_open(struct fl_flight_bytes bytes)
{
    struct fl_flight_pb pb = {bytes.data, bytes.data, false};

    if (bytes.size > 0)
        pb.end += bytes.size;
    return pb;
}

static bool bad(struct fl_flight_pb *pb)
{
    pb->is_bad = true;
    return false;
}

static bool read_varint(struct fl_flight_pb *pb, uint64_t *value)
{
    struct fl_flight_varint varint = {0};
    enum fl_flight_varint_state state = FL_FLIGHT_VARINT_MORE;

    while (state == FL_FLIGHT_VARINT_MORE) {
        if (pb->at == pb->end)
            return bad(pb);
        state = fl_flight_varint_take(&varint, *pb->at++);
    }
    *value = varint.value;
    return state == FL_FLIGHT_VARINT_DONE || bad(pb);
}

static bool read_fixed(struct fl_flight_pb *pb, size_t size, uint64_t *value)
{
    if ((size_t)(pb->end - pb->at) < size)
        return bad(pb);
    *value = 0;
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)pb->at[i] << (8 * i);
    pb->at += size;
    return true;
}

static bool read_bytes(struct fl_flight_pb *pb, struct fl_flight_bytes *bytes)
{
    uint64_t size;

    if (!read_varint(pb, &size))
        return false;
    if (size > (uint64_t)(pb->end - pb->at))
        return bad(pb);
    *bytes = (struct fl_flight_bytes){pb->at, (size_t)size};
    pb->at += size;
    return true;
}

bool fl_flight_pb_next(struct fl_flight_pb *pb, struct fl_flight_field *field)
{
    uint64_t tag;

    *field = (struct fl_flight_field){0};
    if (pb->is_bad || pb->at == pb->end || !read_varint(pb, &tag))
        return false;
    if (!fl_flight_pb_tag(tag, &field->number, &field->wire))
        return bad(pb);
    if (field->wire == FL_FLIGHT_WIRE_VARINT)
        return read_varint(pb, &field->value);
    if (field->wire == FL_FLIGHT_WIRE_BYTES)
        return read_bytes(pb, &field->bytes);
    return read_fixed(pb, field->wire == FL_FLIGHT_WIRE_FIXED64 ? 8 : 4, &field->value);
}

/* ---- writing --------------------------------------------------------------------------------- */

void fl_flight_pb_put_varint(struct fl_flight_buffer *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;

    for (; value > 0x7f; value >>= 7)
        bytes[size++] = (uint8_t)(value | 0x80);
    bytes[size++] = (uint8_t)value;
    (void)fl_flight_buffer_add(out, bytes, size);
}

void fl_flight_pb_put_tag(struct fl_flight_buffer *out, uint32_t number, uint32_t wire)
{
    fl_flight_pb_put_varint(out, (uint64_t)number << 3 | wire);
}

void fl_flight_pb_put_number(struct fl_flight_buffer *out, uint32_t number, uint64_t value)
{
    fl_flight_pb_put_tag(out, number, FL_FLIGHT_WIRE_VARINT);
    fl_flight_pb_put_varint(out, value);
}

void fl_flight_pb_put_bytes(struct fl_flight_buffer *out, uint32_t number,
                            struct fl_flight_bytes bytes)
{
    fl_flight_pb_put_tag(out, number, FL_FLIGHT_WIRE_BYTES);
    fl_flight_pb_put_varint(out, bytes.size);
    (void)fl_flight_buffer_add(out, bytes.data, bytes.size);
}

void fl_flight_pb_put_some(struct fl_flight_buffer *out, uint32_t number,
                           struct fl_flight_bytes bytes)
{
    if (bytes.size > 0)
        fl_flight_pb_put_bytes(out, number, bytes);
}
