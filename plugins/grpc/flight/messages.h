/* SPDX-License-Identifier: Apache-2.0 */
/* The small messages of Arrow Flight (Flight.proto): everything but FlightData.
 *
 * Reading takes the whole message, gathered (fl_flight_gather()), and fills views into it: they are
 * good as long as those bytes. Unknown fields are skipped, of a single field the last one counts,
 * a known field of another wire type is MALFORMED. Text is not checked here; key.h and reference.h
 * do. Writing appends to a buffer, which remembers whether memory ran out. Any thread. */
#ifndef FL_FLIGHT_MESSAGES_H
#define FL_FLIGHT_MESSAGES_H

#include "buffer.h"
#include "fault.h"

#define FL_FLIGHT_PATH_MAX 4     /* elements of a descriptor's path that are kept */
#define FL_FLIGHT_ENDPOINT_MAX 4 /* endpoints of a FlightInfo that are kept */
#define FL_FLIGHT_LOCATION_MAX 4 /* locations of an endpoint that are kept */

enum fl_flight_descriptor_type {
    FL_FLIGHT_DESCRIPTOR_UNKNOWN = 0,
    FL_FLIGHT_DESCRIPTOR_PATH = 1, /* Flame: one element, the key */
    FL_FLIGHT_DESCRIPTOR_CMD = 2,  /* Flame: "PATCH:<key>" */
};

struct fl_flight_descriptor {
    uint32_t type;  /* enum fl_flight_descriptor_type, or what a newer peer sends */
    uint32_t paths; /* elements that came; those over FL_FLIGHT_PATH_MAX are counted only */
    struct fl_flight_bytes cmd;
    struct fl_flight_bytes path[FL_FLIGHT_PATH_MAX];
};

struct fl_flight_endpoint {
    struct fl_flight_bytes ticket;
    struct fl_flight_bytes location[FL_FLIGHT_LOCATION_MAX]; /* "grpc://host:port" */
    uint32_t locations;                                      /* that came */
};

/* The real cache lists with an endpoint (ticket = key, no version) and total_bytes, without a
 * descriptor; GetFlightInfo has a descriptor and -1 for both totals. */
struct fl_flight_info {
    struct fl_flight_bytes schema;
    struct fl_flight_bytes descriptor; /* for fl_flight_read_descriptor() */
    struct fl_flight_endpoint endpoint[FL_FLIGHT_ENDPOINT_MAX];
    uint32_t endpoints;    /* that came */
    int64_t total_records; /* -1 = not known */
    int64_t total_bytes;   /* -1 = not known */
};

/* Action {type, body}, ActionType {type, description}. */
struct fl_flight_action {
    struct fl_flight_bytes type;
    struct fl_flight_bytes body;
};

/* All return false with MALFORMED and leave *out untouched. */
bool fl_flight_read_descriptor(struct fl_flight_bytes message, struct fl_flight_descriptor *out,
                               struct fl_flight_fault *fault);
bool fl_flight_read_info(struct fl_flight_bytes message, struct fl_flight_info *out,
                         struct fl_flight_fault *fault);
bool fl_flight_read_action(struct fl_flight_bytes message, struct fl_flight_action *out,
                           struct fl_flight_fault *fault);
/* The messages with one field: Ticket.ticket, PutResult.app_metadata, Result.body,
 * Criteria.expression, SchemaResult.schema, Location.uri. */
bool fl_flight_read_single(struct fl_flight_bytes message, struct fl_flight_bytes *out,
                           struct fl_flight_fault *fault);

void fl_flight_write_descriptor(struct fl_flight_buffer *out,
                                const struct fl_flight_descriptor *descriptor);
void fl_flight_write_info(struct fl_flight_buffer *out, const struct fl_flight_info *info);
void fl_flight_write_action(struct fl_flight_buffer *out, const struct fl_flight_action *action);
/* See fl_flight_read_single(). With empty bytes: an Empty. */
void fl_flight_write_single(struct fl_flight_buffer *out, struct fl_flight_bytes field);

/* FlightInfo.schema and SchemaResult.schema hold a Message, by itself (the real cache) or behind
 * the stream format's prefix of four or eight bytes (pyarrow). The Message of either. */
struct fl_flight_bytes fl_flight_schema_message(struct fl_flight_bytes schema);

#endif
