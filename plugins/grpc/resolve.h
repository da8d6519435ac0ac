/* SPDX-License-Identifier: Apache-2.0 */
/* From the host of a URL to numeric addresses, which the host's policy can judge.
 *
 * A literal costs nothing. A name is looked up by getaddrinfo(3) in a thread of its own, since
 * nothing can interrupt that call: whoever gives up leaves it behind, and what it still has is
 * freed when it returns. Such a thread touches only its own memory and blocks every signal. */
#ifndef FL_GRPC_RESOLVE_H
#define FL_GRPC_RESOLVE_H

#include "exchange.h"

#include <netinet/in.h>

#define FL_GRPC_ADDRESS_MAX 16

struct fl_grpc_address {
    char text[INET6_ADDRSTRLEN]; /* as inet_ntop(3) writes it */
    bool is_v6;
};

struct fl_grpc_addresses {
    uint32_t count;
    struct fl_grpc_address address[FL_GRPC_ADDRESS_MAX]; /* in the resolver's order */
};

/* The addresses of request->host, of the family that net.ip names. Fails with NETWORK (no such
 * name), TIMEOUT (`deadline_ms`), NO_MEMORY, and what the host says when it is not wanted. */
int32_t fl_grpc_resolve(struct fl_grpc_exchange *exchange, int64_t deadline_ms,
                        struct fl_grpc_addresses *out);

#endif
