/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "transfer/watch.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define NEVER_MS 150 /* long enough to see that nothing happens */

static const struct fl_limits off = {
    .max_bytes = UINT64_MAX,
    .rate_floor = UINT64_MAX,
    .rate_window_ms = UINT32_MAX,
    .connect_ms = UINT32_MAX,
    .first_byte_ms = UINT32_MAX,
    .stall_ms = UINT32_MAX,
    .total_ms = UINT32_MAX,
    .source_ms = UINT32_MAX,
    .max_redirects = UINT32_MAX,
};

struct fixture {
    struct fl_watchdog *watchdog;
    struct fl_watch watch;
    struct flame_error err;
};

static void start(struct fixture *fixture, const struct fl_limits *limits,
                  struct flame_cancel *token)
{
    fixture->err = FLAME_INIT(flame_error);
    cr_assert_eq(fl_watchdog_open(&fixture->watchdog, NULL), FLAME_OK);
    cr_assert_eq(fl_watch_start(fixture->watchdog, &fixture->watch, token, NULL), FLAME_OK);
    fl_watch_limit(fixture->watchdog, &fixture->watch, limits);
}

static void stop(struct fixture *fixture)
{
    fl_watch_stop(fixture->watchdog, &fixture->watch);
    fl_watchdog_close(fixture->watchdog);
}

static bool is_raised_within(const struct fixture *fixture, int timeout_ms)
{
    struct pollfd fd = {.fd = fixture->watch.cancel_fd, .events = POLLIN};

    return poll(&fd, 1, timeout_ms) == 1;
}

static void expect_clock(const struct fl_limits *limits, uint32_t phase, enum fl_clock clock,
                         const char *message)
{
    struct fixture fixture;
    uint64_t began = fl_now_ns();

    start(&fixture, limits, NULL);
    if (phase != FLAME_PHASE_START)
        fl_watch_progress(&fixture.watch, phase, 0);
    cr_expect(is_raised_within(&fixture, PATIENCE_MS));
    cr_expect_geq(fl_now_ns() - began, 29 * FL_NS_PER_MS);
    cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_ERR_TIMEOUT);
    cr_expect_eq(atomic_load(&fixture.watch.expired), (int)clock);
    cr_expect_eq(fl_watch_explain(&fixture.watch, &fixture.err), FLAME_ERR_TIMEOUT);
    cr_expect_str_eq(fixture.err.message, message);
    cr_expect_eq(fl_watch_left_ms(&fixture.watch), 0);
    stop(&fixture);
}

static struct fl_limits with(size_t offset, uint32_t value)
{
    struct fl_limits limits = off;

    memcpy((char *)&limits + offset, &value, sizeof(value));
    return limits;
}

#define WITH(member, value) with(offsetof(struct fl_limits, member), value)

Test(watch, the_connect_clock_runs_from_lookup_to_handshake)
{
    struct fl_limits limits = WITH(connect_ms, 30);

    expect_clock(&limits, FLAME_PHASE_RESOLVE, FL_CLOCK_CONNECT, "no connection within 30 ms");
    expect_clock(&limits, FLAME_PHASE_SECURE, FL_CLOCK_CONNECT, "no connection within 30 ms");
}

Test(watch, the_connect_clock_does_not_begin_again_with_the_next_of_its_phases)
{
    struct fl_limits limits = WITH(connect_ms, 200);
    struct fixture fixture;
    uint64_t began;

    start(&fixture, &limits, NULL);
    began = fl_now_ns();
    for (uint32_t i = 0; !is_raised_within(&fixture, 20) && i < 200; i++)
        fl_watch_progress(&fixture.watch, i % 2 ? FLAME_PHASE_CONNECT : FLAME_PHASE_SECURE, 0);
    cr_expect_lt(fl_now_ns() - began, 2000 * FL_NS_PER_MS);
    cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_ERR_TIMEOUT);
    stop(&fixture);
}

Test(watch, the_first_byte_clock_runs_while_waiting)
{
    struct fl_limits limits = WITH(first_byte_ms, 30);

    expect_clock(&limits, FLAME_PHASE_WAIT, FL_CLOCK_FIRST_BYTE, "no answer within 30 ms");
}

Test(watch, the_stall_clock_runs_in_the_body_and_for_a_silent_plugin)
{
    struct fl_limits limits = WITH(stall_ms, 30);

    expect_clock(&limits, FLAME_PHASE_BODY, FL_CLOCK_STALL, "nothing came for 30 ms");
    expect_clock(&limits, FLAME_PHASE_START, FL_CLOCK_STALL, "nothing came for 30 ms");
}

