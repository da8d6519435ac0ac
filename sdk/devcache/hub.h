/* SPDX-License-Identifier: Apache-2.0 */
/* What all calls of a server share: the queue, how many may be under way, and those that wait for a
 * time instead of an event.
 *
 * One call is asked for at a time, and none while as many are under way as may be; what else comes
 * waits in gRPC. Several threads take events from the one queue; see call.h. */
#ifndef FL_CACHE_HUB_H
#define FL_CACHE_HUB_H

#include "faults.h"

#include <grpc/grpc.h>
#include <pthread.h>

struct fl_cache_call;

struct fl_cache_hub {
    grpc_server *server;
    grpc_completion_queue *queue;
    const struct fl_cache_service *service;
    struct fl_cache_faults *faults;
    bool is_verbose;
    pthread_mutex_t lock;   /* of all below */
    pthread_cond_t changed; /* of free_calls, and what the server notes */
    uint32_t free_calls;
    bool is_asking;
    bool is_stopping;
    struct fl_cache_call *sleeping; /* linked by their `next` */
};

/* Ask gRPC for another call, if there is room for one. false = that failed: there is no memory, and
 * nothing would come that asks again but fl_cache_hub_wake(). */
bool fl_cache_hub_ask(struct fl_cache_hub *hub);

/* The call that was asked for has come, or never will. */
void fl_cache_hub_asked(struct fl_cache_hub *hub);

/* A call is over: there is room again. */
void fl_cache_hub_leave(struct fl_cache_hub *hub);

/* The call waits until its `due_ms` (0 = for ever) for fl_cache_call_wake(), or until it is
 * forgotten. */
void fl_cache_hub_sleep(struct fl_cache_hub *hub, struct fl_cache_call *call);

/* The call is to be woken no more. false = that is about to happen already. */
bool fl_cache_hub_forget(struct fl_cache_hub *hub, struct fl_cache_call *call);

/* Wake all whose time has come, and ask if that is due. Returns how many milliseconds to wait for
 * the next look; UINT64_MAX = nobody waits for a time. */
uint64_t fl_cache_hub_wake(struct fl_cache_hub *hub);

/* The clock of due_ms. */
uint64_t fl_cache_hub_now_ms(void);

#endif
