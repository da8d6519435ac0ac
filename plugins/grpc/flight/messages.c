/* SPDX-License-Identifier: Apache-2.0 */
#include "messages.h"

#include "pb.h"

/* The numbers of Flight.proto. */
enum { DESCRIPTOR_TYPE = 1, DESCRIPTOR_CMD = 2, DESCRIPTOR_PATH = 3 };
enum { INFO_SCHEMA = 1, INFO_DESCRIPTOR = 2, INFO_ENDPOINT = 3, INFO_RECORDS = 4, INFO_BYTES = 5 };
enum { ENDPOINT_TICKET = 1, ENDPOINT_LOCATION = 2 };
enum { ACTION_TYPE = 1, ACTION_BODY = 2 };
enum { SINGLE = 1 };

static bool malformed(struct fl_flight_fault *fault)
{
    return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a malformed protobuf message");
}

static bool is_wire(const struct fl_flight_field *field, uint32_t wire,
                    struct fl_flight_fault *fault)
{
    return field->wire == wire || malformed(fault);
}

static bool keep_bytes(const struct fl_flight_field *field, struct fl_flight_bytes *out,
                       struct fl_flight_fault *fault)
{
    if (!is_wire(field, FL_FLIGHT_WIRE_BYTES, fault))
        return false;
    *out = field->bytes;
    return true;
}

/* One more of a repeated field: kept while there is room, counted always. */
static bool append_bytes(const struct fl_flight_field *field, struct fl_flight_bytes *list,
                         uint32_t capacity, uint32_t *count, struct fl_flight_fault *fault)
{
    if (!is_wire(field, FL_FLIGHT_WIRE_BYTES, fault))
        return false;
    if (*count < capacity)
        list[*count] = field->bytes;
    (*count)++;
    return true;
}

static bool keep_number(const struct fl_flight_field *field, int64_t *out,
                        struct fl_flight_fault *fault)
{
    if (!is_wire(field, FL_FLIGHT_WIRE_VARINT, fault))
        return false;
    *out = (int64_t)field->value;
    return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool descriptor_field(const struct fl_flight_field *field, struct fl_flight_descriptor *out,
                             struct fl_flight_fault *fault)
{
    int64_t type = 0;

    switch (field->number) {
    case DESCRIPTOR_TYPE:
        if (!keep_number(field, &type, fault))
            return false;
        out->type = (uint32_t)type;
        return true;
    case DESCRIPTOR_CMD:
        return keep_bytes(field, &out->cmd, fault);
    case DESCRIPTOR_PATH:
        return append_bytes(field, out->path, FL_FLIGHT_PATH_MAX, &out->paths, fault);
    default:
        return true;
    }
}

bool fl_flight_read_descriptor(struct fl_flight_bytes message, struct fl_flight_descriptor *out,
                               struct fl_flight_fault *fault)
{
    struct fl_flight_pb pb = fl_flight_pb_open(message);
    struct fl_flight_descriptor read = {0};
    struct fl_flight_field field;

    while (fl_flight_pb_next(&pb, &field)) {
        if (!descriptor_field(&field, &read, fault))
            return false;
    }
    if (pb.is_bad)
        return malformed(fault);
    *out = read;
    return true;
}

bool fl_flight_read_single(struct fl_flight_bytes message, struct fl_flight_bytes *out,
                           struct fl_flight_fault *fault)
{
    struct fl_flight_pb pb = fl_flight_pb_open(message);
    struct fl_flight_bytes read = {NULL, 0};
    struct fl_flight_field field;

    while (fl_flight_pb_next(&pb, &field)) {
        if (field.number == SINGLE && !keep_bytes(&field, &read, fault))
            return false;
    }
    if (pb.is_bad)
        return malformed(fault);
    *out = read;
    return true;
}

bool fl_flight_read_action(struct fl_flight_bytes message, struct fl_flight_action *out,
                           struct fl_flight_fault *fault)
{
    struct fl_flight_pb pb = fl_flight_pb_open(message);
    struct fl_flight_action read = {{NULL, 0}, {NULL, 0}};
    struct fl_flight_field field;

    while (fl_flight_pb_next(&pb, &field)) {
        if (field.number == ACTION_TYPE && !keep_bytes(&field, &read.type, fault))
            return false;
        if (field.number == ACTION_BODY && !keep_bytes(&field, &read.body, fault))
            return false;
    }
    if (pb.is_bad)
        return malformed(fault);
    *out = read;
    return true;
}

static bool read_endpoint(struct fl_flight_bytes message, struct fl_flight_endpoint *out,
                          struct fl_flight_fault *fault)
{
    struct fl_flight_pb pb = fl_flight_pb_open(message);
    struct fl_flight_field field;

    while (fl_flight_pb_next(&pb, &field)) {
        struct fl_flight_bytes *location =
            out->locations < FL_FLIGHT_LOCATION_MAX ? &out->location[out->locations] : NULL;
        struct fl_flight_bytes uri;

        if (field.number == ENDPOINT_TICKET &&
            (!is_wire(&field, FL_FLIGHT_WIRE_BYTES, fault) ||
             !fl_flight_read_single(field.bytes, &out->ticket, fault)))
            return false;
        if (field.number != ENDPOINT_LOCATION)
            continue;
        if (!is_wire(&field, FL_FLIGHT_WIRE_BYTES, fault) ||
            !fl_flight_read_single(field.bytes, location ? location : &uri, fault))
            return false;
        out->locations++;
    }
    return !pb.is_bad || malformed(fault);
}

static bool add_endpoint(const struct fl_flight_field *field, struct fl_flight_info *out,
                         struct fl_flight_fault *fault)
{
    struct fl_flight_endpoint read = {.locations = 0};