Test(watch, the_total_clock_runs_whatever_happens)
{
    struct fl_limits limits = WITH(total_ms, 30);

    expect_clock(&limits, FLAME_PHASE_BODY, FL_CLOCK_TOTAL, "not done within 30 ms");
}

Test(watch, a_clock_stops_when_its_phase_is_over)
{
    struct fl_limits limits = WITH(connect_ms, 60);
    struct fixture fixture;

    start(&fixture, &limits, NULL);
    fl_watch_progress(&fixture.watch, FLAME_PHASE_CONNECT, 0);
    fl_watch_progress(&fixture.watch, FLAME_PHASE_WAIT, 0);
    cr_expect_not(is_raised_within(&fixture, NEVER_MS));
    cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_OK);
    stop(&fixture);
}

Test(watch, a_slow_disk_is_no_stall)
{
    struct fl_limits limits = WITH(stall_ms, 40);
    struct fixture fixture;

    start(&fixture, &limits, NULL);
    fl_watch_enter(&fixture.watch);
    cr_expect_not(is_raised_within(&fixture, NEVER_MS));
    fl_watch_leave(&fixture.watch);
    cr_expect(is_raised_within(&fixture, PATIENCE_MS));
    stop(&fixture);
}

Test(watch, progress_feeds_the_stall_clock)
{
    struct fl_limits limits = WITH(stall_ms, 300);
    struct fixture fixture;

    start(&fixture, &limits, NULL);
    for (int i = 0; i < 60; i++) {
        cr_expect_not(is_raised_within(&fixture, 10));
        fl_watch_progress(&fixture.watch, FLAME_PHASE_BODY, 0);
    }
    stop(&fixture);
}

static void expect_rate(uint64_t bytes_each, bool expected)
{
    struct fl_limits limits = WITH(rate_window_ms, 50);
    struct fixture fixture;
    bool raised = false;

    limits.rate_floor = 10000;
    start(&fixture, &limits, NULL);
    for (uint64_t i = 1; i < 60 && !raised; i++) {
        fl_watch_progress(&fixture.watch, FLAME_PHASE_BODY, i * bytes_each);
        raised = is_raised_within(&fixture, 10);
    }
    cr_expect_eq(raised, expected);
    cr_expect_eq(atomic_load(&fixture.watch.expired), expected ? FL_CLOCK_RATE : FL_CLOCK_NONE);
    stop(&fixture);
}

Test(watch, a_drip_below_the_rate_floor_is_given_up)
{
    expect_rate(1, true);
}

Test(watch, a_stream_above_the_rate_floor_goes_on)
{
    expect_rate(100000, false);
}

Test(watch, a_set_token_raises_every_watch_that_names_it)
{
    struct flame_cancel *token = flame_cancel_new();
    struct fixture fixture;
    struct fl_watch second;

    start(&fixture, &off, token);
    cr_assert_eq(fl_watch_start(fixture.watchdog, &second, token, NULL), FLAME_OK);
    flame_cancel_set(token);
    cr_expect(is_raised_within(&fixture, PATIENCE_MS));
    cr_expect_eq(poll(&(struct pollfd){.fd = second.cancel_fd, .events = POLLIN}, 1, PATIENCE_MS),
                 1);
    cr_expect_eq(fl_watch_explain(&fixture.watch, &fixture.err), FLAME_ERR_CANCELLED);
    fl_watch_stop(fixture.watchdog, &second);
    stop(&fixture);
    flame_cancel_free(token);
}

/* The thread sleeps by now, and has no clock to wake up for. */
static void let_it_sleep(void)
{
    (void)poll(NULL, 0, NEVER_MS);
}

Test(watch, a_token_that_comes_while_the_watchdog_sleeps_is_seen)
{
    struct flame_cancel *tokens[2] = {flame_cancel_new(), flame_cancel_new()};
    struct fixture fixture;
    struct fl_watch other;
    struct pollfd fd = {.events = POLLIN};

    start(&fixture, &off, tokens[0]);
    let_it_sleep();
    cr_assert_eq(fl_watch_start(fixture.watchdog, &other, tokens[1], NULL), FLAME_OK);
    let_it_sleep();
    flame_cancel_set(tokens[1]);
    fd.fd = other.cancel_fd;
    cr_expect_eq(poll(&fd, 1, PATIENCE_MS), 1);
    fl_watch_stop(fixture.watchdog, &other);
    stop(&fixture);
    flame_cancel_free(tokens[0]);
    flame_cancel_free(tokens[1]);
}

