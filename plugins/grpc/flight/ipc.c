/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc.h"

#include "ipc_format.h"

#define METADATA_PAIRS_MAX 1024
#define COLUMNS_MAX 3

static bool malformed(struct fl_flight_fault *fault, const char *why)
{
    return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, why);
}

static bool columns(struct fl_flight_fault *fault, const char *why)
{
    return fl_flight_fail(fault, FL_FLIGHT_COLUMNS, why);
}

/* What a bad flatbuffer led to is no verdict: a field that reads as absent may be there. */
static bool is_sound(const struct fl_flight_ipc *ipc, struct fl_flight_fault *fault)
{
    return !ipc->fb.is_bad || malformed(fault, "a malformed arrow header");
}

bool fl_flight_ipc_open(struct fl_flight_ipc *ipc, struct fl_flight_bytes header,
                        struct fl_flight_fault *fault)
{
    struct fl_flight_table message;
    uint64_t version;
    uint64_t type;

    (void)fl_flight_fb_root(&ipc->fb, header, &message);
    version = fl_flight_fb_number(&message, MESSAGE_VERSION, 2, 0);
    type = fl_flight_fb_number(&message, MESSAGE_TYPE, 1, 0);
    ipc->body_length = fl_flight_fb_number(&message, MESSAGE_BODY_LENGTH, 8, 0);
    (void)fl_flight_fb_table(&message, MESSAGE_HEADER, &ipc->table);
    if (!is_sound(ipc, fault))
        return false;
    if (ipc->body_length > INT64_MAX)
        return malformed(fault, "a body of negative length");
    if (version != METADATA_V4 && version != METADATA_V5)
        return malformed(fault, "an arrow header of an unknown version");
    if (type == HEADER_DICTIONARY)
        return columns(fault, "a dictionary, which no file has");
    if ((type != HEADER_SCHEMA && type != HEADER_BATCH) || !ipc->table.fb)
        return malformed(fault, "neither a schema nor a record batch");
    ipc->kind = type == HEADER_SCHEMA ? FL_FLIGHT_IPC_SCHEMA : FL_FLIGHT_IPC_BATCH;
    return true;
}

/* ---- schema ---------------------------------------------------------------------------------- */

static bool is_native(const struct fl_flight_ipc *ipc)
{
    struct fl_flight_vector pairs;
    struct fl_flight_table pair;
    struct fl_flight_bytes key;
    struct fl_flight_bytes value;

    (void)fl_flight_fb_vector(&ipc->table, SCHEMA_METADATA, 4, &pairs);
    for (uint32_t i = 0; i < pairs.count && i < METADATA_PAIRS_MAX; i++) {
        if (fl_flight_fb_table_at(&pairs, i, &pair) && fl_flight_fb_string(&pair, PAIR_KEY, &key) &&
            fl_flight_fb_string(&pair, PAIR_VALUE, &value) &&
            fl_flight_bytes_equal(key, FL_FLIGHT_META_FORMAT) &&
            fl_flight_bytes_equal(value, FL_FLIGHT_FORMAT_TABLE))
            return true;
    }
    return false;
}

struct column {
    struct fl_flight_bytes name;
    uint64_t type;
    bool is_u64;
    bool has_dictionary;
};

static struct column read_column(const struct fl_flight_vector *fields, uint32_t index)
{
    struct fl_flight_table field;
    struct fl_flight_table inner;
    struct column column;

    (void)fl_flight_fb_table_at(fields, index, &field);
    (void)fl_flight_fb_string(&field, FIELD_NAME, &column.name);
    column.type = fl_flight_fb_number(&field, FIELD_TYPE, 1, 0);
    column.has_dictionary = fl_flight_fb_table(&field, FIELD_DICTIONARY, &inner);
    (void)fl_flight_fb_table(&field, FIELD_TYPE_TABLE, &inner);
    column.is_u64 = column.type == TYPE_INT && fl_flight_fb_number(&inner, INT_WIDTH, 4, 0) == 64 &&
                    fl_flight_fb_number(&inner, INT_SIGNED, 1, 0) == 0;
    return column;
}

