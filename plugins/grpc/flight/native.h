/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that are an Arrow table, not a file: what a cache needs to know to keep them.
 *
 * Their schema says so in its metadata, and carries the object's version there too, since the
 * columns are the table's own. Pure, any thread. */
#ifndef FL_FLIGHT_NATIVE_H
#define FL_FLIGHT_NATIVE_H

#include "buffer.h"
#include "fault.h"

/* Set the version in the header of a schema (Message); one without a place for it stays as it is.
 * MALFORMED, NO_MEMORY. */
bool fl_flight_native_set_version(struct fl_flight_buffer *header, uint64_t version,
                                  struct fl_flight_fault *fault);

#endif