Test(watch, a_token_is_seen_though_another_of_its_watches_has_ended)
{
    struct flame_cancel *token = flame_cancel_new();
    struct fixture fixture;
    struct fl_watch other;
    struct pollfd fd = {.events = POLLIN};

    start(&fixture, &off, token);
    let_it_sleep();
    fl_watch_raise(&fixture.watch, FLAME_ERR_TIMEOUT);
    let_it_sleep();
    cr_assert_eq(fl_watch_start(fixture.watchdog, &other, token, NULL), FLAME_OK);
    let_it_sleep();
    flame_cancel_set(token);
    fd.fd = other.cancel_fd;
    cr_expect_eq(poll(&fd, 1, PATIENCE_MS), 1);
    fl_watch_stop(fixture.watchdog, &other);
    stop(&fixture);
    flame_cancel_free(token);
}

Test(watch, the_next_watch_does_not_begin_raised)
{
    struct flame_cancel *token = flame_cancel_new();
    struct fixture fixture;

    start(&fixture, &off, token);
    flame_cancel_set(token);
    cr_expect(is_raised_within(&fixture, PATIENCE_MS));
    fl_watch_stop(fixture.watchdog, &fixture.watch);
    cr_assert_eq(fl_watch_start(fixture.watchdog, &fixture.watch, NULL, NULL), FLAME_OK);
    cr_expect_not(is_raised_within(&fixture, 0));
    stop(&fixture);
    flame_cancel_free(token);
}

Test(watch, the_first_reason_stays)
{
    struct fixture fixture;

    start(&fixture, &off, NULL);
    fl_watch_raise(&fixture.watch, FLAME_ERR_CANCELLED);
    fl_watch_raise(&fixture.watch, FLAME_ERR_TIMEOUT);
    cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_ERR_CANCELLED);
    stop(&fixture);
}

static void *come_and_go(void *data)
{
    struct fl_watchdog *watchdog = data;
    struct flame_cancel *token = flame_cancel_new();
    struct fl_limits limits = WITH(stall_ms, 1000);

    for (int i = 0; i < 200; i++) {
        struct fl_watch watch;

        if (fl_watch_start(watchdog, &watch, i % 2 ? token : NULL, NULL) != FLAME_OK)
            return data;
        fl_watch_limit(watchdog, &watch, &limits);
        fl_watch_progress(&watch, FLAME_PHASE_BODY, (uint64_t)i);
        if (i % 7 == 0)
            flame_cancel_set(token);
        fl_watch_stop(watchdog, &watch);
    }
    flame_cancel_free(token);
    return NULL;
}

Test(watch, watches_come_and_go_on_many_threads)
{
    struct fl_watchdog *watchdog = NULL;
    pthread_t threads[8];

    cr_assert_eq(fl_watchdog_open(&watchdog, NULL), FLAME_OK);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, come_and_go, watchdog), 0);
    for (int i = 0; i < 8; i++) {
        void *failed = NULL;

        pthread_join(threads[i], &failed);
        cr_expect_null(failed);
    }
    fl_watchdog_close(watchdog);
}

/* ---- another attempt ------------------------------------------------------------------------- */

Test(watch, after_a_stall_it_can_be_wound_up_again_and_rings_again)
{
    struct fl_limits limits = WITH(stall_ms, 250);
    struct fixture fixture;

    start(&fixture, &limits, NULL);
    for (int i = 0; i < 3; i++) {
        fl_watch_progress(&fixture.watch, FLAME_PHASE_BODY, 0);
        cr_expect(is_raised_within(&fixture, PATIENCE_MS));
        cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_ERR_TIMEOUT);
        cr_expect(fl_watch_rearm(&fixture.watch));
        cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_OK);
        cr_expect_not(is_raised_within(&fixture, 0));
    }
    stop(&fixture);
}

Test(watch, what_has_not_rung_can_be_wound_up_too)
{
    struct fixture fixture;

    start(&fixture, &off, NULL);
    cr_expect(fl_watch_rearm(&fixture.watch));
    cr_expect_not(is_raised_within(&fixture, 0));
    stop(&fixture);
}

Test(watch, when_the_total_time_is_over_there_is_no_other_attempt)
{
    struct fl_limits limits = WITH(total_ms, 30);
    struct fixture fixture;

    start(&fixture, &limits, NULL);
    cr_expect(is_raised_within(&fixture, PATIENCE_MS));
    cr_expect_not(fl_watch_rearm(&fixture.watch));
    fl_watch_next_source(&fixture.watch);
    cr_expect_not(fl_watch_rearm(&fixture.watch));
    cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_ERR_TIMEOUT);
    cr_expect(is_raised_within(&fixture, 0));
    stop(&fixture);
}