static bool is_one_of(const struct column *column, const char *name, uint64_t narrow, uint64_t wide)
{
    return fl_flight_bytes_equal(column->name, name) && !column->has_dictionary &&
           (column->type == narrow || column->type == wide);
}

/* {version, data}, {version, kind, data} or {kind, version, data}: `data` last, so that all rows
 * are known before the first byte of the file is given away. */
static bool plan_columns(const struct column *column, uint32_t count, struct fl_flight_plan *plan)
{
    const struct column *data = &column[count - 1];
    const struct column *version = &column[0];
    const struct column *kind = count == 3 ? &column[1] : NULL;

    plan->has_kind = kind != NULL;
    plan->kind_first = kind && fl_flight_bytes_equal(version->name, FL_FLIGHT_NAME_KIND);
    if (plan->kind_first) {
        kind = version;
        version = &column[1];
    }
    plan->wide_kind = kind && kind->type == TYPE_LARGE_UTF8;
    plan->wide_data = data->type == TYPE_LARGE_BINARY;
    return fl_flight_bytes_equal(version->name, FL_FLIGHT_NAME_VERSION) && version->is_u64 &&
           !version->has_dictionary &&
           (!kind || is_one_of(kind, FL_FLIGHT_NAME_KIND, TYPE_UTF8, TYPE_LARGE_UTF8)) &&
           is_one_of(data, FL_FLIGHT_NAME_DATA, TYPE_BINARY, TYPE_LARGE_BINARY);
}

bool fl_flight_ipc_plan(struct fl_flight_ipc *ipc, struct fl_flight_plan *plan,
                        struct fl_flight_fault *fault)
{
    struct column column[COLUMNS_MAX] = {{{NULL, 0}, 0, false, false}};
    struct fl_flight_plan read = {false, false, false, false};
    struct fl_flight_vector fields;
    bool is_table = is_native(ipc);
    bool is_file;

    (void)fl_flight_fb_vector(&ipc->table, SCHEMA_FIELDS, 4, &fields);
    for (uint32_t i = 0; i < fields.count && i < COLUMNS_MAX; i++)
        column[i] = read_column(&fields, i);
    is_file = (fields.count == 2 || fields.count == 3) && plan_columns(column, fields.count, &read);
    if (!is_sound(ipc, fault))
        return false;
    if (is_table)
        return fl_flight_fail(fault, FL_FLIGHT_NATIVE, "the object is an arrow table, not a file");
    if (fl_flight_fb_number(&ipc->table, SCHEMA_ENDIANNESS, 2, 0) != 0)
        return columns(fault, "the columns are big-endian");
    if (!is_file)
        return columns(fault, "the columns are not those of a file");
    *plan = read;
    return true;
}

/* ---- record batch ---------------------------------------------------------------------------- */

static void add(struct fl_flight_batch *batch, enum fl_flight_role role)
{
    batch->region[batch->regions++].role = role;
}

static void add_kind(struct fl_flight_batch *batch)
{
    add(batch, FL_FLIGHT_ROLE_VALIDITY);
    add(batch, FL_FLIGHT_ROLE_KIND_OFFSETS);
    add(batch, FL_FLIGHT_ROLE_KINDS);
}

/* Which buffers the columns have, in the order in which every batch has them. */
static void expect_regions(struct fl_flight_batch *batch, const struct fl_flight_plan *plan)
{
    if (plan->kind_first)
        add_kind(batch);
    add(batch, FL_FLIGHT_ROLE_VALIDITY);
    add(batch, FL_FLIGHT_ROLE_VERSIONS);
    if (plan->has_kind && !plan->kind_first)
        add_kind(batch);
    add(batch, FL_FLIGHT_ROLE_VALIDITY);
    add(batch, FL_FLIGHT_ROLE_DATA_OFFSETS);
    add(batch, FL_FLIGHT_ROLE_DATA);
}

