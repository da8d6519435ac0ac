/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the FlightData messages that carry a file: what DoPut sends, and what a cache answers.
 *
 * A message is a head, the bytes of the file where the caller has them, and some padding: nothing
 * of a file is copied, except into a compressed frame, whose size must be known first. An upload is
 * a schema with the descriptor, then one plain batch of one row for each MiB; an empty file is one
 * empty row. The real cache answers with one row for all and compresses what gains by it. Buffers
 * are aligned as the cache aligns them, to 64 bytes. Any thread. */
#ifndef FL_FLIGHT_WRITE_H
#define FL_FLIGHT_WRITE_H

#include "rows.h"

#include <flame/plugin.h>

/* {0}: what is uploaded. */
struct fl_flight_format {
    bool has_kind;              /* answers of 0.6; not in uploads, nor in 0.5 */
    bool has_bitmaps;           /* validity bitmaps although nothing is null, as the cache writes */
    bool wide_data;             /* large_binary: more than 2^31-1 bytes in a batch */
    enum fl_flight_codec codec; /* of the bodies */
};

/* Rows, and their bytes one after another. Plain bytes are not looked at: `slices` may be NULL and
 * sent later. */
struct fl_flight_rows_out {
    const struct fl_flight_row *row;
    uint32_t rows;
    const struct flame_slice *slices;
    uint32_t slice_count;
};

/* {0} to begin. Sent: head, then `packed` (or, if that is empty, the caller's slices), padding. */
struct fl_flight_message {
    struct fl_flight_buffer head;
    struct fl_flight_buffer packed;
    uint32_t padding; /* zeros, fewer than 64 */
};

/* Append a Schema message by itself: FlightInfo.schema, SchemaResult.schema. */
bool fl_flight_write_schema(struct fl_flight_buffer *out, const struct fl_flight_format *format,
                            struct fl_flight_fault *fault);

/* Append a whole FlightData with the schema; `descriptor` is a FlightDescriptor or empty. */
bool fl_flight_write_schema_message(struct fl_flight_buffer *out,
                                    const struct fl_flight_format *format,
                                    struct fl_flight_bytes descriptor,
                                    struct fl_flight_fault *fault);

/* A FlightData with one batch; what was in *message is replaced, its memory kept. LIMIT for more
 * than 2^31-1 bytes without wide_data; NO_MEMORY. */
bool fl_flight_write_batch(struct fl_flight_message *message, const struct fl_flight_format *format,
                           const struct fl_flight_rows_out *rows, struct fl_flight_fault *fault);

/* The message as slices, into room for slice_count + 2. Returns how many. Good while all three
 * are. */
uint32_t fl_flight_message_slices(const struct fl_flight_message *message,
                                  const struct fl_flight_rows_out *rows, struct flame_slice *out);

void fl_flight_message_done(struct fl_flight_message *message);

#endif
