/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of objects as validators: the number, in decimal. 0 is none. Any thread. */
#ifndef FL_GRPC_VERSION_H
#define FL_GRPC_VERSION_H

#include "exchange.h"

#define FL_GRPC_VERSION_SIZE 24

void fl_grpc_version_write(uint64_t version, char out[FL_GRPC_VERSION_SIZE]);

/* The version that a conditional request brings; 0 for one without a condition. Fails with INVALID
 * (a validator that is not ours), UNSUPPORTED (another condition). */
int32_t fl_grpc_version_asked(const struct fl_grpc_exchange *exchange, uint64_t *version);

#endif
