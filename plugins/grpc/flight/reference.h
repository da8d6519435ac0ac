/* SPDX-License-Identifier: Apache-2.0 */
/* What the cache says of an object that it has stored: a BSON document {endpoint, key, version} in
 * PutResult.app_metadata. Flame calls it ObjectRef. Read with libbson, which checks the document as
 * a whole first. Any thread. */
#ifndef FL_FLIGHT_REFERENCE_H
#define FL_FLIGHT_REFERENCE_H

#include "key.h"

#define FL_FLIGHT_ENDPOINT_TEXT_MAX 512
#define FL_FLIGHT_REFERENCE_MAX 65536 /* bytes of a document */

struct fl_flight_reference {
    char endpoint[FL_FLIGHT_ENDPOINT_TEXT_MAX +
                  1];         /* "grpc://10.0.0.7:9090": the cache's own idea */
    struct fl_flight_key key; /* three parts */
    uint64_t version;
};

/* MALFORMED: no BSON, a member that is missing, twice or of another type, a key that is none.
 * LIMIT: too long. Members that are not known are ignored. *out is untouched then. */
bool fl_flight_reference_read(struct fl_flight_bytes document, struct fl_flight_reference *out,
                              struct fl_flight_fault *fault);

/* Append the document. NO_MEMORY. */
bool fl_flight_reference_write(struct fl_flight_buffer *out,
                               const struct fl_flight_reference *reference,
                               struct fl_flight_fault *fault);

#endif
