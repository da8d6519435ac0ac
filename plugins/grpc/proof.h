/* SPDX-License-Identifier: Apache-2.0 */
/* Does the cache have this very version? DoGet of `key:version`: a schema without a row says yes,
 * and costs no body. A row says that it has another one; then the call is broken off. */
#ifndef FL_GRPC_PROOF_H
#define FL_GRPC_PROOF_H

#include "exchange.h"
#include "flight/key.h"

enum fl_grpc_proof {
    FL_GRPC_HAS_IT,
    FL_GRPC_HAS_ANOTHER,
    FL_GRPC_HAS_NONE, /* the server said an error */
    FL_GRPC_NO_ANSWER,
};

/* Fails with what the host says, NO_MEMORY, and what keeps a call from being made. */
int32_t fl_grpc_prove(struct fl_grpc_exchange *exchange, const struct fl_flight_key *key,
                      uint64_t version, enum fl_grpc_proof *proof);

#endif
