/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "transfer/pace.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <unistd.h>

#define RATE 1000000ULL /* bytes a second */

static void wait_ns(uint64_t ns)
{
    (void)usleep((useconds_t)(ns / 1000));
}

/* Take `bytes` in steps, waiting as told; returns the seconds it took. */
static double take_all(struct fl_pace *pace, uint64_t bytes, uint64_t step)
{
    uint64_t began = fl_now_ns();

    for (uint64_t taken = 0; taken < bytes; taken += step)
        wait_ns(fl_pace_take(pace, step));
    return (double)(fl_now_ns() - began) / 1e9;
}

Test(pace, the_average_is_kept_whatever_the_steps)
{
    static const uint64_t steps[] = {1000, 10000, 100000};

    for (size_t i = 0; i < 3; i++) {
        struct fl_pace pace;
        double seconds;

        fl_pace_init(&pace, RATE);
        (void)take_all(&pace, 200000, steps[i]); /* what was saved up is spent */
        seconds = take_all(&pace, 600000, steps[i]);
        cr_expect_geq(seconds, 0.54, "%.3f s in steps of %d", seconds, (int)steps[i]);
        cr_expect_lt(seconds, 1.2, "%.3f s in steps of %d", seconds, (int)steps[i]);
        fl_pace_done(&pace);
    }
}

/* No clock of the machine's in it: what is told, summed up, is exact. */
Test(pace, what_it_tells_to_wait_is_what_the_bytes_cost)
{
    struct fl_pace pace;
    uint64_t began = fl_now_ns();
    uint64_t told = 0;
    double expected;

    fl_pace_init(&pace, RATE);
    for (int i = 0; i < 1000; i++)
        told = fl_pace_take(&pace, 10000); /* until all so far are paid for */
    expected = 10.0 - 0.1 - (double)(fl_now_ns() - began) / 1e9;
    cr_expect_gt((double)told / 1e9, expected * 0.9);
    cr_expect_lt((double)told / 1e9, 10.0);
    fl_pace_done(&pace);
}

Test(pace, time_that_was_not_used_is_saved_up_for_a_tenth_of_a_second_only)
{
    struct fl_pace pace;

    fl_pace_init(&pace, RATE);
    (void)fl_pace_take(&pace, 1);
    usleep(400000);
    cr_expect_eq(fl_pace_take(&pace, RATE / 10 - 1000), 0);
    cr_expect_gt(fl_pace_take(&pace, RATE / 10), 50 * FL_NS_PER_MS);
    fl_pace_done(&pace);
}

static void *take_half(void *data)
{
    (void)take_all(data, 300000, 10000);
    return NULL;
}

Test(pace, those_who_share_it_share_the_bytes)
{
    struct fl_pace pace;
    pthread_t threads[2];
    uint64_t began;
    double seconds;

    fl_pace_init(&pace, RATE);
    (void)take_all(&pace, 200000, 10000);
    began = fl_now_ns();
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, take_half, &pace), 0);
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    seconds = (double)(fl_now_ns() - began) / 1e9;
    cr_expect_geq(seconds, 0.54, "%.3f s", seconds);
    cr_expect_lt(seconds, 1.2, "%.3f s", seconds);
    fl_pace_done(&pace);
}

Test(pace, off_is_off)
{
    struct fl_pace pace;

    fl_pace_init(&pace, UINT64_MAX);
    for (int i = 0; i < 1000; i++)
        cr_expect_eq(fl_pace_take(&pace, UINT64_MAX / 2), 0);
    fl_pace_done(&pace);
}

Test(pace, extremes_neither_overflow_nor_stop_the_clock)
{
    struct fl_pace slow;
    struct fl_pace fast;

    fl_pace_init(&slow, 1);
    fl_pace_init(&fast, UINT64_MAX - 1);
    cr_expect_gt(fl_pace_take(&slow, 10), 9 * FL_NS_PER_S);
    cr_expect_eq(fl_pace_take(&fast, 1u << 30), 0);
    cr_expect_eq(fl_pace_step(&slow), 4096);
    cr_expect_leq(fl_pace_step(&fast), 64u << 20);
    fl_pace_done(&slow);
    fl_pace_done(&fast);
}
