/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/exchange.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

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

/* ---- in the background ----------------------------------------------------------------------- */

struct background {
    struct fl_mailbox mailbox;
    struct fl_exchange exchange;
    pthread_t dispatcher;
    atomic_int asked;
    atomic_int calls;
    atomic_int at_once;
    atomic_int most;
    atomic_int strangers;
    atomic_int is_held; /* the function waits while it is set */
    int32_t answer;
};

static int32_t count_question(void *data)
{
    struct background *background = data;
    int at_once = atomic_fetch_add(&background->at_once, 1) + 1;

    if (at_once > atomic_load(&background->most))
        atomic_store(&background->most, at_once);
    if (!pthread_equal(pthread_self(), background->dispatcher))
        atomic_fetch_add(&background->strangers, 1);
    do
        usleep(50); /* so that others can meet it */
    while (atomic_load(&background->is_held));
    atomic_fetch_sub(&background->at_once, 1);
    return 100 + atomic_fetch_add(&background->asked, 1);
}

static void *ask_once(void *data)
{
    struct background *background = data;

    background->answer = fl_exchange_ask(&background->exchange, count_question, background);
    return NULL;
}

static void begin(struct background *background)
{
    background->dispatcher = pthread_self();
    cr_assert_eq(fl_mailbox_init(&background->mailbox, NULL), FLAME_OK);
    cr_assert_eq(fl_exchange_init(&background->exchange, &background->mailbox, NULL), FLAME_OK);
}

static void end(struct background *background)
{
    fl_exchange_done(&background->exchange);
    fl_mailbox_done(&background->mailbox);
}

Test(exchange, a_question_of_the_background_goes_through_the_mailbox)
{
    struct background background = {.answer = -1};
    pthread_t worker;

    begin(&background);
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(pthread_create(&worker, NULL, ask_once, &background), 0);
        cr_expect(fl_mailbox_read(&background.mailbox, 5000));
        (void)pthread_join(worker, NULL);
        cr_expect_eq(background.answer, 100 + i);
        cr_expect_not(fl_mailbox_read(&background.mailbox, 0));
    }
    cr_expect_eq(atomic_load(&background.strangers), 0);
    end(&background);
}

Test(exchange, closing_lets_a_question_go_that_nobody_has_taken)
{
    struct background background = {.answer = -1};
    pthread_t worker;

    begin(&background);
    cr_assert_eq(pthread_create(&worker, NULL, ask_once, &background), 0);
    usleep(20000);
    fl_exchange_close(&background.exchange);
    (void)pthread_join(worker, NULL);
    cr_expect_eq(background.answer, FLAME_ERR_CANCELLED);
    cr_expect_eq(atomic_load(&background.asked), 0);
    cr_expect_not(fl_mailbox_read(&background.mailbox, 0), "its letter is taken back");
    cr_expect_eq(fl_exchange_ask(&background.exchange, count_question, &background),
                 FLAME_ERR_CANCELLED);
    cr_expect_not(fl_mailbox_read(&background.mailbox, 0));
    end(&background);
}

static void *read_one(void *data)
{
    struct background *background = data;

    (void)fl_mailbox_read(&background->mailbox, 5000);
    return NULL;
}

Test(exchange, closing_waits_for_the_answer_to_a_question_that_was_taken)
{
    struct background background = {.answer = -1, .is_held = 1};
    pthread_t worker;
    pthread_t dispatcher;

    begin(&background);
    cr_assert_eq(pthread_create(&worker, NULL, ask_once, &background), 0);
    cr_assert_eq(pthread_create(&dispatcher, NULL, read_one, &background), 0);
    while (atomic_load(&background.at_once) == 0)
        usleep(500);
    fl_exchange_close(&background.exchange);
    usleep(20000);
    cr_expect_eq(background.answer, -1); /* what it points at is still in use */
    atomic_store(&background.is_held, 0);
    (void)pthread_join(worker, NULL);
    (void)pthread_join(dispatcher, NULL);
    cr_expect_eq(background.answer, 100);
    end(&background);
}

static void count_call(void *data)
{
    struct background *background = data;

    (void)count_question(data);
    atomic_fetch_add(&background->calls, 1);
}

static void *call_often(void *data)
{
    struct background *background = data;

    for (int i = 0; i < 300; i++)
        fl_exchange_call(&background->exchange, count_call, background);
    return NULL;
}

static void *ask_many(void *data)
{
    for (int i = 0; i < 300; i++)
        (void)ask_once(data);
    return NULL;
}

Test(exchange, the_functions_of_one_task_run_one_at_a_time)
{
    struct background background = {.answer = -1};
    pthread_t threads[4];

    begin(&background);
    cr_assert_eq(pthread_create(&threads[0], NULL, ask_many, &background), 0);
    for (int i = 1; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, call_often, &background), 0);
    for (int i = 0; i < 300; i++)
        cr_expect(fl_mailbox_read(&background.mailbox, 5000));
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    cr_expect_eq(atomic_load(&background.most), 1);
    cr_expect_eq(atomic_load(&background.asked), 1200);
    cr_expect_eq(atomic_load(&background.calls), 900);
    end(&background);
}
