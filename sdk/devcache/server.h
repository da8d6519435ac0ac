/* SPDX-License-Identifier: Apache-2.0 */
/* The cache on the network: a gRPC server that listens at one address, plain or with TLS.
 *
 * Open binds, so that the port is known before the first call is answered; start answers, on its
 * own threads; stop ends: calls under way have a moment to end by themselves, then they are
 * cancelled; what gRPC keeps for the process stays. Who opens and starts it blocks the signals that
 * the program waits for: the server's threads and gRPC's inherit that. */
#ifndef FL_CACHE_SERVER_H
#define FL_CACHE_SERVER_H

#include "faults.h"

struct fl_cache_server;

struct fl_cache_server_config {
    const char *host;        /* an address or a name; IPv6 without brackets */
    uint16_t port;           /* 0 = any */
    const char *certificate; /* files, PEM; NULL = no TLS */
    const char *key;
    const char *authority; /* who signs clients' certificates; NULL = any client */
    uint32_t threads;
    uint32_t max_calls;
    uint64_t memory;
    struct fl_cache_faults *faults; /* outlives the server */
    bool is_verbose;
};

/* FAILED_PRECONDITION: it cannot listen there, the certificate cannot be used. */
bool fl_cache_server_open(struct fl_cache_server **out, const struct fl_cache_server_config *config,
                          struct fl_cache_status *status);

uint16_t fl_cache_server_port(const struct fl_cache_server *server);

/* Answer calls; the service outlives the server. */
bool fl_cache_server_start(struct fl_cache_server *server, const struct fl_cache_service *service,
                           struct fl_cache_status *status);

/* End, whether it was started or not, and free it. Takes NULL. */
void fl_cache_server_stop(struct fl_cache_server *server);

#endif
