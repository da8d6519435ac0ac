/* SPDX-License-Identifier: Apache-2.0 */
/* Who the server is, and whom it lets in. Any thread. */
#ifndef FL_CACHE_CREDENTIALS_H
#define FL_CACHE_CREDENTIALS_H

#include "server.h"

#include <grpc/grpc.h>

/* From the files that the configuration names. INVALID_ARGUMENT: one cannot be read, is empty or no
 * file. Whether they are certificates is seen when the server listens. */
grpc_server_credentials *fl_cache_credentials(const struct fl_cache_server_config *config,
                                              struct fl_cache_status *status);

#endif
