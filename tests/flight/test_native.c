/* SPDX-License-Identifier: Apache-2.0 */
/* The version in the schema of a table: set whatever its length, nothing else changed, and no
 * damaged schema leads outside. */
#include "fixture.h"

#include "envelope.h"
#include "ipc.h"
#include "ipc_format.h"
#include "native.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The schema's header of a recorded answer. */
static struct fl_flight_buffer schema_of(const char *name)
{
    struct fl_flight_buffer frames = read_golden(name);
    struct fl_flight_bytes left = fl_flight_buffer_view(&frames);
    struct fl_flight_envelope envelope = {.left = 0};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer header = {.size = 0};
    struct fl_flight_cursor cursor;
    struct fl_flight_bytes message;
    struct flame_slice slice;

    cr_assert(next_frame(&left, &message));
    slice = (struct flame_slice){message.data, message.size};
    fl_flight_cursor_init(&cursor, &slice, 1);
    fl_flight_envelope_begin(&envelope, message.size);
    cr_assert_eq(fl_flight_envelope_step(&envelope, &cursor, &fault), FL_FLIGHT_EVENT_END);
    cr_assert(fl_flight_buffer_add(&header, envelope.header.data, envelope.header.size));
    fl_flight_envelope_done(&envelope);
    fl_flight_buffer_done(&frames);
    return header;
}

/* All pairs, "key=value\n". */
static void read_pairs(const struct fl_flight_buffer *header, struct fl_flight_buffer *out)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_vector pairs;
    struct fl_flight_table pair;
    struct fl_flight_bytes text;
    struct fl_flight_ipc ipc;

    cr_assert(fl_flight_ipc_open(&ipc, fl_flight_buffer_view(header), &fault));
    cr_assert(fl_flight_fb_vector(&ipc.table, SCHEMA_METADATA, 4, &pairs));
    for (uint32_t i = 0; i < pairs.count; i++) {
        cr_assert(fl_flight_fb_table_at(&pairs, i, &pair));
        for (uint32_t slot = PAIR_KEY; slot <= PAIR_VALUE; slot++) {
            cr_assert(fl_flight_fb_string(&pair, slot, &text));
            (void)fl_flight_buffer_add(out, text.data, text.size);
            (void)fl_flight_buffer_add(out, slot == PAIR_KEY ? "=" : "\n", 1);
        }
    }
    (void)fl_flight_buffer_add(out, "", 1);
}

Test(native, the_version_is_set_and_nothing_else)
{
    static const uint64_t versions[] = {1, 9, 10, 12345, UINT64_MAX};
    static const char *const texts[] = {"1", "9", "10", "12345", "18446744073709551615"};

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct fl_flight_buffer header = schema_of("native_table");
        struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
        struct fl_flight_buffer got = {.size = 0};
        char want[256];

        (void)snprintf(want, sizeof(want),
                       "flame.cache.format=arrow-table-v1\nflame.cache.logical_type=pyarrow.table\n"
                       "flame.cache.version=%s\n",
                       texts[i]);
        cr_assert(fl_flight_native_set_version(&header, versions[i], &fault), "%s", fault.why);
        read_pairs(&header, &got);
        cr_expect_str_eq((char *)got.data, want);
        cr_expect_eq(header.size % 8, 0);
        fl_flight_buffer_done(&got);
        fl_flight_buffer_done(&header);
    }
}

Test(native, a_schema_without_a_version_stays_as_it_is)
{
    struct fl_flight_buffer header = schema_of("text_current");
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    size_t size = header.size;

    cr_expect(fl_flight_native_set_version(&header, 5, &fault));
    cr_expect_eq(header.size, size);
    fl_flight_buffer_done(&header);
}

/* The first `size` bytes, one of them changed, and no byte more: a sanitizer sees a step over. */
static void set_version_in(const struct fl_flight_buffer *whole, size_t size, size_t at,
                           uint8_t damage)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer header = {.data = malloc(size), .size = size, .capacity = size};

    cr_assert_not_null(header.data);
    memcpy(header.data, whole->data, size);
    if (at < size)
        header.data[at] = damage;
    (void)fl_flight_native_set_version(&header, 1, &fault);
    fl_flight_buffer_done(&header);
}

Test(native, a_damaged_schema_never_leads_outside)
{
    struct fl_flight_buffer whole = schema_of("native_table");
    static const uint8_t damage[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

    for (size_t at = 0; at < whole.size; at++)
        for (size_t i = 0; i < sizeof(damage); i++)
            set_version_in(&whole, whole.size, at, damage[i]);
    for (size_t size = 0; size < whole.size; size++)
        set_version_in(&whole, size, size, 0);
    fl_flight_buffer_done(&whole);
}