Test(watch, being_cancelled_is_for_good_and_goes_before_a_clock)
{
    struct fl_limits limits = WITH(stall_ms, 30);
    struct fixture fixture;

    start(&fixture, &limits, NULL);
    cr_expect(is_raised_within(&fixture, PATIENCE_MS));
    fl_watch_raise(&fixture.watch, FLAME_ERR_CANCELLED);
    cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_ERR_CANCELLED);
    cr_expect_not(fl_watch_rearm(&fixture.watch));
    fl_watch_next_source(&fixture.watch);
    cr_expect_not(fl_watch_rearm(&fixture.watch));
    cr_expect_eq(fl_watch_explain(&fixture.watch, &fixture.err), FLAME_ERR_CANCELLED);
    cr_expect(is_raised_within(&fixture, 0));
    stop(&fixture);
}

struct race {
    struct fl_watch watch;
    atomic_int began; /* rounds */
    atomic_int cancelled;
};

#define ROUNDS 4000

/* Spinning, so that both are awake when they meet; but not for ever, on one processor. */
static void await(const atomic_int *value, int wanted)
{
    for (int spins = 0; atomic_load(value) < wanted; spins++)
        if (spins > 5000)
            (void)sched_yield();
}

static void *cancel_in_between(void *data)
{
    struct race *race = data;

    for (int round = 1; round <= ROUNDS; round++) {
        await(&race->began, round);
        fl_watch_raise(&race->watch, FLAME_ERR_CANCELLED);
        atomic_store(&race->cancelled, round);
    }
    return NULL;
}

Test(watch, a_cancel_is_never_lost_while_it_is_wound_up)
{
    struct fl_watchdog *watchdog = NULL;
    struct race race = {.began = 0};
    int lost = 0;
    pthread_t thread;

    cr_assert_eq(fl_watchdog_open(&watchdog, NULL), FLAME_OK);
    cr_assert_eq(pthread_create(&thread, NULL, cancel_in_between, &race), 0);
    for (int round = 1; round <= ROUNDS; round++) {
        cr_assert_eq(fl_watch_start(watchdog, &race.watch, NULL, NULL), FLAME_OK);
        atomic_store(&race.watch.expired, FL_CLOCK_STALL);
        fl_watch_raise(&race.watch, FLAME_ERR_TIMEOUT);
        atomic_store(&race.began, round);
        for (int i = 0; i < round % 64; i++)
            (void)atomic_load(&race.cancelled); /* the two meet at ever other places */
        (void)fl_watch_rearm(&race.watch);
        await(&race.cancelled, round);
        lost += fl_watch_status(&race.watch) != FLAME_ERR_CANCELLED ||
                poll(&(struct pollfd){.fd = race.watch.cancel_fd, .events = POLLIN}, 1, 0) != 1;
        fl_watch_stop(watchdog, &race.watch);
    }
    (void)pthread_join(thread, NULL);
    cr_expect_eq(lost, 0);
    fl_watchdog_close(watchdog);
}

Test(watch, a_source_has_a_clock_that_starts_again_with_the_next)
{
    struct fl_limits limits = WITH(source_ms, 400);
    struct fixture fixture;

    start(&fixture, &limits, NULL);
    for (int i = 0; i < 2; i++) {
        cr_expect(is_raised_within(&fixture, PATIENCE_MS));
        cr_expect_eq(atomic_load(&fixture.watch.expired), FL_CLOCK_SOURCE);
        cr_expect_not(fl_watch_rearm(&fixture.watch), "this source is done with");
        fixture.err = FLAME_INIT(flame_error);
        (void)fl_watch_explain(&fixture.watch, &fixture.err);
        cr_expect_str_eq(fixture.err.message, "this source was not done within 400 ms");
        fl_watch_next_source(&fixture.watch);
        cr_expect(fl_watch_rearm(&fixture.watch));
        cr_expect_not(is_raised_within(&fixture, 30));
    }
    stop(&fixture);
}

/* ---- sleeping -------------------------------------------------------------------------------- */

Test(watch, sleeping_lasts_as_long_as_told_and_is_no_stall)
{
    struct fl_limits limits = WITH(stall_ms, 40);
    struct fixture fixture;
    uint64_t began = fl_now_ns();

    start(&fixture, &limits, NULL);
    cr_expect_eq(fl_watch_sleep(&fixture.watch, began + 200 * FL_NS_PER_MS), FLAME_OK);
    cr_expect_geq(fl_now_ns() - began, 200 * FL_NS_PER_MS);
    cr_expect_eq(fl_watch_sleep(&fixture.watch, 0), FLAME_OK);
    stop(&fixture);
}

