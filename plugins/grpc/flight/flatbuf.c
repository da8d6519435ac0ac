/* SPDX-License-Identifier: Apache-2.0 */
#include "flatbuf.h"

/* Offsets are 32 bits, half of them signed: larger buffers do not exist. */
#define SIZE_MAX_ 0x7fffffffu

uint64_t fl_flight_little(const uint8_t *at, uint32_t width)
{
    uint64_t value = 0;

    for (uint32_t i = 0; i < width; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static bool bad(struct fl_flight_fb *fb)
{
    fb->is_bad = true;
    return false;
}

/* Read `width` bytes at `at`. */
static bool read_at(struct fl_flight_fb *fb, uint64_t at, uint32_t width, uint64_t *value)
{
    if (at > fb->bytes.size || width > fb->bytes.size - at)
        return bad(fb);
    *value = fl_flight_little(fb->bytes.data + at, width);
    return true;
}

/* A table: its first four bytes lead back to the vtable, which says its own size and the table's.
 */
static bool open_table(struct fl_flight_fb *fb, uint64_t at, struct fl_flight_table *out)
{
    uint64_t back;
    uint64_t vtable_size;
    uint64_t size;
    int64_t vtable;

    if (!read_at(fb, at, 4, &back))
        return false;
    vtable = (int64_t)at - (int32_t)(uint32_t)back;
    if (vtable < 0 || !read_at(fb, (uint64_t)vtable, 2, &vtable_size) ||
        !read_at(fb, (uint64_t)vtable + 2, 2, &size))
        return bad(fb);
    if (vtable_size < 4 || vtable_size % 2 != 0 || size < 4 ||
        vtable_size > fb->bytes.size - (uint64_t)vtable || size > fb->bytes.size - at)
        return bad(fb);
    out->fb = fb;
    out->at = (uint32_t)at;
    out->size = (uint32_t)size;
    out->vtable = (uint32_t)vtable;
    out->vtable_size = (uint32_t)vtable_size;
    return true;
}

bool fl_flight_fb_root(struct fl_flight_fb *fb, struct fl_flight_bytes bytes,
                       struct fl_flight_table *table)
{
    uint64_t offset;

    *fb = (struct fl_flight_fb){.bytes = bytes};
    *table = (struct fl_flight_table){0};
    if (bytes.size > SIZE_MAX_)
        return bad(fb);
    return read_at(fb, 0, 4, &offset) && open_table(fb, offset, table);
}

/* Where field `slot` of `width` bytes lies; 0 = absent, or bad. */
static uint32_t field_at(const struct fl_flight_table *table, uint32_t slot, uint32_t width)
{
    uint32_t entry = 4 + 2 * slot;
    uint64_t offset;

    if (!table->fb || entry + 2 > table->vtable_size ||
        !read_at(table->fb, table->vtable + entry, 2, &offset) || offset == 0)
        return 0;
    if (offset < 4 || offset > table->size || width > table->size - offset) {
        (void)bad(table->fb);
        return 0;
    }
    return table->at + (uint32_t)offset;
}

uint64_t fl_flight_fb_number(const struct fl_flight_table *table, uint32_t slot, uint32_t width,
                             uint64_t fallback)
{
    uint32_t at = field_at(table, slot, width);
    uint64_t value = fallback;

    if (at != 0)
        (void)read_at(table->fb, at, width, &value);
    return value;
}

/* Follow the offset that lies at `at`. */
static bool follow(struct fl_flight_fb *fb, uint32_t at, uint64_t *target)
{
    uint64_t offset;

    if (!read_at(fb, at, 4, &offset))
        return false;
    *target = at + offset;
    return *target < fb->bytes.size || bad(fb);
}

bool fl_flight_fb_table(const struct fl_flight_table *table, uint32_t slot,
                        struct fl_flight_table *out)
{
    uint32_t at = field_at(table, slot, 4);
    uint64_t target;

    *out = (struct fl_flight_table){0};
    return at != 0 && follow(table->fb, at, &target) && open_table(table->fb, target, out);
}

bool fl_flight_fb_vector(const struct fl_flight_table *table, uint32_t slot, uint32_t width,
                         struct fl_flight_vector *out)
{
    uint32_t at = field_at(table, slot, 4);
    uint64_t target;
    uint64_t count;

    *out = (struct fl_flight_vector){0};
    if (at == 0 || !follow(table->fb, at, &target) || !read_at(table->fb, target, 4, &count))
        return false;
    if (count * width > table->fb->bytes.size - (target + 4))
        return bad(table->fb);
    out->fb = table->fb;
    out->at = (uint32_t)target + 4;
    out->count = (uint32_t)count;
    out->width = width;
    return true;
}

bool fl_flight_fb_string(const struct fl_flight_table *table, uint32_t slot,
                         struct fl_flight_bytes *out)
{
    struct fl_flight_vector text;

    *out = (struct fl_flight_bytes){NULL, 0};
    if (!fl_flight_fb_vector(table, slot, 1, &text))
        return false;
    *out = (struct fl_flight_bytes){text.fb->bytes.data + text.at, text.count};
    return true;
}

bool fl_flight_fb_table_at(const struct fl_flight_vector *vector, uint32_t index,
                           struct fl_flight_table *out)
{
    uint64_t target;

    *out = (struct fl_flight_table){0};
    if (index >= vector->count)
        return false;
    return follow(vector->fb, vector->at + 4 * index, &target) &&
           open_table(vector->fb, target, out);
}

uint64_t fl_flight_fb_long_at(const struct fl_flight_vector *vector, uint32_t index,
                              uint32_t offset)
{
    uint64_t value = 0;

    (void)read_at(vector->fb, vector->at + (uint64_t)index * vector->width + offset, 8, &value);
    return value;
}
