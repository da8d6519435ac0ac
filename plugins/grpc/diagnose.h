/* SPDX-License-Identifier: Apache-2.0 */
/* Why a TLS handshake failed, in words that say what to do.
 *
 * gRPC tells neither what was wrong with a certificate, nor that ours was wanted. When it has
 * failed, the same place is asked once more by OpenSSL, with the same identity, and never sent
 * anything but a handshake. What is found out is for the message only. One
 * thread, as the exchange. */
#ifndef FL_GRPC_DIAGNOSE_H
#define FL_GRPC_DIAGNOSE_H

#include "channel.h"

/* A static text, or NULL when nothing was found out. *x509 = an X509_V_ERR_*, or 0. Takes no
 * longer than a few seconds, nor beyond the place's deadline. */
const char *fl_grpc_diagnose(struct fl_grpc_exchange *exchange, const struct fl_grpc_place *place,
                             long *x509);

#endif
