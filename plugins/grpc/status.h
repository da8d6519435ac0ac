/* SPDX-License-Identifier: Apache-2.0 */
/* From gRPC's statuses and words to ours. One table in status.c. Any thread. */
#ifndef FL_GRPC_STATUS_H
#define FL_GRPC_STATUS_H

#include "call.h"

/* State what an end other than OK means; returns the status. Where the exchange may be repeated,
 * and a connection that had been idle turns out to be dead, only exchange->must_repeat is set.
 * `is_begun`: a part of the answer came, or a part of ours went, so that a lost connection cut
 * something short. The host learns gRPC's number only where the peer has said it. */
int32_t fl_grpc_fail_end(struct fl_grpc_exchange *exchange, const struct fl_grpc_end *end,
                         bool is_begun);

/* No connection came about; `details` are gRPC's words. */
int32_t fl_grpc_fail_connect(const struct fl_grpc_exchange *exchange, const char *details);

#endif
