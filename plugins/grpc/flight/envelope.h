/* SPDX-License-Identifier: Apache-2.0 */
/* FlightData, the message of DoGet and DoPut, read from whatever pieces a transport has of it.
 *
 *     fl_flight_envelope_begin(&envelope, size of the message);
 *     fl_flight_cursor_init(&cursor, slices, count);          for each piece that comes
 *     while ((event = fl_flight_envelope_step(&envelope, &cursor, &fault)) != MORE) ...
 *
 * Descriptor, header and application metadata are small, bounded, and collected in buffers that are
 * kept from message to message. The body is not touched: on BODY the cursor stands in it, and
 * fl_flight_envelope_body() cuts off what has come. The header must stand before the body, as every
 * known writer puts it; it cannot be judged without. Unknown fields are skipped. Of a single field
 * the last one counts; a second body is malformed. One thread at a time. */
#ifndef FL_FLIGHT_ENVELOPE_H
#define FL_FLIGHT_ENVELOPE_H

#include "cursor.h"
#include "pb.h"

#define FL_FLIGHT_HEADER_MAX (1u << 20)     /* bytes of a data_header */
#define FL_FLIGHT_DESCRIPTOR_MAX (1u << 16) /* bytes of a descriptor */
#define FL_FLIGHT_METADATA_MAX (1u << 16)   /* bytes of an app_metadata */

enum fl_flight_event {
    FL_FLIGHT_EVENT_FAULT, /* malformed, over a limit, no memory */
    FL_FLIGHT_EVENT_MORE,  /* the cursor is at its end, the message is not */
    FL_FLIGHT_EVENT_BODY,  /* the body begins or goes on: take it */
    FL_FLIGHT_EVENT_END,   /* the message is complete */
};

struct fl_flight_envelope {
    struct fl_flight_buffer descriptor; /* for fl_flight_read_descriptor() */
    struct fl_flight_buffer header;     /* the IPC message: schema.h, batch.h */
    struct fl_flight_buffer metadata;   /* app_metadata */
    bool has_body;
    uint64_t body_size; /* once has_body */
    /* private */
    uint64_t left;       /* of the message */
    uint64_t field_left; /* of the field it is in */
    uint32_t state;
    uint32_t number;
    uint32_t wire;
    struct fl_flight_varint varint;
    struct fl_flight_buffer *target; /* where the field goes; NULL = it is skipped */
};

/* A message of `size` bytes is to come. The struct is {0} before the first one. */
void fl_flight_envelope_begin(struct fl_flight_envelope *envelope, uint64_t size);

/* Go on until something is to be said. On BODY the body must be taken before the next step; it is
 * said once at least, also for a body without bytes. After END the cursor may have more, which
 * belongs to the next message. */
enum fl_flight_event fl_flight_envelope_step(struct fl_flight_envelope *envelope,
                                             struct fl_flight_cursor *cursor,
                                             struct fl_flight_fault *fault);

/* What has come of the body: `part` is over the same slices, the cursor is behind it. */
void fl_flight_envelope_body(struct fl_flight_envelope *envelope, struct fl_flight_cursor *cursor,
                             struct fl_flight_cursor *part);

void fl_flight_envelope_done(struct fl_flight_envelope *envelope);

/* The first bytes of a FlightData: descriptor and header (empty = none of it), and the tag of a
 * body of `body_size` bytes, which are to follow; UINT64_MAX = no body. */
void fl_flight_write_envelope(struct fl_flight_buffer *out, struct fl_flight_bytes descriptor,
                              struct fl_flight_bytes header, uint64_t body_size);

#endif
