/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include "ipc_format.h"

/* Behind the last row: some writers count the padding of a buffer as its own. More means that the
 * offsets are not what we read them as, and what they leave out would be lost in silence. (Before
 * the first row there may be any: a slice of a larger array.) */
#define PADDING_MAX 64

void fl_flight_rows_begin(struct fl_flight_rows *rows, const struct fl_flight_plan *plan,
                          uint64_t count)
{
    for (int role = 0; role < FL_FLIGHT_ROLE_DATA; role++)
        fl_flight_buffer_clear(&rows->buffer[role]);
    rows->plan = *plan;
    rows->count = count;
    rows->held = 0;
    rows->first = 0;
    rows->total = 0;
}

void fl_flight_rows_done(struct fl_flight_rows *rows)
{
    for (int role = 0; role < FL_FLIGHT_ROLE_DATA; role++)
        fl_flight_buffer_done(&rows->buffer[role]);
}

bool fl_flight_rows_announce(struct fl_flight_rows *rows, uint64_t size,
                             struct fl_flight_fault *fault)
{
    if (size > FL_FLIGHT_AUX_MAX - rows->held)
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "the small buffers of a batch are too large");
    rows->held += size;
    return true;
}

bool fl_flight_rows_add(struct fl_flight_rows *rows, enum fl_flight_role role,
                        const struct flame_slice *slice, struct fl_flight_fault *fault)
{
    return fl_flight_buffer_add(&rows->buffer[role], slice->data, (size_t)slice->size) ||
           fl_flight_fail_memory(fault);
}

static uint64_t offset_at(const struct fl_flight_buffer *buffer, bool is_wide, uint64_t index)
{
    uint32_t width = is_wide ? 8 : 4;

    return fl_flight_little(buffer->data + index * width, width);
}

/* count + 1 offsets that never fall, the last at most `end`. A negative one is larger than any. */
static bool check_offsets(const struct fl_flight_buffer *buffer, bool is_wide, uint64_t count,
                          uint64_t end)
{
    uint64_t before = 0;

    if (buffer->size < (count + 1) * (is_wide ? 8u : 4u))
        return false;
    for (uint64_t i = 0; i <= count; i++) {
        uint64_t offset = offset_at(buffer, is_wide, i);

        if (offset < before || offset > end)
            return false;
        before = offset;
    }
    return true;
}

static struct fl_flight_bytes kind_at(const struct fl_flight_rows *rows, uint64_t index)
{
    const struct fl_flight_buffer *offsets = &rows->buffer[FL_FLIGHT_ROLE_KIND_OFFSETS];
    uint64_t from = offset_at(offsets, rows->plan.wide_kind, index);
    uint64_t to = offset_at(offsets, rows->plan.wide_kind, index + 1);
    struct fl_flight_bytes kind = {rows->buffer[FL_FLIGHT_ROLE_KINDS].data, (size_t)(to - from)};

    if (kind.size > 0)
        kind.data += from;
    return kind;
}

static bool check_kinds(const struct fl_flight_rows *rows, struct fl_flight_fault *fault)
{
    if (!check_offsets(&rows->buffer[FL_FLIGHT_ROLE_KIND_OFFSETS], rows->plan.wide_kind,
                       rows->count, rows->buffer[FL_FLIGHT_ROLE_KINDS].size))
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "the kinds of a batch lie outside");
    for (uint64_t i = 0; i < rows->count; i++) {
        struct fl_flight_bytes kind = kind_at(rows, i);

        if (!fl_flight_bytes_equal(kind, FL_FLIGHT_KIND_BASE) &&
            !fl_flight_bytes_equal(kind, FL_FLIGHT_KIND_PATCH))
            return fl_flight_fail(fault, FL_FLIGHT_COLUMNS, "a row of an unknown kind");
    }
    return true;
}

static bool fail_left_out(struct fl_flight_fault *fault)
{
    return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a batch has bytes that no row has");
}

bool fl_flight_rows_judge(struct fl_flight_rows *rows, uint64_t size, struct fl_flight_fault *fault)
{
    const struct fl_flight_buffer *offsets = &rows->buffer[FL_FLIGHT_ROLE_DATA_OFFSETS];
    bool is_wide = rows->plan.wide_data;

    if (rows->count == 0)
        return size <= PADDING_MAX || fail_left_out(fault); /* even the one offset may be missing */
    if (rows->buffer[FL_FLIGHT_ROLE_VERSIONS].size < rows->count * 8)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a batch has too few versions");
    if (rows->plan.has_kind && !check_kinds(rows, fault))
        return false;
    if (!check_offsets(offsets, is_wide, rows->count, size))
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "the rows of a batch lie outside");
    if (size - offset_at(offsets, is_wide, rows->count) > PADDING_MAX)
        return fail_left_out(fault);
    rows->first = offset_at(offsets, is_wide, 0);
    rows->total = offset_at(offsets, is_wide, rows->count) - rows->first;
    return true;
}

void fl_flight_rows_get(const struct fl_flight_rows *rows, uint64_t index,
                        struct fl_flight_row *row)
{
    const struct fl_flight_buffer *offsets = &rows->buffer[FL_FLIGHT_ROLE_DATA_OFFSETS];
    bool is_wide = rows->plan.wide_data;

    row->version = fl_flight_little(rows->buffer[FL_FLIGHT_ROLE_VERSIONS].data + index * 8, 8);
    row->size = offset_at(offsets, is_wide, index + 1) - offset_at(offsets, is_wide, index);
    row->is_patch =
        rows->plan.has_kind && fl_flight_bytes_equal(kind_at(rows, index), FL_FLIGHT_KIND_PATCH);
}
