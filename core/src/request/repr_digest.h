/* SPDX-License-Identifier: Apache-2.0 */
/* The Repr-Digest field (RFC 9530 3), a dictionary of structured fields (RFC 8941 3.2). Strict:
 * a field with any fault in it says nothing. Pure; any thread. */
#ifndef FL_REQUEST_REPR_DIGEST_H
#define FL_REQUEST_REPR_DIGEST_H

#include "sink/digest.h"

/* The digest that the value of the field states: sha-256 (fast to compute everywhere) if it is
 * there, else sha-512. Other algorithms and all parameters are ignored; of an algorithm that is
 * there twice the last counts, as RFC 8941 has it. false: none of the two, or the field is
 * malformed; `out` is untouched then. */
bool fl_repr_digest_parse(const char *field, struct fl_digest *out);

#endif
