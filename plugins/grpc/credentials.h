/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC's credentials of a channel, from an identity. Any thread. */
#ifndef FL_GRPC_CREDENTIALS_H
#define FL_GRPC_CREDENTIALS_H

#include "identity.h"

struct grpc_channel_credentials;

/* The caller's, to be released; NULL = gRPC does not take them. The identity has its roots. */
struct grpc_channel_credentials *fl_grpc_credentials_new(const struct fl_grpc_identity *identity);

#endif
