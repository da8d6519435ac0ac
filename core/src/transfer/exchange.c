/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/exchange.h"

#include "base/clock.h"
#include "base/thread.h"

static void answer_letter(void *data);

int32_t fl_exchange_init(struct fl_exchange *exchange, struct fl_mailbox *mailbox,
                         struct flame_error *err)
{
    *exchange = (struct fl_exchange){.mailbox = mailbox};
    exchange->letter = (struct fl_letter){.read = answer_letter, .data = exchange};
    if (fl_cond_init(&exchange->changed) != 0)
        return fl_fail_memory(err);
    (void)pthread_mutex_init(&exchange->lock, NULL);
    return FLAME_OK;
}

void fl_exchange_done(struct fl_exchange *exchange)
{
    (void)pthread_cond_destroy(&exchange->changed);
    (void)pthread_mutex_destroy(&exchange->lock);
}

int32_t fl_exchange_ask(struct fl_exchange *exchange, int32_t (*function)(void *data), void *data)
{
    int32_t answer;

    (void)pthread_mutex_lock(&exchange->lock);
    exchange->asked = function;
    exchange->data = data;
    exchange->is_answered = false;
    (void)pthread_cond_broadcast(&exchange->changed);
    if (exchange->mailbox && !exchange->is_closed)
        (void)fl_mailbox_post(exchange->mailbox, &exchange->letter);
    while (!exchange->is_answered && !(exchange->is_closed && exchange->asked))
        (void)pthread_cond_wait(&exchange->changed, &exchange->lock);
    answer = exchange->is_answered ? exchange->answer : FLAME_ERR_CANCELLED;
    exchange->asked = NULL;
    (void)pthread_mutex_unlock(&exchange->lock);
    if (exchange->mailbox)
        (void)fl_mailbox_recall(exchange->mailbox, &exchange->letter);
    return answer;
}

void fl_exchange_close(struct fl_exchange *exchange)
{
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->is_closed = true;
    (void)pthread_cond_broadcast(&exchange->changed);
    (void)pthread_mutex_unlock(&exchange->lock);
}

void fl_exchange_end(struct fl_exchange *exchange)
{
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->is_ended = true;
    (void)pthread_cond_broadcast(&exchange->changed);
    (void)pthread_mutex_unlock(&exchange->lock);
}

/* Called with the lock held, which is given up while others call. */
static void begin_call(struct fl_exchange *exchange)
{
    while (exchange->is_calling)
        (void)pthread_cond_wait(&exchange->changed, &exchange->lock);
    exchange->is_calling = true;
}

static void end_call(struct fl_exchange *exchange)
{
    exchange->is_calling = false;
    (void)pthread_cond_broadcast(&exchange->changed);
}

void fl_exchange_call(struct fl_exchange *exchange, void (*function)(void *data), void *data)
{
    (void)pthread_mutex_lock(&exchange->lock);
    begin_call(exchange);
    (void)pthread_mutex_unlock(&exchange->lock);
    function(data);
    (void)pthread_mutex_lock(&exchange->lock);
    end_call(exchange);
    (void)pthread_mutex_unlock(&exchange->lock);
}

/* Called with the lock held, which it gives up while the function runs. */
static void answer_it(struct fl_exchange *exchange)
{
    int32_t (*function)(void *) = exchange->asked;
    void *data = exchange->data;
    int32_t answer;

    exchange->asked = NULL;
    (void)pthread_mutex_unlock(&exchange->lock);
    answer = function(data);
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->answer = answer;
    exchange->is_answered = true;
    end_call(exchange);
}

/* Whoever dispatches has taken the question out of the mailbox. */
static void answer_letter(void *data)
{
    struct fl_exchange *exchange = data;

    (void)pthread_mutex_lock(&exchange->lock);
    begin_call(exchange);
    if (exchange->asked)
        answer_it(exchange);
    else
        end_call(exchange);
    (void)pthread_mutex_unlock(&exchange->lock);
}

void fl_exchange_serve(struct fl_exchange *exchange, bool (*tick)(void *data), void *data,
                       uint32_t tick_ms)
{
    uint64_t next = fl_now_ns() + tick_ms * FL_NS_PER_MS;
    bool goes_on = true;

    (void)pthread_mutex_lock(&exchange->lock);
    while (!exchange->is_ended && goes_on) {
        if (exchange->asked) {
            begin_call(exchange);
            answer_it(exchange);
        } else if (fl_now_ns() < next) {
            fl_cond_wait_until(&exchange->changed, &exchange->lock, next);
        } else {
            (void)pthread_mutex_unlock(&exchange->lock);
            goes_on = tick(data);
            next = fl_now_ns() + tick_ms * FL_NS_PER_MS;
            (void)pthread_mutex_lock(&exchange->lock);
        }
    }
    (void)pthread_mutex_unlock(&exchange->lock);
}
