/* SPDX-License-Identifier: Apache-2.0 */
#include "hub.h"

#include "call.h"

#include <time.h>

#define AGAIN_MS 100 /* until another call is asked for, after that has failed */

uint64_t fl_cache_hub_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool fl_cache_hub_ask(struct fl_cache_hub *hub)
{
    bool done = true;

    (void)pthread_mutex_lock(&hub->lock);
    if (!hub->is_stopping && !hub->is_asking && hub->free_calls > 0) {
        done = fl_cache_call_request(hub);
        hub->is_asking = done;
        hub->free_calls -= done;
    }
    (void)pthread_mutex_unlock(&hub->lock);
    return done;
}

void fl_cache_hub_asked(struct fl_cache_hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    hub->is_asking = false;
    (void)pthread_mutex_unlock(&hub->lock);
    (void)fl_cache_hub_ask(hub);
}

void fl_cache_hub_leave(struct fl_cache_hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    hub->free_calls++;
    (void)pthread_cond_signal(&hub->changed);
    (void)pthread_mutex_unlock(&hub->lock);
    (void)fl_cache_hub_ask(hub);
}

/* ---- sleeping -------------------------------------------------------------------------------- */

void fl_cache_hub_sleep(struct fl_cache_hub *hub, struct fl_cache_call *call)
{
    (void)pthread_mutex_lock(&hub->lock);
    call->next = hub->sleeping;
    hub->sleeping = call;
    (void)pthread_mutex_unlock(&hub->lock);
}

bool fl_cache_hub_forget(struct fl_cache_hub *hub, struct fl_cache_call *call)
{
    bool was_there = false;

    (void)pthread_mutex_lock(&hub->lock);
    for (struct fl_cache_call **at = &hub->sleeping; *at && !was_there;) {
        was_there = *at == call;
        if (was_there)
            *at = call->next;
        else
            at = &(*at)->next;
    }
    (void)pthread_mutex_unlock(&hub->lock);
    return was_there;
}

/* Take one whose time has come out of the list; *next_ms = when another one's comes, UINT64_MAX if
 * nobody waits for a time. */
static struct fl_cache_call *take_due(struct fl_cache_hub *hub, uint64_t now, uint64_t *next_ms)
{
    struct fl_cache_call *due = NULL;

    *next_ms = UINT64_MAX;
    (void)pthread_mutex_lock(&hub->lock);
    for (struct fl_cache_call **at = &hub->sleeping; *at && !due;) {
        struct fl_cache_call *call = *at;

        if (call->due_ms > 0 && call->due_ms <= now) {
            due = call;
            *at = call->next;
            continue;
        }
        if (call->due_ms > 0 && call->due_ms < *next_ms)
            *next_ms = call->due_ms;
        at = &call->next;
    }
    (void)pthread_mutex_unlock(&hub->lock);
    return due;
}

uint64_t fl_cache_hub_wake(struct fl_cache_hub *hub)
{
    struct fl_cache_call *call;
    uint64_t next_ms;
    uint64_t now;

    while ((call = take_due(hub, now = fl_cache_hub_now_ms(), &next_ms)))
        fl_cache_call_wake(call);
    if (!fl_cache_hub_ask(hub) && next_ms > now + AGAIN_MS)
        next_ms = now + AGAIN_MS;
    return next_ms == UINT64_MAX ? UINT64_MAX : next_ms - now;
}
