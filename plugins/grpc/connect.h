/* SPDX-License-Identifier: Apache-2.0 */
/* From an exchange to a channel that is up. One thread, as the exchange. */
#ifndef FL_GRPC_CONNECT_H
#define FL_GRPC_CONNECT_H

#include "exchange.h"

/* Sets exchange->channel: an idle one of the same kind, or, as with `is_new`, another one. Every
 * address is judged by the host before it is dialled; those of one name are tried in turn, and
 * share the connect timeout. Fails with NETWORK, TLS, TIMEOUT, PROTOCOL, POLICY, INVALID,
 * UNSUPPORTED, NO_MEMORY, and what the host says. */
int32_t fl_grpc_connect(struct fl_grpc_exchange *exchange, bool is_new);

/* Give it back: to be used again, or, where that is not certain, not. */
void fl_grpc_disconnect(struct fl_grpc_exchange *exchange, bool is_good);

#endif
