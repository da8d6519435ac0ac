/* SPDX-License-Identifier: Apache-2.0 */
#include "write.h"

#include "builder.h"
#include "envelope.h"
#include "ipc_format.h"

#include <string.h>

#define ALIGNMENT 64

static const uint8_t zeros[ALIGNMENT];

/* ---- headers --------------------------------------------------------------------------------- */

static bool end_header(struct fl_flight_builder *builder, uint64_t type, uint32_t header,
                       uint64_t body_length, struct fl_flight_bytes *out)
{
    fl_flight_build_open(builder);
    fl_flight_build_number(builder, MESSAGE_BODY_LENGTH, 8, body_length);
    fl_flight_build_reference(builder, MESSAGE_HEADER, header);
    fl_flight_build_number(builder, MESSAGE_VERSION, 2, METADATA_V5);
    fl_flight_build_number(builder, MESSAGE_TYPE, 1, type);
    return fl_flight_build_end(builder, fl_flight_build_close(builder), out);
}

static uint32_t build_field(struct fl_flight_builder *builder, const char *name, uint64_t type)
{
    uint32_t children = fl_flight_build_tables(builder, NULL, 0);
    uint32_t text = fl_flight_build_string(builder, name);
    uint32_t inner;

    fl_flight_build_open(builder);
    if (type == TYPE_INT)
        fl_flight_build_number(builder, INT_WIDTH, 4, 64);
    inner = fl_flight_build_close(builder);
    fl_flight_build_open(builder);
    fl_flight_build_reference(builder, FIELD_NAME, text);
    fl_flight_build_reference(builder, FIELD_TYPE_TABLE, inner);
    fl_flight_build_reference(builder, FIELD_CHILDREN, children);
    fl_flight_build_number(builder, FIELD_TYPE, 1, type);
    return fl_flight_build_close(builder);
}

static bool build_schema(struct fl_flight_builder *builder, const struct fl_flight_format *format,
                         struct fl_flight_bytes *out)
{
    uint32_t fields[3];
    uint32_t count = 0;
    uint32_t vector;

    fields[count++] = build_field(builder, FL_FLIGHT_NAME_VERSION, TYPE_INT);
    if (format->has_kind)
        fields[count++] = build_field(builder, FL_FLIGHT_NAME_KIND, TYPE_UTF8);
    fields[count++] = build_field(builder, FL_FLIGHT_NAME_DATA,
                                  format->wide_data ? TYPE_LARGE_BINARY : TYPE_BINARY);
    vector = fl_flight_build_tables(builder, fields, count);
    fl_flight_build_open(builder);
    fl_flight_build_reference(builder, SCHEMA_FIELDS, vector);
    return end_header(builder, HEADER_SCHEMA, fl_flight_build_close(builder), 0, out);
}

bool fl_flight_write_schema(struct fl_flight_buffer *out, const struct fl_flight_format *format,
                            struct fl_flight_fault *fault)
{
    struct fl_flight_builder builder = {.used = 0};
    struct fl_flight_bytes header;

    if (!build_schema(&builder, format, &header))
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "a schema is too large");
    return fl_flight_buffer_add(out, header.data, header.size) || fl_flight_fail_memory(fault);
}

bool fl_flight_write_schema_message(struct fl_flight_buffer *out,
                                    const struct fl_flight_format *format,
                                    struct fl_flight_bytes descriptor,
                                    struct fl_flight_fault *fault)
{
    struct fl_flight_builder builder = {.used = 0};
    struct fl_flight_bytes header;

    if (!build_schema(&builder, format, &header))
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "a schema is too large");
    fl_flight_write_envelope(out, descriptor, header, UINT64_MAX);
    return !out->failed || fl_flight_fail_memory(fault);
}

/* ---- the body -------------------------------------------------------------------------------- */

/* A body as it grows: small buffers in memory, `data` counted only. */
struct layout {
    const struct fl_flight_format *format;
    const struct fl_flight_rows_out *rows;
    struct fl_flight_buffer bytes;
    int64_t buffer[FL_FLIGHT_REGIONS_MAX][2]; /* offset, length */
    uint32_t buffers;
    uint64_t total; /* of `data`, before compression */
};

