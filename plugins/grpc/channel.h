/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to one address, with the queue on which its calls are driven.
 *
 * gRPC connects lazily, again and again, and resolves names: here it is given one numeric address,
 * told how long connecting may take, and watched until the connection is up or has failed. It
 * serves one exchange at a time. What it depends on is in its key (identity.h). */
#ifndef FL_GRPC_CHANNEL_H
#define FL_GRPC_CHANNEL_H

#include "credentials.h"
#include "resolve.h"

#define FL_GRPC_SLICE_MS 40 /* between two looks at whether we are wanted */

struct grpc_channel;
struct grpc_completion_queue;

struct fl_grpc_channel {
    struct fl_grpc_channel *next; /* the pool's */
    char key[FL_GRPC_KEY_SIZE];   /* the pool's */
    int64_t idle_since_ms;        /* the pool's */
    struct grpc_channel *channel;
    struct grpc_completion_queue *queue;
    bool is_warm;       /* it has served an exchange before */
    bool takes_one_row; /* its server has said that an upload must be one row (0.5) */
};

/* A place to connect to. */
struct fl_grpc_place {
    const struct fl_grpc_address *address;
    const struct fl_grpc_identity *identity;
    int64_t deadline_ms;
};

/* NULL = no memory, or credentials that gRPC does not take. Does not connect yet. */
struct fl_grpc_channel *fl_grpc_channel_new(const struct fl_grpc_exchange *exchange,
                                            const struct fl_grpc_place *place);

enum fl_grpc_state {
    FL_GRPC_UP,
    FL_GRPC_DOWN,     /* it failed; the next call on it says why */
    FL_GRPC_LATE,     /* not before the deadline */
    FL_GRPC_UNWANTED, /* exchange->refused says why */
};

/* Connect, and wait for what comes of it. */
enum fl_grpc_state fl_grpc_channel_connect(struct fl_grpc_exchange *exchange,
                                           struct fl_grpc_channel *channel, int64_t deadline_ms);

/* Is it still up, and stays so for `ms`? Looks at what came while nobody was looking. No call is
 * under way on it. */
bool fl_grpc_channel_is_up(struct fl_grpc_channel *channel, int64_t ms);

/* Takes NULL. No call is left on it. */
void fl_grpc_channel_free(struct fl_grpc_channel *channel);

#endif
