/* SPDX-License-Identifier: Apache-2.0 */
#include "cursor.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct flame_slice three[] = {
    {"", 0}, {"abc", 3}, {NULL, 0}, {"defgh", 5}, {"", 0}, {"i", 1}, {NULL, 0},
};
#define THREE 7

Test(cursor, reads_all_bytes_in_any_step)
{
    for (uint64_t step = 1; step < 12; step++) {
        struct fl_flight_cursor cursor;
        char text[16] = "";
        size_t size = 0;

        fl_flight_cursor_init(&cursor, three, THREE);
        cr_assert_eq(cursor.left, 9);
        while (cursor.left > 0) {
            struct flame_slice piece = fl_flight_cursor_next(&cursor, step);

            cr_assert(piece.size > 0 && piece.size <= step);
            memcpy(text + size, piece.data, piece.size);
            size += piece.size;
        }
        cr_expect_str_eq(text, "abcdefghi");
        cr_expect_eq(fl_flight_cursor_next(&cursor, step).size, 0);
    }
}

Test(cursor, pieces_are_where_they_lay_and_never_more_than_asked)
{
    struct flame_slice pieces[2];
    struct fl_flight_cursor cursor;
    uint64_t size;

    fl_flight_cursor_init(&cursor, three, THREE);
    cr_assert_eq(fl_flight_cursor_pieces(&cursor, 5, pieces, 2, &size), 2);
    cr_expect_eq(size, 5);
    cr_expect_eq(pieces[0].data, three[1].data);
    cr_expect_eq(pieces[1].data, three[3].data);
    cr_expect_eq(pieces[1].size, 2);
    cr_assert_eq(fl_flight_cursor_pieces(&cursor, 100, pieces, 1, &size), 1, "room for one");
    cr_expect_eq(size, 3);
    cr_expect_eq(fl_flight_cursor_skip(&cursor, 100), 1);
    cr_expect_eq(fl_flight_cursor_pieces(&cursor, 100, pieces, 2, &size), 0);
    cr_expect_eq(size, 0);
}

Test(cursor, gathering_is_bounded)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer out = {.size = 0};

    cr_assert(fl_flight_gather(three, THREE, 9, &out, &fault));
    cr_expect(out.size == 9 && memcmp(out.data, "abcdefghi", 9) == 0);
    cr_expect_not(fl_flight_gather(three, THREE, 8, &out, &fault));
    cr_expect_eq(fault.code, FL_FLIGHT_LIMIT);
    cr_expect_eq(out.size, 9);
    fl_flight_buffer_done(&out);
}

Test(fault, the_first_failure_stays_and_each_code_has_a_status)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};

    cr_expect_not(fl_flight_fail(&fault, FL_FLIGHT_LIMIT, "first"));
    cr_expect_not(fl_flight_fail_memory(&fault));
    cr_expect_eq(fault.code, FL_FLIGHT_LIMIT);
    cr_expect_str_eq(fault.why, "first");
    cr_expect_eq(fl_flight_status(FL_FLIGHT_NONE), FLAME_OK);
    cr_expect_eq(fl_flight_status(FL_FLIGHT_TRUNCATED), FLAME_ERR_TRUNCATED);
    cr_expect_str_eq(fl_flight_code_name(FL_FLIGHT_PATCHED), "PATCHED");
}
