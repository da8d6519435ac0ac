/* SPDX-License-Identifier: Apache-2.0 */
/* What the builder writes the reader reads; whatever byte is wrong, the reader stays inside. */
#include "builder.h"
#include "flatbuf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void build(struct fl_flight_builder *builder, struct fl_flight_bytes *out)
{
    int64_t pairs[] = {1, -2, 3, 4};
    uint32_t text = fl_flight_build_string(builder, "hello");
    uint32_t vector = fl_flight_build_pairs(builder, pairs, 2);
    uint32_t children[2];
    uint32_t list;

    for (int i = 0; i < 2; i++) {
        fl_flight_build_open(builder);
        fl_flight_build_number(builder, 1, 2, (uint64_t)(100 + i));
        children[i] = fl_flight_build_close(builder);
    }
    list = fl_flight_build_tables(builder, children, 2);
    fl_flight_build_open(builder);
    fl_flight_build_number(builder, 0, 1, 7);
    fl_flight_build_number(builder, 5, 8, UINT64_MAX - 1);
    fl_flight_build_reference(builder, 1, text);
    fl_flight_build_reference(builder, 2, vector);
    fl_flight_build_reference(builder, 4, list);
    cr_assert(fl_flight_build_end(builder, fl_flight_build_close(builder), out));
}

Test(flatbuf, what_was_built_is_read)
{
    struct fl_flight_builder builder = {.used = 0};
    struct fl_flight_vector vector;
    struct fl_flight_table table;
    struct fl_flight_table child;
    struct fl_flight_bytes bytes;
    struct fl_flight_bytes text;
    struct fl_flight_fb fb;

    build(&builder, &bytes);
    cr_expect_eq(bytes.size % 8, 0);
    cr_assert(fl_flight_fb_root(&fb, bytes, &table));
    cr_expect_eq(fl_flight_fb_number(&table, 0, 1, 0), 7);
    cr_expect_eq(fl_flight_fb_number(&table, 5, 8, 0), UINT64_MAX - 1);
    cr_expect_eq(fl_flight_fb_number(&table, 3, 8, 42), 42, "absent");
    cr_expect_eq(fl_flight_fb_number(&table, 99, 8, 43), 43, "behind the vtable");
    cr_assert(fl_flight_fb_string(&table, 1, &text));
    cr_expect(fl_flight_bytes_equal(text, "hello"));
    cr_assert(fl_flight_fb_vector(&table, 2, 16, &vector));
    cr_expect_eq(vector.at % 8, 0, "structs are aligned");
    cr_expect_eq(fl_flight_fb_long_at(&vector, 0, 8), (uint64_t)-2);
    cr_expect_eq(fl_flight_fb_long_at(&vector, 1, 0), 3);
    cr_assert(fl_flight_fb_vector(&table, 4, 4, &vector));
    cr_assert(fl_flight_fb_table_at(&vector, 1, &child));
    cr_expect_eq(fl_flight_fb_number(&child, 1, 2, 0), 101);
    cr_expect_not(fl_flight_fb_table_at(&vector, 2, &child));
    cr_expect_not(fl_flight_fb_table(&table, 3, &child));
    cr_expect_not(fb.is_bad);
}

/* Touch all that there is; a sanitizer watches. */
static bool read_all(struct fl_flight_bytes bytes)
{
    struct fl_flight_vector vector;
    struct fl_flight_table table;
    struct fl_flight_table child;
    struct fl_flight_bytes text;
    struct fl_flight_fb fb;
    uint64_t sum = 0;

    (void)fl_flight_fb_root(&fb, bytes, &table);
    sum += fl_flight_fb_number(&table, 0, 1, 0) + fl_flight_fb_number(&table, 5, 8, 0);
    if (fl_flight_fb_string(&table, 1, &text) && text.size > 0)
        sum += text.data[0] + (uint64_t)text.data[text.size - 1];
    (void)fl_flight_fb_vector(&table, 2, 16, &vector);
    for (uint32_t i = 0; i < vector.count; i++)
        sum += fl_flight_fb_long_at(&vector, i, 8);
    (void)fl_flight_fb_vector(&table, 4, 4, &vector);
    for (uint32_t i = 0; i < vector.count; i++) {
        if (fl_flight_fb_table_at(&vector, i, &child))
            sum += fl_flight_fb_number(&child, 1, 2, 0);
    }
    return !fb.is_bad && sum != 1;
}

Test(flatbuf, every_value_of_every_byte_stays_inside)
{
    struct fl_flight_builder builder = {.used = 0};
    struct fl_flight_bytes bytes;
    uint8_t *copy;
    int refused = 0;

    build(&builder, &bytes);
    copy = malloc(bytes.size);
    cr_assert(copy != NULL);
    for (size_t at = 0; at < bytes.size; at++) {
        memcpy(copy, bytes.data, bytes.size);
        for (int value = 0; value < 256; value++) {
            copy[at] = (uint8_t)value;
            refused += !read_all((struct fl_flight_bytes){copy, bytes.size});
        }
    }
    cr_expect_gt(refused, 1000);
    free(copy);
}

Test(flatbuf, every_cut_stays_inside)
{
    struct fl_flight_builder builder = {.used = 0};
    struct fl_flight_bytes bytes;

    build(&builder, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *copy = malloc(size ? size : 1);

        cr_assert(copy != NULL);
        memcpy(copy, bytes.data, size);
        (void)read_all((struct fl_flight_bytes){copy, size});
        free(copy);
    }
}

Test(builder, one_that_is_full_says_so)
{
    struct fl_flight_builder builder = {.used = 0};
    struct fl_flight_bytes bytes;

    for (int i = 0; i < FL_FLIGHT_BUILDER_MAX / 8 + 1; i++)
        (void)fl_flight_build_string(&builder, "abc");
    cr_expect_not(fl_flight_build_end(&builder, 4, &bytes));
}

/* The smallest table: a root, a vtable at 4, the table at 12 with one field of four bytes at 16. */
static bool is_read_with(size_t at, uint8_t value)
{
    uint8_t bytes[] = {12, 0, 0, 0, 6, 0, 8, 0, 4, 0, 0, 0, 8, 0, 0, 0, 42, 0, 0, 0};
    struct fl_flight_table table;
    struct fl_flight_fb fb;
    uint64_t number;

    bytes[at] = value;
    (void)fl_flight_fb_root(&fb, (struct fl_flight_bytes){bytes, sizeof(bytes)}, &table);
    number = fl_flight_fb_number(&table, 0, 4, 7);
    cr_expect_eq(number, fb.is_bad ? 7 : 42);
    return !fb.is_bad;
}

Test(flatbuf, what_leads_outside_of_its_place_is_bad)
{
    cr_expect(is_read_with(0, 12));
    cr_expect_not(is_read_with(0, 17), "a root over the end");
    cr_expect_not(is_read_with(4, 100), "a vtable over the end");
    cr_expect_not(is_read_with(4, 5), "half a field in a vtable");
    cr_expect_not(is_read_with(4, 2), "a vtable without its sizes");
    cr_expect_not(is_read_with(6, 9), "a table over the end");
    cr_expect_not(is_read_with(6, 7), "a field over the end of its table");
    cr_expect_not(is_read_with(8, 5), "the same");
    cr_expect_not(is_read_with(8, 3), "a field in front of its table");
    cr_expect_not(is_read_with(12, 13), "a vtable in front of all");
    cr_expect_not(is_read_with(15, 0x80), "a vtable behind all");
}