static void align(struct fl_flight_buffer *bytes)
{
    (void)fl_flight_buffer_add(bytes, NULL, (0u - bytes->size) & (ALIGNMENT - 1));
}

/* A compressed body says of each buffer how long it is; ours are stored as they are: -1. */
static void begin_buffer(struct layout *layout, bool has_bytes)
{
    static const uint8_t raw[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    align(&layout->bytes);
    layout->buffer[layout->buffers][0] = (int64_t)layout->bytes.size;
    if (layout->format->codec != FL_FLIGHT_PLAIN && has_bytes)
        (void)fl_flight_buffer_add(&layout->bytes, raw, sizeof(raw));
}

static void end_buffer(struct layout *layout)
{
    int64_t *buffer = layout->buffer[layout->buffers++];

    buffer[1] = (int64_t)layout->bytes.size - buffer[0];
}

static void put_little(struct layout *layout, uint64_t value, uint32_t width)
{
    uint8_t bytes[8];

    for (uint32_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    (void)fl_flight_buffer_add(&layout->bytes, bytes, width);
}

static void put_bitmap(struct layout *layout)
{
    begin_buffer(layout, layout->format->has_bitmaps && layout->rows->rows > 0);
    for (uint32_t i = 0; layout->format->has_bitmaps && i < layout->rows->rows; i += 8)
        put_little(layout, 0xff, 1);
    end_buffer(layout);
}

static void put_versions(struct layout *layout)
{
    put_bitmap(layout);
    begin_buffer(layout, layout->rows->rows > 0);
    for (uint32_t i = 0; i < layout->rows->rows; i++)
        put_little(layout, layout->rows->row[i].version, 8);
    end_buffer(layout);
}

static const char *kind_of(const struct fl_flight_row *row)
{
    return row->is_patch ? FL_FLIGHT_KIND_PATCH : FL_FLIGHT_KIND_BASE;
}

static void put_kinds(struct layout *layout)
{
    const struct fl_flight_row *row = layout->rows->row;
    uint32_t offset = 0;

    put_bitmap(layout);
    begin_buffer(layout, true);
    for (uint32_t i = 0; i < layout->rows->rows; i++) {
        put_little(layout, offset, 4);
        offset += (uint32_t)strlen(kind_of(&row[i]));
    }
    put_little(layout, offset, 4);
    end_buffer(layout);
    begin_buffer(layout, layout->rows->rows > 0);
    for (uint32_t i = 0; i < layout->rows->rows; i++)
        (void)fl_flight_buffer_add(&layout->bytes, kind_of(&row[i]), strlen(kind_of(&row[i])));
    end_buffer(layout);
}

static void put_data_offsets(struct layout *layout)
{
    uint32_t width = layout->format->wide_data ? 8 : 4;
    uint64_t offset = 0;

    put_bitmap(layout);
    begin_buffer(layout, true);
    put_little(layout, 0, width);
    for (uint32_t i = 0; i < layout->rows->rows; i++) {
        offset += layout->rows->row[i].size;
        put_little(layout, offset, width);
    }
    end_buffer(layout);
}

/* `data`: compressed if that makes it shorter. Only its place comes into the layout. */
static bool put_data(struct layout *layout, struct fl_flight_buffer *packed,
                     struct fl_flight_fault *fault)
{
    enum fl_flight_codec codec = layout->format->codec;
    int64_t *buffer = layout->buffer[layout->buffers];
    uint64_t size = layout->total;

    if (codec != FL_FLIGHT_PLAIN && size > 0 &&
        !fl_flight_deflate(codec, layout->rows->slices, layout->rows->slice_count, packed, fault))
        return false;
    if (packed->size >= size)
        fl_flight_buffer_clear(packed);
    begin_buffer(layout, size > 0);
    if (packed->size > 0) {
        size = packed->size;
        layout->bytes.size -= 8;
        put_little(layout, layout->total, 8);
    }
    end_buffer(layout);
    buffer[1] += (int64_t)size;
    return true;
}

static bool lay_out(struct layout *layout, struct fl_flight_buffer *packed,
                    struct fl_flight_fault *fault)
{
    for (uint32_t i = 0; i < layout->rows->rows; i++)
        layout->total += layout->rows->row[i].size;
    if (!layout->format->wide_data && layout->total > INT32_MAX)
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "a batch of more than 2^31-1 bytes");
    put_versions(layout);
    if (layout->format->has_kind)
        put_kinds(layout);
    put_data_offsets(layout);
    if (!put_data(layout, packed, fault))
        return false;
    return !layout->bytes.failed || fl_flight_fail_memory(fault);
}

/* ---- the message ----------------------------------------------------------------------------- */

static uint32_t build_compression(struct fl_flight_builder *builder, enum fl_flight_codec codec)
{
    if (codec == FL_FLIGHT_PLAIN)
        return 0;
    fl_flight_build_open(builder);
    fl_flight_build_number(builder, COMPRESSION_CODEC, 1, (uint8_t)fl_flight_codec_number(codec));
    return fl_flight_build_close(builder);
}

static bool build_batch(struct fl_flight_builder *builder, const struct layout *layout,
                        uint64_t body_length, struct fl_flight_bytes *out)
{
    int64_t count = layout->rows->rows;
    int64_t nodes[] = {count, 0, count, 0, count, 0};
    uint32_t columns = layout->format->has_kind ? 3 : 2;
    uint32_t compression = build_compression(builder, layout->format->codec);
    uint32_t buffers = fl_flight_build_pairs(builder, layout->buffer[0], layout->buffers);
    uint32_t vector = fl_flight_build_pairs(builder, nodes, columns);

    fl_flight_build_open(builder);
    fl_flight_build_number(builder, BATCH_LENGTH, 8, layout->rows->rows);
    fl_flight_build_reference(builder, BATCH_NODES, vector);
    fl_flight_build_reference(builder, BATCH_BUFFERS, buffers);
    if (compression != 0)
        fl_flight_build_reference(builder, BATCH_COMPRESSION, compression);
    return end_header(builder, HEADER_BATCH, fl_flight_build_close(builder), body_length, out);
}

static bool write_head(struct fl_flight_message *message, const struct layout *layout,
                       struct fl_flight_fault *fault)
{
    const int64_t *data = layout->buffer[layout->buffers - 1];
    uint64_t end = (uint64_t)(data[0] + data[1]);
    struct fl_flight_builder builder = {.used = 0};
    struct fl_flight_bytes nothing = {NULL, 0};
    struct fl_flight_bytes header;

    message->padding = (uint32_t)((0u - end) & (ALIGNMENT - 1));
    if (!build_batch(&builder, layout, end + message->padding, &header))
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "a record batch header is too large");
    fl_flight_write_envelope(&message->head, nothing, header, end + message->padding);
    (void)fl_flight_buffer_add(&message->head, layout->bytes.data, layout->bytes.size);
    return !message->head.failed || fl_flight_fail_memory(fault);
}