static void *set_soon(void *data)
{
    usleep(50000);
    flame_cancel_set(data);
    return NULL;
}

Test(watch, a_cancel_ends_the_sleep)
{
    struct flame_cancel *token = flame_cancel_new();
    struct fixture fixture;
    uint64_t began = fl_now_ns();
    pthread_t thread;

    start(&fixture, &off, token);
    cr_assert_eq(pthread_create(&thread, NULL, set_soon, token), 0);
    cr_expect_eq(fl_watch_sleep(&fixture.watch, began + 60 * FL_NS_PER_S), FLAME_ERR_CANCELLED);
    cr_expect_lt(fl_now_ns() - began, 1000 * FL_NS_PER_MS);
    (void)pthread_join(thread, NULL);
    stop(&fixture);
    flame_cancel_free(token);
}

Test(watch, the_total_time_ends_the_sleep)
{
    struct fl_limits limits = WITH(total_ms, 50);
    struct fixture fixture;
    uint64_t began = fl_now_ns();

    start(&fixture, &limits, NULL);
    cr_expect_eq(fl_watch_sleep(&fixture.watch, began + 60 * FL_NS_PER_S), FLAME_ERR_TIMEOUT);
    cr_expect_lt(fl_now_ns() - began, 1000 * FL_NS_PER_MS);
    stop(&fixture);
}

Test(watch, a_task_may_have_begun_before_its_watch)
{
    struct fl_limits limits = WITH(total_ms, 10000);
    struct fixture fixture;

    start(&fixture, &limits, NULL);
    cr_expect_not(is_raised_within(&fixture, NEVER_MS));
    fl_watch_backdate(&fixture.watch, fl_now_ns() - 10 * FL_NS_PER_S);
    cr_expect(is_raised_within(&fixture, PATIENCE_MS));
    cr_expect_eq(atomic_load(&fixture.watch.expired), FL_CLOCK_TOTAL);
    stop(&fixture);
}

/* ---- parts ----------------------------------------------------------------------------------- */

Test(watch, a_part_is_stopped_with_its_parent)
{
    struct fl_limits limits = WITH(total_ms, 100);
    struct fixture fixture;
    struct fl_watch part;

    start(&fixture, &limits, NULL);
    cr_assert_eq(fl_watch_start_part(&fixture.watch, &part, NULL), FLAME_OK);
    cr_expect_eq(part.limits.total_ms, UINT32_MAX);
    cr_expect_eq(poll(&(struct pollfd){.fd = part.cancel_fd, .events = POLLIN}, 1, PATIENCE_MS), 1);
    cr_expect_eq(fl_watch_status(&part), FLAME_ERR_CANCELLED);
    cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_ERR_TIMEOUT);
    fl_watch_stop(fixture.watchdog, &part);
    stop(&fixture);
}

Test(watch, the_clock_of_a_part_is_its_own)
{
    struct fl_limits limits = WITH(stall_ms, 60);
    struct fixture fixture;
    struct fl_watch part;

    start(&fixture, &limits, NULL);
    fl_watch_enter(&fixture.watch); /* as one does who waits for its parts */
    cr_assert_eq(fl_watch_start_part(&fixture.watch, &part, NULL), FLAME_OK);
    cr_expect_eq(poll(&(struct pollfd){.fd = part.cancel_fd, .events = POLLIN}, 1, PATIENCE_MS), 1);
    cr_expect_eq(fl_watch_status(&part), FLAME_ERR_TIMEOUT);
    cr_expect_eq(fl_watch_status(&fixture.watch), FLAME_OK);
    cr_expect(fl_watch_rearm(&part));
    fl_watch_stop(fixture.watchdog, &part);
    stop(&fixture);
}

Test(watch, one_that_is_begun_below_another_has_no_limits_of_that)
{
    struct fl_limits limits = WITH(stall_ms, 30);
    struct fixture fixture;
    struct fl_watch below;

    start(&fixture, &limits, NULL);
    fl_watch_enter(&fixture.watch);
    cr_assert_eq(fl_watch_start_below(&fixture.watch, &below, NULL), FLAME_OK);
    cr_expect_eq(poll(&(struct pollfd){.fd = below.cancel_fd, .events = POLLIN}, 1, NEVER_MS), 0);
    fl_watch_raise(&fixture.watch, FLAME_ERR_CANCELLED);
    cr_expect_eq(poll(&(struct pollfd){.fd = below.cancel_fd, .events = POLLIN}, 1, PATIENCE_MS),
                 1);
    fl_watch_stop(fixture.watchdog, &below);
    stop(&fixture);
}
