/* SPDX-License-Identifier: Apache-2.0 */
/* A mailbox: calls that one thread wants another to make. Whoever takes a letter makes its call.
 * Its descriptor is readable while a letter waits. The lock guards the list. Any thread. */
#ifndef FL_TRANSFER_MAILBOX_H
#define FL_TRANSFER_MAILBOX_H

#include "base/error.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct fl_letter { /* the sender's; lives until it was taken out or back */
    void (*read)(void *data);
    void *data;
    struct fl_letter *next;
    bool is_waiting; /* the mailbox's */
};

struct fl_mailbox {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct fl_letter *first;
    struct fl_letter **last;
    int fd; /* eventfd */
};

/* Fails with IO (descriptors), NO_MEMORY. */
int32_t fl_mailbox_init(struct fl_mailbox *mailbox, struct flame_error *err) FL_CHECK;
void fl_mailbox_done(struct fl_mailbox *mailbox); /* no letter left */

/* A letter that waits already is not posted again: false. */
bool fl_mailbox_post(struct fl_mailbox *mailbox, struct fl_letter *letter);

/* Take it back. false: it does not wait (any more). */
bool fl_mailbox_recall(struct fl_mailbox *mailbox, struct fl_letter *letter);

/* Take the first letter and call its `read`; wait up to `timeout_ms` (UINT32_MAX = for ever) for
 * one. false: none came. */
bool fl_mailbox_read(struct fl_mailbox *mailbox, uint32_t timeout_ms);

#endif