/* FieldNode {length, null_count} of each column. */
static bool check_nodes(struct fl_flight_ipc *ipc, uint32_t count, uint64_t rows,
                        struct fl_flight_fault *fault)
{
    struct fl_flight_vector nodes;

    (void)fl_flight_fb_vector(&ipc->table, BATCH_NODES, 16, &nodes);
    if (nodes.count != count)
        return malformed(fault, "a record batch has another number of columns than its schema");
    for (uint32_t i = 0; i < count; i++) {
        if (fl_flight_fb_long_at(&nodes, i, 0) != rows)
            return malformed(fault, "the columns of a record batch differ in length");
        if (fl_flight_fb_long_at(&nodes, i, 8) != 0)
            return columns(fault, "a row has no value");
    }
    return true;
}

/* Buffer {offset, length}. Those without bytes may claim to lie anywhere. */
static bool place_regions(struct fl_flight_ipc *ipc, struct fl_flight_batch *batch,
                          struct fl_flight_fault *fault)
{
    struct fl_flight_vector buffers;
    uint64_t end = 0;

    (void)fl_flight_fb_vector(&ipc->table, BATCH_BUFFERS, 16, &buffers);
    if (buffers.count != batch->regions)
        return malformed(fault, "a record batch has another number of buffers than its columns");
    for (uint32_t i = 0; i < batch->regions; i++) {
        struct fl_flight_region *region = &batch->region[i];
        uint64_t offset = fl_flight_fb_long_at(&buffers, i, 0);

        region->size = fl_flight_fb_long_at(&buffers, i, 8);
        region->offset = region->size == 0 ? end : offset;
        if (region->offset < end || region->offset > ipc->body_length ||
            region->size > ipc->body_length - region->offset)
            return malformed(fault, "a buffer of a record batch lies outside of its place");
        end = region->offset + region->size;
    }
    return true;
}

static bool read_compression(struct fl_flight_ipc *ipc, struct fl_flight_batch *batch,
                             struct fl_flight_fault *fault)
{
    struct fl_flight_table table;
    uint64_t number;

    batch->codec = FL_FLIGHT_PLAIN;
    if (!fl_flight_fb_table(&ipc->table, BATCH_COMPRESSION, &table))
        return is_sound(ipc, fault);
    number = fl_flight_fb_number(&table, COMPRESSION_CODEC, 1, 0);
    if (fl_flight_fb_number(&table, COMPRESSION_METHOD, 1, 0) != 0 ||
        !fl_flight_codec_find_number((int8_t)number, &batch->codec))
        return fl_flight_fail(fault, FL_FLIGHT_CODEC, "the body is compressed in an unknown way");
    return is_sound(ipc, fault);
}

bool fl_flight_ipc_batch(struct fl_flight_ipc *ipc, const struct fl_flight_plan *plan,
                         uint64_t body_size, struct fl_flight_batch *batch,
                         struct fl_flight_fault *fault)
{
    struct fl_flight_batch read = {.regions = 0};

    read.rows = fl_flight_fb_number(&ipc->table, BATCH_LENGTH, 8, 0);
    if (read.rows > INT64_MAX)
        return malformed(fault, "a record batch of negative length");
    if (ipc->body_length > body_size)
        return fl_flight_fail(fault, FL_FLIGHT_TRUNCATED, "the body of a message is cut short");
    if (read.rows > FL_FLIGHT_AUX_MAX / 8)
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "a record batch has too many rows");
    expect_regions(&read, plan);
    if (!read_compression(ipc, &read, fault) ||
        !check_nodes(ipc, plan->has_kind ? 3 : 2, read.rows, fault) ||
        !place_regions(ipc, &read, fault) || !is_sound(ipc, fault))
        return false;
    *batch = read;
    return true;
}
