/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/pool.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

struct counter {
    atomic_int running;
    atomic_int most;
    atomic_int done;
    int step_us;
};

static void count(void *data)
{
    struct counter *counter = data;
    int running = atomic_fetch_add(&counter->running, 1) + 1;
    int most = atomic_load(&counter->most);

    while (running > most && !atomic_compare_exchange_weak(&counter->most, &most, running))
        continue;
    usleep((useconds_t)counter->step_us);
    atomic_fetch_sub(&counter->running, 1);
    atomic_fetch_add(&counter->done, 1);
}

static void wait_for(const atomic_int *value, int wanted)
{
    for (int i = 0; i < 5000 && atomic_load(value) < wanted; i++)
        usleep(1000);
    cr_assert_eq(atomic_load(value), wanted);
}

Test(pool, every_job_runs_once_and_never_more_than_allowed_at_a_time)
{
    struct counter counter = {.step_us = 500};
    struct fl_pool_job jobs[200];
    struct fl_pool *pool = NULL;

    cr_assert_eq(fl_pool_open(4, 4, &pool, NULL), FLAME_OK);
    for (int i = 0; i < 200; i++) {
        jobs[i] = (struct fl_pool_job){.lane = "", .body = count, .data = &counter};
        cr_assert_eq(fl_pool_submit(pool, &jobs[i], NULL), FLAME_OK);
    }
    wait_for(&counter.done, 200);
    cr_expect_leq(atomic_load(&counter.most), 4);
    cr_expect_geq(atomic_load(&counter.most), 2);
    fl_pool_close(pool);
    cr_expect_eq(atomic_load(&counter.done), 200);
}

Test(pool, a_job_that_has_not_begun_can_be_taken_back)
{
    struct counter counter = {.step_us = 100000};
    struct fl_pool_job first = {.lane = "", .body = count, .data = &counter};
    struct fl_pool_job second = {.lane = "", .body = count, .data = &counter};
    struct fl_pool *pool = NULL;

    cr_assert_eq(fl_pool_open(1, 1, &pool, NULL), FLAME_OK);
    cr_assert_eq(fl_pool_submit(pool, &first, NULL), FLAME_OK);
    wait_for(&counter.most, 1);
    cr_assert_eq(fl_pool_submit(pool, &second, NULL), FLAME_OK);
    cr_expect(fl_pool_withdraw(pool, &second));
    cr_expect_not(fl_pool_withdraw(pool, &second));
    cr_expect_not(fl_pool_withdraw(pool, &first));
    fl_pool_close(pool);
    cr_expect_eq(atomic_load(&counter.done), 1);
}

static void look_at_signals(void *data)
{
    sigset_t blocked;
    atomic_int *all = data;

    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    atomic_store(all, 1 + (sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGPIPE) &&
                           sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD)));
}

Test(pool, its_threads_block_all_signals_and_the_callers_stay_as_they_were)
{
    atomic_int all = 0;
    struct fl_pool_job job = {.lane = "", .body = look_at_signals, .data = &all};
    struct fl_pool *pool = NULL;
    sigset_t before;
    sigset_t after;

    (void)pthread_sigmask(SIG_SETMASK, NULL, &before);
    cr_assert_eq(fl_pool_open(1, 1, &pool, NULL), FLAME_OK);
    cr_assert_eq(fl_pool_submit(pool, &job, NULL), FLAME_OK);
    fl_pool_close(pool);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &after);
    cr_expect_eq(atomic_load(&all), 2);
    cr_expect_eq(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
}

/* ---- lanes ----------------------------------------------------------------------------------- */

static struct fl_pool_job jobs[2000];

static void submit_many(struct fl_pool *pool, struct fl_pool_job *first, int many,
                        struct fl_pool_job like)
{
    for (int i = 0; i < many; i++) {
        first[i] = like;
        cr_assert_eq(fl_pool_submit(pool, &first[i], NULL), FLAME_OK);
    }
}

