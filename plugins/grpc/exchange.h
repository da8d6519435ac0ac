/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the grpc plugin: one call of a slot, and what all of its files share.
 *
 *     grpc.c        manifest, options, instances, the five slots
 *     slot.c        what is the same for every slot: guard, channel, another try on a new channel
 *     fetch.c       DoGet
 *     store.c       DoPut: upload.c sends, source.c reads, private_copy.c keeps it for one row
 *     remove.c      DoAction DELETE
 *     flights.c     ListFlights: list, stat
 *     proof.c       does the cache have this very version?
 *     message.c     keys, tickets, calls with one small message; metadata.c, version.c
 *     status.c      from gRPC's statuses and words to ours
 *
 *     call.c        one gRPC call, driven by the thread that calls the slot
 *     connect.c     from the host's name to a channel that is up: resolve.c, pool.c, channel.c
 *     identity.c    what we show and whom we trust; credentials.c makes gRPC's own of it
 *     diagnose.c    why a handshake failed
 *     runtime.c     gRPC itself, once for the process
 *     deadline.h    points in time
 *     flight/       what is in the messages
 *
 * Only runtime.c, credentials.c, channel.c and call.c include gRPC. One thread drives an exchange;
 * a channel serves one exchange at a time. */
#ifndef FL_GRPC_EXCHANGE_H
#define FL_GRPC_EXCHANGE_H

#include "flight/fault.h"

#include <flame/plugin.h>

#include <stdbool.h>
#include <sys/types.h>

struct fl_grpc_channel;
struct fl_grpc_pool;

struct flame_instance {
    const struct flame_host *host;
    const struct flame_net_policy *policy; /* NULL = this host has none */
    struct fl_grpc_pool *pool;
};

struct fl_grpc_exchange {
    struct flame_instance *instance;
    const struct flame_host *host;
    const struct flame_request *request;
    struct flame_transfer *transfer;
    struct flame_error *err;
    struct fl_grpc_channel *channel; /* up, while the slot works */
    bool is_answered;                /* the peer has sent something */
    bool is_broken;                  /* the connection failed: it is not used again */
    bool is_finishing;               /* all was sent: what is still asked does not go back */
    bool may_repeat;                 /* nothing is lost by asking again on another channel ... */
    bool must_repeat;                /* ... and that is to be done: no failure was stated */
    int32_t refused;                 /* the host said no: what it said; OK = it did not */
};

/* The value of an option, or NULL; an empty one is none. */
static inline const char *fl_grpc_option(const struct fl_grpc_exchange *exchange, const char *name)
{
    const char *value = exchange->host->option_get(exchange->host, exchange->transfer, name);

    return value && *value ? value : NULL;
}

/* A number that the host has checked. */
uint64_t fl_grpc_number(const struct fl_grpc_exchange *exchange, const char *name);

/* "grpcs" and "grpc+tls". */
bool fl_grpc_is_secure(const struct fl_grpc_exchange *exchange);

/* State a failure; returns its status. */
static inline int32_t fl_grpc_fail(const struct fl_grpc_exchange *exchange, int32_t status,
                                   const char *message)
{
    return exchange->host->fail(exchange->err, status, message);
}

static inline int32_t fl_grpc_fail_memory(const struct fl_grpc_exchange *exchange)
{
    return fl_grpc_fail(exchange, FLAME_ERR_NO_MEMORY, "out of memory");
}

/* What the wire formats say. */
static inline int32_t fl_grpc_fail_fault(const struct fl_grpc_exchange *exchange,
                                         const struct fl_flight_fault *fault)
{
    return fl_grpc_fail(exchange, fl_flight_status(fault->code), fault->why);
}

/* Tell how far it is; gRPC counts no bytes. */
static inline void fl_grpc_progress(const struct fl_grpc_exchange *exchange, uint32_t phase)
{
    exchange->host->progress(exchange->transfer,
                             exchange->is_finishing ? (uint32_t)FLAME_PHASE_FINISH : phase, 0);
}

/* Is the exchange still wanted? Sets `refused` otherwise. */
static inline bool fl_grpc_is_wanted(struct fl_grpc_exchange *exchange)
{
    if (exchange->refused == FLAME_OK)
        exchange->refused = exchange->host->cancelled(exchange->transfer);
    return exchange->refused == FLAME_OK;
}

#endif
