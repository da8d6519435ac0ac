/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/mailbox.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <sys/eventfd.h>

int32_t fl_mailbox_init(struct fl_mailbox *mailbox, struct flame_error *err)
{
    *mailbox = (struct fl_mailbox){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    mailbox->last = &mailbox->first;
    if (mailbox->fd < 0)
        return fl_fail_errno(err, errno, "cannot make an event descriptor");
    if (fl_cond_init(&mailbox->changed) != 0) {
        (void)close(mailbox->fd);
        return fl_fail_memory(err);
    }
    (void)pthread_mutex_init(&mailbox->lock, NULL);
    return FLAME_OK;
}

void fl_mailbox_done(struct fl_mailbox *mailbox)
{
    (void)pthread_cond_destroy(&mailbox->changed);
    (void)pthread_mutex_destroy(&mailbox->lock);
    (void)close(mailbox->fd);
}

static void raise_flag(const struct fl_mailbox *mailbox)
{
    static const uint64_t one = 1;

    while (write(mailbox->fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

static void lower_flag(const struct fl_mailbox *mailbox)
{
    uint64_t ignored;

    while (read(mailbox->fd, &ignored, sizeof(ignored)) < 0 && errno == EINTR)
        continue;
}

bool fl_mailbox_post(struct fl_mailbox *mailbox, struct fl_letter *letter)
{
    bool is_new;

    (void)pthread_mutex_lock(&mailbox->lock);
    is_new = !letter->is_waiting;
    if (is_new) {
        if (!mailbox->first)
            raise_flag(mailbox);
        letter->is_waiting = true;
        letter->next = NULL;
        *mailbox->last = letter;
        mailbox->last = &letter->next;
        (void)pthread_cond_signal(&mailbox->changed);
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return is_new;
}

static void remove_at(struct fl_mailbox *mailbox, struct fl_letter **at)
{
    struct fl_letter *letter = *at;

    *at = letter->next;
    if (!*at)
        mailbox->last = at;
    letter->is_waiting = false;
    if (!mailbox->first)
        lower_flag(mailbox);
}

bool fl_mailbox_recall(struct fl_mailbox *mailbox, struct fl_letter *letter)
{
    bool found = false;

    (void)pthread_mutex_lock(&mailbox->lock);
    for (struct fl_letter **at = &mailbox->first; letter->is_waiting && *at; at = &(*at)->next) {
        if (*at != letter)
            continue;
        remove_at(mailbox, at);
        found = true;
        break;
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return found;
}

static void wait_for_letter(struct fl_mailbox *mailbox, uint32_t timeout_ms)
{
    uint64_t deadline = fl_now_ns() + timeout_ms * FL_NS_PER_MS;

    while (!mailbox->first) {
        if (timeout_ms == UINT32_MAX)
            (void)pthread_cond_wait(&mailbox->changed, &mailbox->lock);
        else if (fl_now_ns() < deadline)
            fl_cond_wait_until(&mailbox->changed, &mailbox->lock, deadline);
        else
            return;
    }
}

bool fl_mailbox_read(struct fl_mailbox *mailbox, uint32_t timeout_ms)
{
    struct fl_letter letter = {.read = NULL};

    (void)pthread_mutex_lock(&mailbox->lock);
    wait_for_letter(mailbox, timeout_ms);
    if (mailbox->first) {
        letter = *mailbox->first; /* once it is out, it may be posted again, or be gone */
        remove_at(mailbox, &mailbox->first);
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    if (!letter.read)
        return false;
    letter.read(letter.data);
    return true;
}