Test(pool, no_more_of_one_lane_than_its_share_runs_at_once)
{
    struct counter counters[3] = {{.step_us = 300}, {.step_us = 300}, {.step_us = 300}};
    struct fl_pool *pool = NULL;

    cr_assert_eq(fl_pool_open(16, 3, &pool, NULL), FLAME_OK);
    for (int i = 0; i < 300; i++) {
        static const char *const names[] = {"a", "b", ""};

        jobs[i] =
            (struct fl_pool_job){.lane = names[i % 3], .body = count, .data = &counters[i % 3]};
        cr_assert_eq(fl_pool_submit(pool, &jobs[i], NULL), FLAME_OK);
    }
    fl_pool_close(pool);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(atomic_load(&counters[i].done), 100);
        cr_expect_leq(atomic_load(&counters[i].most), 3);
        cr_expect_geq(atomic_load(&counters[i].most), 2);
    }
}

static void hold(void *data)
{
    struct counter *counter = data;

    atomic_fetch_add(&counter->running, 1);
    while (atomic_load(&counter->most) == 0) /* its gate */
        usleep(500);
    atomic_fetch_add(&counter->done, 1);
}

Test(pool, a_slow_lane_with_a_thousand_jobs_starves_no_other)
{
    struct counter slow = {.step_us = 0};
    struct counter quick = {.step_us = 0};
    struct fl_pool *pool = NULL;
    uint64_t waiting = 0;
    uint32_t running = 0;

    cr_assert_eq(fl_pool_open(4, 3, &pool, NULL), FLAME_OK);
    submit_many(pool, jobs, 1000,
                (struct fl_pool_job){.lane = "slow", .body = hold, .data = &slow});
    wait_for(&slow.running, 3);
    submit_many(pool, jobs + 1000, 50,
                (struct fl_pool_job){.lane = "quick", .body = count, .data = &quick});
    wait_for(&quick.done, 50); /* while no slow one has ended */
    for (int i = 0; i < 5000 && running != 3; i++) {
        fl_pool_counts(pool, &waiting, &running);
        usleep(1000);
    }
    cr_expect_eq(running, 3);
    cr_expect_eq(waiting, 997);
    atomic_store(&slow.most, 1);
    fl_pool_close(pool);
    cr_expect_eq(atomic_load(&slow.done), 1000);
}

static int order[64];
static atomic_int ordered;

static void note_order(void *data)
{
    order[atomic_fetch_add(&ordered, 1)] = *(const char *)data;
}

Test(pool, lanes_take_turns_and_each_keeps_its_order)
{
    struct counter gate = {.step_us = 0};
    struct fl_pool_job first = {.lane = "x", .body = hold, .data = &gate};
    static const char texts[] = "aaaaaaaaaabbbbbbbbbbccccc";
    struct fl_pool *pool = NULL;

    cr_assert_eq(fl_pool_open(1, 1, &pool, NULL), FLAME_OK);
    cr_assert_eq(fl_pool_submit(pool, &first, NULL), FLAME_OK);
    wait_for(&gate.running, 1);
    for (int i = 0; i < 25; i++) {
        static const char *const names[] = {"a", "b", "c"};

        jobs[i] = (struct fl_pool_job){.lane = names[texts[i] - 'a'],
                                       .body = note_order,
                                       .data = (void *)(uintptr_t)&texts[i]};
        cr_assert_eq(fl_pool_submit(pool, &jobs[i], NULL), FLAME_OK);
    }
    atomic_store(&gate.most, 1);
    fl_pool_close(pool);
    cr_assert_eq(atomic_load(&ordered), 25);
    for (int round = 0; round < 5; round++) {
        uint32_t seen = 0;

        for (int i = 0; i < 3; i++)
            seen |= 1u << (order[3 * round + i] - 'a');
        cr_expect_eq(seen, 7, "round %d", round);
    }
}

