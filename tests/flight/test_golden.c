/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded answers, cut at every place: the outcome is always the same; cut short: never a file.
 * test_flight_golden.py holds the outcomes against the manifest. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const small[] = {
    "text_current",  "one",     "empty_row",   "old_one",           "old_text_current",
    "patched_from1", "patched", "old_patched", "old_patched_from1",
};
static const char *const large[] = {"text",   "rnd64k",       "numpy",
                                    "zero5m", "native_table", "old_text"};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void expect_same(const struct outcome *got, const struct outcome *want, const char *name,
                        size_t place)
{
    cr_expect_eq(got->code, want->code, "%s at %zu: %s", name, place, got->why);
    cr_expect_eq(got->summary.rows, want->summary.rows, "%s at %zu", name, place);
    cr_expect_eq(got->summary.version, want->summary.version, "%s at %zu", name, place);
    cr_assert_eq(got->bytes.size, want->bytes.size, "%s at %zu", name, place);
    cr_expect(want->bytes.size == 0 ||
                  memcmp(got->bytes.data, want->bytes.data, want->bytes.size) == 0,
              "%s at %zu", name, place);
}

static void feed_and_compare(const struct fl_flight_buffer *frames, struct feeding how,
                             const char *name)
{
    struct feeding whole = {.takes_patches = how.takes_patches};
    struct outcome want;
    struct outcome got;

    feed(fl_flight_buffer_view(frames), &whole, &want);
    for (int is_one_push = 0; is_one_push < 2; is_one_push++) {
        how.is_one_push = is_one_push;
        feed(fl_flight_buffer_view(frames), &how, &got);
        expect_same(&got, &want, name, how.split);
        outcome_done(&got);
    }
    outcome_done(&want);
}

Test(golden, a_split_at_any_byte_changes_nothing, .timeout = 120)
{
    for (size_t i = 0; i < COUNT(small); i++) {
        struct fl_flight_buffer frames = read_golden(small[i]);

        for (size_t at = 1; at < frames.size; at++)
            feed_and_compare(&frames, (struct feeding){.split = at, .takes_patches = at % 2},
                             small[i]);
        fl_flight_buffer_done(&frames);
    }
}

Test(golden, slices_of_any_size_change_nothing, .timeout = 120)
{
    static const size_t pieces[] = {1, 2, 7, 63, 4096, 65536};

    for (size_t i = 0; i < COUNT(small) + COUNT(large); i++) {
        const char *name = i < COUNT(small) ? small[i] : large[i - COUNT(small)];
        struct fl_flight_buffer frames = read_golden(name);

        for (size_t p = 0; p < COUNT(pieces); p++)
            feed_and_compare(&frames, (struct feeding){.piece = pieces[p]}, name);
        fl_flight_buffer_done(&frames);
    }
}

/* Between two messages only the status of the call tells that a patch is missing. */
static bool is_between(struct fl_flight_bytes cut)
{
    struct fl_flight_bytes message;
    int rows = -1;

    while (next_frame(&cut, &message))
        rows++;
    return cut.size <= 5 && rows > 0;
}

Test(golden, what_is_cut_anywhere_is_no_file, .timeout = 120)
{
    for (size_t i = 0; i < COUNT(small); i++) {
        struct fl_flight_buffer frames = read_golden(small[i]);

        for (size_t size = 0; size < 2 * frames.size; size++) {
            struct fl_flight_bytes cut = {frames.data, size / 2};
            struct feeding how = {.is_short = size % 2};
            struct outcome outcome;

            feed(cut, &how, &outcome);
            cr_expect((outcome.code != FL_FLIGHT_NONE && outcome.why) || is_between(cut),
                      "%s cut at %zu", small[i], size / 2);
            outcome_done(&outcome);
        }
        fl_flight_buffer_done(&frames);
    }
}

/* Every byte of an answer replaced. Most of them are padding or do not matter; what is asked is
 * that nothing breaks, no row more than was sent is believed, and that all verdicts occur. */
Test(golden, whatever_byte_is_wrong_the_reader_stays_whole, .timeout = 240)
{
    static const uint8_t masks[] = {0x01, 0x02, 0x04, 0x80, 0xff};
    struct fl_flight_buffer frames = read_golden("one");
    uint32_t seen = 0;

    for (size_t at = 5; at < frames.size; at++) {
        for (size_t m = 0; m < COUNT(masks); m++) {
            struct feeding how = {.max_bytes = 1 << 20};
            struct outcome outcome;

            if (at > 0xe4 + 5 && at < 0xe4 + 5 + 10)
                continue; /* the length of a frame is the transport's */
            frames.data[at] ^= masks[m];
            feed(fl_flight_buffer_view(&frames), &how, &outcome);
            seen |= 1u << outcome.code;
            cr_expect_leq(outcome.bytes.size, 1u << 20);
            cr_expect_eq(outcome.bytes.size, outcome.summary.bytes);
            cr_expect_eq(outcome.rows_told, outcome.summary.rows);
            outcome_done(&outcome);
            frames.data[at] ^= masks[m];
        }
    }
    cr_expect(seen & 1u << FL_FLIGHT_COLUMNS);
    cr_expect(seen & 1u << FL_FLIGHT_CODEC);
    cr_expect(seen & 1u << FL_FLIGHT_TRUNCATED);
    cr_expect(seen & 1u << FL_FLIGHT_LIMIT);
    cr_expect(seen & 1u << FL_FLIGHT_MALFORMED);
    fl_flight_buffer_done(&frames);
}

Test(golden, patches_are_told_to_who_asks_for_them)
{
    static const char *const names[] = {"patched", "old_patched"};

    for (size_t i = 0; i < COUNT(names); i++) {
        struct fl_flight_buffer frames = read_golden(names[i]);
        struct feeding how = {.takes_patches = true};
        struct outcome outcome;

        feed(fl_flight_buffer_view(&frames), &how, &outcome);
        cr_expect_eq(outcome.code, FL_FLIGHT_NONE);
        cr_expect(outcome.summary.rows == 3 && outcome.summary.patches == 2);
        cr_expect(outcome.summary.bytes == 75 && outcome.summary.version == 1);
        outcome_done(&outcome);
        fl_flight_buffer_done(&frames);
    }
}