bool fl_flight_write_batch(struct fl_flight_message *message, const struct fl_flight_format *format,
                           const struct fl_flight_rows_out *rows, struct fl_flight_fault *fault)
{
    struct layout layout = {.format = format, .rows = rows};
    bool done;

    fl_flight_buffer_clear(&message->head);
    fl_flight_buffer_clear(&message->packed);
    done = lay_out(&layout, &message->packed, fault) && write_head(message, &layout, fault);
    fl_flight_buffer_done(&layout.bytes);
    return done;
}

uint32_t fl_flight_message_slices(const struct fl_flight_message *message,
                                  const struct fl_flight_rows_out *rows, struct flame_slice *out)
{
    uint32_t count = 0;

    out[count++] = (struct flame_slice){message->head.data, message->head.size};
    if (message->packed.size > 0)
        out[count++] = (struct flame_slice){message->packed.data, message->packed.size};
    for (uint32_t i = 0; message->packed.size == 0 && i < rows->slice_count; i++)
        out[count++] = rows->slices[i];
    if (message->padding > 0)
        out[count++] = (struct flame_slice){zeros, message->padding};
    return count;
}

void fl_flight_message_done(struct fl_flight_message *message)
{
    fl_flight_buffer_done(&message->head);
    fl_flight_buffer_done(&message->packed);
}