Test(pool, the_last_of_a_lane_may_be_taken_back_and_the_lane_still_works)
{
    struct counter gate = {.step_us = 0};
    struct counter counter = {.step_us = 0};
    struct fl_pool_job first = {.lane = "x", .body = hold, .data = &gate};
    struct fl_pool_job like = {.lane = "y", .body = count, .data = &counter};
    struct fl_pool *pool = NULL;
    uint64_t waiting = 0;
    uint32_t running = 0;

    cr_assert_eq(fl_pool_open(1, 1, &pool, NULL), FLAME_OK);
    cr_assert_eq(fl_pool_submit(pool, &first, NULL), FLAME_OK);
    wait_for(&gate.running, 1);
    submit_many(pool, jobs, 3, like);
    cr_expect(fl_pool_withdraw(pool, &jobs[2])); /* the last, the middle and the only one */
    cr_expect(fl_pool_withdraw(pool, &jobs[0]));
    cr_expect(fl_pool_withdraw(pool, &jobs[1]));
    fl_pool_counts(pool, &waiting, &running);
    cr_expect_eq(waiting, 0);
    cr_expect_eq(running, 1);
    submit_many(pool, jobs, 3, like);
    cr_expect(fl_pool_withdraw(pool, &jobs[2]));
    submit_many(pool, jobs + 3, 1, like);
    atomic_store(&gate.most, 1);
    fl_pool_close(pool);
    cr_expect_eq(atomic_load(&counter.done), 3);
}

static void *come_and_go(void *data)
{
    struct counter counter = {.step_us = 0};
    struct fl_pool_job mine[20];
    int withdrawn = 0;

    for (int round = 0; round < 50; round++) {
        static const char *const names[] = {"a", "b", "c", "d", "e"};

        for (int i = 0; i < 20; i++) {
            mine[i] = (struct fl_pool_job){
                .lane = names[(i + round) % 5], .body = count, .data = &counter};
            if (fl_pool_submit(data, &mine[i], NULL) != FLAME_OK)
                return data;
        }
        for (int i = 0; i < 20; i += 3)
            withdrawn += fl_pool_withdraw(data, &mine[i]);
        for (int i = 0; i < 5000 && atomic_load(&counter.done) + withdrawn < 20 * (round + 1); i++)
            usleep(1000);
    }
    return atomic_load(&counter.done) + withdrawn == 1000 ? NULL : data;
}

Test(pool, jobs_are_queued_and_taken_back_on_many_threads)
{
    struct fl_pool *pool = NULL;
    pthread_t threads[6];

    cr_assert_eq(fl_pool_open(4, 2, &pool, NULL), FLAME_OK);
    for (int i = 0; i < 6; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, come_and_go, pool), 0);
    for (int i = 0; i < 6; i++) {
        void *failed = NULL;

        (void)pthread_join(threads[i], &failed);
        cr_expect_null(failed);
    }
    fl_pool_close(pool);
}

static size_t count_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    size_t threads = 0;

    while (dir && readdir(dir))
        threads++;
    (void)closedir(dir);
    return threads;
}

Test(pool, jobs_that_cannot_run_yet_make_no_threads)
{
    struct counter gate = {.step_us = 0};
    struct fl_pool *pool = NULL;
    size_t before = count_threads();

    cr_assert_eq(fl_pool_open(64, 2, &pool, NULL), FLAME_OK);
    submit_many(pool, jobs, 2, (struct fl_pool_job){.lane = "", .body = hold, .data = &gate});
    wait_for(&gate.running, 2);
    for (int i = 2; i < 200; i++)
        submit_many(pool, jobs + i, 1,
                    (struct fl_pool_job){.lane = "", .body = hold, .data = &gate});
    cr_expect_leq(count_threads(), before + 3, "%zu more", count_threads() - before);
    atomic_store(&gate.most, 1);
    fl_pool_close(pool);
    cr_expect_eq(atomic_load(&gate.done), 200);
}
