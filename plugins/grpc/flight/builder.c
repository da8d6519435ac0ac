/* SPDX-License-Identifier: Apache-2.0 */
#include "builder.h"

#include <string.h>

/* Put `size` bytes in front of the others; NULL = zeros. */
static void put(struct fl_flight_builder *builder, const void *bytes, uint32_t size)
{
    uint8_t *to;

    if (builder->is_full || size > FL_FLIGHT_BUILDER_MAX - builder->used) {
        builder->is_full = true;
        return;
    }
    builder->used += size;
    to = builder->bytes + FL_FLIGHT_BUILDER_MAX - builder->used;
    if (bytes)
        memcpy(to, bytes, size);
    else
        memset(to, 0, size);
}

/* Zeros, so that after `size` more bytes the front is a multiple of `alignment` from the end. */
static void align(struct fl_flight_builder *builder, uint32_t size, uint32_t alignment)
{
    put(builder, NULL, (0u - (builder->used + size)) & (alignment - 1));
}

static void put_number(struct fl_flight_builder *builder, uint32_t width, uint64_t value)
{
    uint8_t bytes[8];

    for (uint32_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    align(builder, width, width);
    put(builder, bytes, width);
}

static void put_reference(struct fl_flight_builder *builder, uint32_t reference)
{
    align(builder, 4, 4);
    put_number(builder, 4, builder->used + 4 - reference);
}

uint32_t fl_flight_build_string(struct fl_flight_builder *builder, const char *text)
{
    uint32_t size = (uint32_t)strlen(text);

    align(builder, size + 1, 4);
    put(builder, text, size + 1);
    put_number(builder, 4, size);
    return builder->used;
}

uint32_t fl_flight_build_tables(struct fl_flight_builder *builder, const uint32_t *references,
                                uint32_t count)
{
    align(builder, 4 * count, 4);
    for (uint32_t i = count; i > 0; i--)
        put_reference(builder, references[i - 1]);
    put_number(builder, 4, count);
    return builder->used;
}

uint32_t fl_flight_build_pairs(struct fl_flight_builder *builder, const int64_t *numbers,
                               uint32_t count)
{
    align(builder, 16 * count, 8);
    for (uint32_t i = count; i > 0; i--) {
        put_number(builder, 8, (uint64_t)numbers[2 * i - 1]);
        put_number(builder, 8, (uint64_t)numbers[2 * i - 2]);
    }
    put_number(builder, 4, count);
    return builder->used;
}

void fl_flight_build_open(struct fl_flight_builder *builder)
{
    builder->table_start = builder->used;
    memset(builder->slots, 0, sizeof(builder->slots));
}

void fl_flight_build_number(struct fl_flight_builder *builder, uint32_t slot, uint32_t width,
                            uint64_t value)
{
    put_number(builder, width, value);
    builder->slots[slot] = builder->used;
}

void fl_flight_build_reference(struct fl_flight_builder *builder, uint32_t slot, uint32_t reference)
{
    put_reference(builder, reference);
    builder->slots[slot] = builder->used;
}

/* The vtable goes directly in front of its table: sizes of both, then where each field lies. */
uint32_t fl_flight_build_close(struct fl_flight_builder *builder)
{
    uint32_t slots = FL_FLIGHT_BUILDER_SLOTS;
    uint32_t table;

    while (slots > 0 && builder->slots[slots - 1] == 0)
        slots--;
    put_number(builder, 4, 4 + 2 * slots);
    table = builder->used;
    for (uint32_t i = slots; i > 0; i--)
        put_number(builder, 2, builder->slots[i - 1] ? table - builder->slots[i - 1] : 0);
    put_number(builder, 2, table - builder->table_start);
    put_number(builder, 2, 4 + 2 * slots);
    return table;
}

bool fl_flight_build_end(struct fl_flight_builder *builder, uint32_t root,
                         struct fl_flight_bytes *out)
{
    align(builder, 4, 8);
    put_reference(builder, root);
    if (builder->is_full)
        return false;
    *out = (struct fl_flight_bytes){builder->bytes + FL_FLIGHT_BUILDER_MAX - builder->used,
                                    builder->used};
    return true;
}
