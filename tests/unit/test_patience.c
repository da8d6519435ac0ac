/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "run/patience.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>

#define DRAWS 4000

/* Of many draws: how the numbers below `most` are spread. */
static void expect_spread(uint32_t delay_ms, uint32_t tries, uint32_t most)
{
    uint32_t quarters[4] = {0};
    uint64_t sum = 0;

    for (int i = 0; i < DRAWS; i++) {
        uint32_t pause = fl_pause_ms(delay_ms, tries);

        cr_assert_lt(pause, most, "%u ms, try %u", pause, tries);
        quarters[(uint64_t)pause * 4 / most]++;
        sum += pause;
    }
    for (int i = 0; i < 4; i++)
        cr_expect_gt(quarters[i], DRAWS / 4 * 8 / 10, "quarter %d: %u", i, quarters[i]);
    cr_expect_gt(sum / DRAWS, (uint64_t)most * 45 / 100);
    cr_expect_lt(sum / DRAWS, (uint64_t)most * 55 / 100);
}

Test(patience, a_pause_is_anything_below_a_bound_that_doubles)
{
    expect_spread(500, 1, 500);
    expect_spread(500, 2, 1000);
    expect_spread(500, 3, 2000);
    expect_spread(500, 5, 8000);
}

Test(patience, no_pause_is_longer_than_thirty_seconds)
{
    expect_spread(500, 7, FL_PAUSE_MAX_MS);
    expect_spread(500, 100, FL_PAUSE_MAX_MS);
    expect_spread(500, UINT32_MAX, FL_PAUSE_MAX_MS);
    expect_spread(UINT32_MAX, 1, FL_PAUSE_MAX_MS);
}

Test(patience, no_delay_is_no_pause)
{
    for (uint32_t tries = 0; tries < 40; tries++)
        cr_expect_eq(fl_pause_ms(0, tries), 0);
    cr_expect_eq(fl_pause_ms(1, 1), 0);
}

Test(patience, a_wish_is_kept_capped_and_spread_a_little)
{
    static const struct {
        int64_t wish;
        uint32_t least;
    } rows[] = {
        {0, 0},  {1000, 1000},   {30000, 30000}, {30001, 30000}, {INT64_MAX, 30000},
        {-5, 0}, {INT64_MIN, 0}, {29999, 29999},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint32_t seen_least = UINT32_MAX;
        uint32_t seen_most = 0;

        for (int draw = 0; draw < DRAWS; draw++) {
            uint32_t wait = fl_pause_wished_ms(rows[i].wish);

            seen_least = wait < seen_least ? wait : seen_least;
            seen_most = wait > seen_most ? wait : seen_most;
        }
        cr_expect_geq(seen_least, rows[i].least);
        cr_expect_lt(seen_least, rows[i].least + 25);
        cr_expect_geq(seen_most, rows[i].least + 225);
        cr_expect_lt(seen_most, rows[i].least + 250);
    }
}

static struct fl_patience patience;

Test(patience, what_an_origin_has_asked_for_holds_for_it_alone)
{
    uint64_t now = fl_now_ns();

    fl_patience_init(&patience);
    cr_expect_eq(fl_patience_until(&patience, "http://a:80"), 0);
    fl_patience_note(&patience, "http://a:80", now + FL_NS_PER_S);
    cr_expect_eq(fl_patience_until(&patience, "http://a:80"), now + FL_NS_PER_S);
    cr_expect_eq(fl_patience_until(&patience, "http://a:8"), 0);
    cr_expect_eq(fl_patience_until(&patience, "https://a:80"), 0);
    fl_patience_done(&patience);
}

Test(patience, the_longest_wish_stays_and_is_forgotten_when_it_is_over)
{
    uint64_t now = fl_now_ns();

    fl_patience_init(&patience);
    fl_patience_note(&patience, "a", now + 2 * FL_NS_PER_S);
    fl_patience_note(&patience, "a", now + FL_NS_PER_S);
    cr_expect_eq(fl_patience_until(&patience, "a"), now + 2 * FL_NS_PER_S);
    fl_patience_note(&patience, "b", now + 1);
    fl_patience_note(&patience, "c", now + FL_NS_PER_S);
    cr_expect_eq(fl_patience_until(&patience, "b"), 0);
    cr_expect_eq(fl_patience_until(&patience, "c"), now + FL_NS_PER_S);
    fl_patience_done(&patience);
}

static void *note_and_ask(void *data)
{
    char name[24];

    for (int i = 0; i < 500; i++) {
        (void)snprintf(name, sizeof(name), "origin-%d", i % 17);
        fl_patience_note(&patience, name, fl_now_ns() + (uint64_t)(i % 3) * FL_NS_PER_MS);
        (void)fl_patience_until(&patience, name);
    }
    return data;
}

Test(patience, many_threads_may_note_and_ask)
{
    pthread_t threads[4];

    fl_patience_init(&patience);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, note_and_ask, NULL), 0);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    fl_patience_done(&patience);
}
