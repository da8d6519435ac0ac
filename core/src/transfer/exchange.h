/* SPDX-License-Identifier: Apache-2.0 */
/* Between the caller and the thread of the core that does the task: the caller's callbacks run on a
 * thread of his only. The worker asks for a function to be called there and waits. Of a task in the
 * foreground the caller serves until the worker says that he is done; of one in the background the
 * question goes into the context's mailbox, and whoever dispatches answers. One lock. */
#ifndef FL_TRANSFER_EXCHANGE_H
#define FL_TRANSFER_EXCHANGE_H

#include "transfer/mailbox.h"

struct fl_exchange {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    int32_t (*asked)(void *data); /* by the worker, or NULL */
    void *data;
    int32_t answer;
    bool is_answered;
    bool is_calling; /* a function of the caller's runs: one at a time */
    bool is_closed;
    bool is_ended;
    struct fl_mailbox *mailbox; /* or NULL: the caller serves */
    struct fl_letter letter;
};

/* `mailbox`: NULL in the foreground. */
int32_t fl_exchange_init(struct fl_exchange *exchange, struct fl_mailbox *mailbox,
                         struct flame_error *err) FL_CHECK;
void fl_exchange_done(struct fl_exchange *exchange);

/* The worker: have the caller run `function`; returns what it returned, or CANCELLED when nobody
 * answers any more. */
int32_t fl_exchange_ask(struct fl_exchange *exchange, int32_t (*function)(void *data), void *data);
/* The worker: his last word. He touches nothing of the caller's after it. */
void fl_exchange_end(struct fl_exchange *exchange);

/* The caller: run a function of his for this task, when none of the others runs. */
void fl_exchange_call(struct fl_exchange *exchange, void (*function)(void *data), void *data);

/* Nobody will answer any more: questions return at once. */
void fl_exchange_close(struct fl_exchange *exchange);

/* The caller: serve until the worker has ended, or until `tick`, called every `tick_ms`, returns
 * false. */
void fl_exchange_serve(struct fl_exchange *exchange, bool (*tick)(void *data), void *data,
                       uint32_t tick_ms);

#endif
