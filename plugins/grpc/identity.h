/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are and whom we trust, for one origin: the options and secrets of TLS, read and checked
 * before anybody is asked.
 *
 * What this gRPC cannot do is refused, never ignored: tls.pin, tls.min=1.3. Secrets are wiped by
 * fl_grpc_identity_done(). Without tls.ca the system's authorities are trusted, whatever the
 * environment says. Owned by its exchange. */
#ifndef FL_GRPC_IDENTITY_H
#define FL_GRPC_IDENTITY_H

#include "exchange.h"

#define FL_GRPC_KEY_SIZE 65 /* a digest in hex, and its end */

/* {0}: plain text. */
struct fl_grpc_identity {
    bool is_secure;
    bool is_unverified;      /* tls.verify is off */
    const char *ca_path;     /* borrowed; NULL = the system's */
    const char *server_name; /* borrowed; the name the certificate must carry */
    char *certificate;       /* PEM chain, or NULL */
    char *key;               /* PEM, or NULL */
    char *roots;             /* PEM; read by fl_grpc_identity_read_roots() */
};

/* Fails with INVALID (a certificate without its key, a pair that does not fit), UNSUPPORTED,
 * NO_MEMORY. `identity` is {0} before. */
int32_t fl_grpc_identity_read(const struct fl_grpc_exchange *exchange,
                              struct fl_grpc_identity *identity);

/* The authorities, which only a new connection needs. Fails with INVALID (no certificate in it),
 * NO_MEMORY. */
int32_t fl_grpc_identity_read_roots(const struct fl_grpc_exchange *exchange,
                                    struct fl_grpc_identity *identity);

/* What a connection of this origin, identity, policy and options is kept under: a digest, so that
 * no secret stays. false = no memory. */
bool fl_grpc_identity_key(const struct fl_grpc_exchange *exchange,
                          const struct fl_grpc_identity *identity, char key[FL_GRPC_KEY_SIZE]);

/* For OpenSSL, which would ask for a password on the terminal otherwise. */
int fl_grpc_no_password(char *out, int size, int is_writing, void *context);

void fl_grpc_identity_done(struct fl_grpc_identity *identity);

#endif
