/* SPDX-License-Identifier: Apache-2.0 */
/* What a call carries beside its messages: the caller's headers, and who we are.
 *
 * Both may be secret and go to request->origin only, which is where the channel leads. Wiped by
 * fl_grpc_metadata_done(). One thread. */
#ifndef FL_GRPC_METADATA_H
#define FL_GRPC_METADATA_H

#include "exchange.h"

#define FL_GRPC_METADATA_MAX 64

/* {0} is empty. */
struct fl_grpc_metadata {
    size_t count;
    char *name[FL_GRPC_METADATA_MAX]; /* lower case */
    char *value[FL_GRPC_METADATA_MAX];
};

/* The request's headers, and auth.bearer or auth.basic unless they have an authorization already.
 * Fails with INVALID (a header that HTTP/2 or gRPC keeps for itself, or that cannot be sent),
 * LIMIT, NO_MEMORY. */
int32_t fl_grpc_metadata_read(const struct fl_grpc_exchange *exchange,
                              struct fl_grpc_metadata *metadata);

void fl_grpc_metadata_done(struct fl_grpc_metadata *metadata);

#endif
