/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a connection under gRPC, which has no call for that. Any thread. */
#ifndef FL_CACHE_CUT_H
#define FL_CACHE_CUT_H

#include <grpc/grpc.h>

/* Shut down the socket whose other end is the call's peer; what was not sent yet is lost. Nothing
 * if there is none. */
void fl_cache_cut(grpc_call *call);

#endif