    if (!is_wire(field, FL_FLIGHT_WIRE_BYTES, fault) || !read_endpoint(field->bytes, &read, fault))
        return false;
    if (out->endpoints < FL_FLIGHT_ENDPOINT_MAX)
        out->endpoint[out->endpoints] = read;
    out->endpoints++;
    return true;
}

static bool info_field(const struct fl_flight_field *field, struct fl_flight_info *out,
                       struct fl_flight_fault *fault)
{
    switch (field->number) {
    case INFO_SCHEMA:
        return keep_bytes(field, &out->schema, fault);
    case INFO_DESCRIPTOR:
        return keep_bytes(field, &out->descriptor, fault);
    case INFO_ENDPOINT:
        return add_endpoint(field, out, fault);
    case INFO_RECORDS:
        return keep_number(field, &out->total_records, fault);
    case INFO_BYTES:
        return keep_number(field, &out->total_bytes, fault);
    default:
        return true;
    }
}

bool fl_flight_read_info(struct fl_flight_bytes message, struct fl_flight_info *out,
                         struct fl_flight_fault *fault)
{
    struct fl_flight_pb pb = fl_flight_pb_open(message);
    struct fl_flight_info read = {.total_records = 0};
    struct fl_flight_field field;

    while (fl_flight_pb_next(&pb, &field)) {
        if (!info_field(&field, &read, fault))
            return false;
    }
    if (pb.is_bad)
        return malformed(fault);
    *out = read;
    return true;
}

static uint32_t little32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

struct fl_flight_bytes fl_flight_schema_message(struct fl_flight_bytes schema)
{
    size_t prefix = schema.size >= 8 && little32(schema.data) == 0xffffffffu ? 8 : 4;

    /* A Message by itself begins with the offset of its root, far smaller than its size. */
    if (schema.size < 8 || little32(schema.data + prefix - 4) > schema.size - prefix ||
        (prefix == 4 && little32(schema.data) + 12 < schema.size))
        return schema;
    return (struct fl_flight_bytes){schema.data + prefix, schema.size - prefix};
}

/* ---- writing --------------------------------------------------------------------------------- */

void fl_flight_write_descriptor(struct fl_flight_buffer *out,
                                const struct fl_flight_descriptor *descriptor)
{
    if (descriptor->type != FL_FLIGHT_DESCRIPTOR_UNKNOWN)
        fl_flight_pb_put_number(out, DESCRIPTOR_TYPE, descriptor->type);
    fl_flight_pb_put_some(out, DESCRIPTOR_CMD, descriptor->cmd);
    for (uint32_t i = 0; i < descriptor->paths && i < FL_FLIGHT_PATH_MAX; i++)
        fl_flight_pb_put_bytes(out, DESCRIPTOR_PATH, descriptor->path[i]);
}

void fl_flight_write_single(struct fl_flight_buffer *out, struct fl_flight_bytes field)
{
    fl_flight_pb_put_some(out, SINGLE, field);
}

void fl_flight_write_action(struct fl_flight_buffer *out, const struct fl_flight_action *action)
{
    fl_flight_pb_put_some(out, ACTION_TYPE, action->type);
    fl_flight_pb_put_some(out, ACTION_BODY, action->body);
}

/* Put a finished message into another as field `number`, and free it. */
static void put_message(struct fl_flight_buffer *out, uint32_t number,
                        struct fl_flight_buffer *message)
{
    fl_flight_pb_put_bytes(out, number, fl_flight_buffer_view(message));
    out->failed |= message->failed;
    fl_flight_buffer_done(message);
}

static void put_single(struct fl_flight_buffer *out, uint32_t number, struct fl_flight_bytes field)
{
    struct fl_flight_buffer message = {0};

    fl_flight_write_single(&message, field);
    put_message(out, number, &message);
}

static void put_endpoint(struct fl_flight_buffer *out, const struct fl_flight_endpoint *endpoint)
{
    struct fl_flight_buffer message = {0};

    put_single(&message, ENDPOINT_TICKET, endpoint->ticket);
    for (uint32_t i = 0; i < endpoint->locations && i < FL_FLIGHT_LOCATION_MAX; i++)
        put_single(&message, ENDPOINT_LOCATION, endpoint->location[i]);
    put_message(out, INFO_ENDPOINT, &message);
}

/* proto3 leaves a 0 out, and so does the real cache. */
static void put_total(struct fl_flight_buffer *out, uint32_t number, int64_t total)
{
    if (total != 0)
        fl_flight_pb_put_number(out, number, (uint64_t)total);
}

void fl_flight_write_info(struct fl_flight_buffer *out, const struct fl_flight_info *info)
{
    fl_flight_pb_put_some(out, INFO_SCHEMA, info->schema);
    fl_flight_pb_put_some(out, INFO_DESCRIPTOR, info->descriptor);
    for (uint32_t i = 0; i < info->endpoints && i < FL_FLIGHT_ENDPOINT_MAX; i++)
        put_endpoint(out, &info->endpoint[i]);
    put_total(out, INFO_RECORDS, info->total_records);
    put_total(out, INFO_BYTES, info->total_bytes);
}
