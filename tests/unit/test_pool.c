/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/exchange.h"
#include "transfer/pool.h"

#include <criterion/criterion.h>
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

struct conversation {
    struct fl_exchange exchange;
    pthread_t caller;
    atomic_int asked;
    atomic_int ticks;
    atomic_int strangers;
    int32_t answers;
};

static int32_t answer(void *data)
{
    struct conversation *conversation = data;

    if (!pthread_equal(pthread_self(), conversation->caller))
        atomic_fetch_add(&conversation->strangers, 1);
    return atomic_fetch_add(&conversation->asked, 1);
}

static bool tick(void *data)
{
    struct conversation *conversation = data;

    atomic_fetch_add(&conversation->ticks, 1);
    return true;
}

static void *ask_often(void *data)
{
    struct conversation *conversation = data;

    for (int i = 0; i < 500; i++)
        conversation->answers +=
            fl_exchange_ask(&conversation->exchange, answer, conversation) == i;
    usleep(60000);
    fl_exchange_end(&conversation->exchange);
    return NULL;
}

Test(exchange, callbacks_run_on_the_callers_thread_only)
{
    struct conversation conversation = {.caller = pthread_self()};
    pthread_t worker;

    cr_assert_eq(fl_exchange_init(&conversation.exchange, NULL, NULL), FLAME_OK);
    cr_assert_eq(pthread_create(&worker, NULL, ask_often, &conversation), 0);
    fl_exchange_serve(&conversation.exchange, tick, &conversation, 10);
    pthread_join(worker, NULL);
    cr_expect_eq(conversation.answers, 500);
    cr_expect_eq(atomic_load(&conversation.strangers), 0);
    cr_expect_geq(atomic_load(&conversation.ticks), 2);
    fl_exchange_done(&conversation.exchange);
}
