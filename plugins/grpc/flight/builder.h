/* SPDX-License-Identifier: Apache-2.0 */
/* Writing small FlatBuffers: what a Schema or a RecordBatch header needs, and no more.
 *
 * As the format wants it, built from its end: children first, then the table that refers to them.
 * A reference is a distance from the end, so it stays true while bytes are put in front. All lies
 * in the struct; one that is full says so at fl_flight_build_end(). Alignment is the format's,
 * which strict verifiers check. One thread at a time. */
#ifndef FL_FLIGHT_BUILDER_H
#define FL_FLIGHT_BUILDER_H

#include "buffer.h"

#define FL_FLIGHT_BUILDER_MAX 4096 /* bytes of a finished header */
#define FL_FLIGHT_BUILDER_SLOTS 8

/* {0} to begin. */
struct fl_flight_builder {
    uint8_t bytes[FL_FLIGHT_BUILDER_MAX]; /* the last `used` are written */
    uint32_t used;
    bool is_full;
    uint32_t table_start;
    uint32_t
        slots[FL_FLIGHT_BUILDER_SLOTS]; /* of the open table: where, from the end; 0 = absent */
};

/* Strings and vectors, before the table that has them. Return their reference. */
uint32_t fl_flight_build_string(struct fl_flight_builder *builder, const char *text);
uint32_t fl_flight_build_tables(struct fl_flight_builder *builder, const uint32_t *references,
                                uint32_t count);
/* `count` structs of two 64-bit numbers: FieldNode, Buffer. */
uint32_t fl_flight_build_pairs(struct fl_flight_builder *builder, const int64_t *numbers,
                               uint32_t count);

/* One table at a time: open, fields in any order, close. Wide fields first make it compact. */
void fl_flight_build_open(struct fl_flight_builder *builder);
void fl_flight_build_number(struct fl_flight_builder *builder, uint32_t slot, uint32_t width,
                            uint64_t value);
void fl_flight_build_reference(struct fl_flight_builder *builder, uint32_t slot,
                               uint32_t reference);
uint32_t fl_flight_build_close(struct fl_flight_builder *builder);

/* Put the root in front; *out is the whole, in the builder. false = it did not fit. */
bool fl_flight_build_end(struct fl_flight_builder *builder, uint32_t root,
                         struct fl_flight_bytes *out);

#endif
