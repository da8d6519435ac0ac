/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol Buffers on the wire (protobuf.dev/programming-guides/encoding): the few rules that
 * messages.h and envelope.h are made of.
 *
 * Reading never leaves the given bytes; a group, a wire type that does not exist, field number 0, a
 * length over the end and a varint of more than 64 bits are malformed. Unknown fields are returned
 * like others, for the caller to skip. Any thread. */
#ifndef FL_FLIGHT_PB_H
#define FL_FLIGHT_PB_H

#include "buffer.h"

enum fl_flight_wire {
    FL_FLIGHT_WIRE_VARINT = 0,
    FL_FLIGHT_WIRE_FIXED64 = 1,
    FL_FLIGHT_WIRE_BYTES = 2,
    FL_FLIGHT_WIRE_FIXED32 = 5,
};

/* A varint that comes byte by byte. {0} to begin. */
struct fl_flight_varint {
    uint64_t value;
    uint32_t shift;
};

enum fl_flight_varint_state {
    FL_FLIGHT_VARINT_MORE,
    FL_FLIGHT_VARINT_DONE,
    FL_FLIGHT_VARINT_BAD, /* more than 64 bits */
};

enum fl_flight_varint_state fl_flight_varint_take(struct fl_flight_varint *varint, uint8_t byte);

/* Split a tag. false = malformed: no such field number, or a wire type not in fl_flight_wire. */
bool fl_flight_pb_tag(uint64_t tag, uint32_t *number, uint32_t *wire);

struct fl_flight_pb {
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad; /* malformed: what came before it is right */
};

struct fl_flight_field {
    uint32_t number;
    uint32_t wire;                /* enum fl_flight_wire */
    uint64_t value;               /* of a number */
    struct fl_flight_bytes bytes; /* of WIRE_BYTES, borrowed */
};

struct fl_flight_pb fl_flight_pb_open(struct fl_flight_bytes bytes);

/* The next field. false = the end, or malformed: pb->is_bad says which. */
bool fl_flight_pb_next(struct fl_flight_pb *pb, struct fl_flight_field *field);

/* Writing. The buffer remembers whether memory ran out. A number 0 and empty bytes are written too,
 * where the caller does not leave them out. */
void fl_flight_pb_put_varint(struct fl_flight_buffer *out, uint64_t value);
void fl_flight_pb_put_tag(struct fl_flight_buffer *out, uint32_t number, uint32_t wire);
void fl_flight_pb_put_number(struct fl_flight_buffer *out, uint32_t number, uint64_t value);
void fl_flight_pb_put_bytes(struct fl_flight_buffer *out, uint32_t number,
                            struct fl_flight_bytes bytes);

/* The same without empty bytes, which proto3 leaves out. */
void fl_flight_pb_put_some(struct fl_flight_buffer *out, uint32_t number,
                           struct fl_flight_bytes bytes);

#endif
