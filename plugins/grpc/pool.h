/* SPDX-License-Identifier: Apache-2.0 */
/* Channels that are up and idle, kept for the next exchange of the same kind.
 *
 * The key (identity.h) names all that a channel depends on. The one that was used last goes out
 * first, if it is still up; a channel out is its user's alone. Those idle
 * for a minute, or too many, are closed when the pool is next used. The host bounds how many
 * exchanges of one origin run at once. A lock guards the list; nothing of gRPC is called with it
 * held. Any thread. */
#ifndef FL_GRPC_POOL_H
#define FL_GRPC_POOL_H

#include "channel.h"

#define FL_GRPC_IDLE_MAX 64
#define FL_GRPC_IDLE_MS 60000

/* NULL = no memory. */
struct fl_grpc_pool *fl_grpc_pool_new(void);
void fl_grpc_pool_free(struct fl_grpc_pool *pool); /* nothing is out; takes NULL */

/* NULL = there is none. */
struct fl_grpc_channel *fl_grpc_pool_take(struct fl_grpc_pool *pool, const char *key);

/* Keep it, or a channel that is no good any more: free it. */
void fl_grpc_pool_give(struct fl_grpc_pool *pool, struct fl_grpc_channel *channel);

#endif
