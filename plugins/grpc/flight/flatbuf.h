/* SPDX-License-Identifier: Apache-2.0 */
/* Reading FlatBuffers (flatbuffers.dev/internals) that a stranger wrote.
 *
 * Every offset is checked against the buffer before it is followed, a field against its table, so
 * no value can lead outside. What does not fit sets `is_bad` of the buffer and reads as absent: ask
 * once, after all was read. Nothing recurses, nothing is allocated; views are good as long as the
 * bytes. Strings are bytes, not checked to be text. Any thread. */
#ifndef FL_FLIGHT_FLATBUF_H
#define FL_FLIGHT_FLATBUF_H

#include "buffer.h"

struct fl_flight_fb {
    struct fl_flight_bytes bytes;
    bool is_bad;
};

/* {0} is a table without fields. */
struct fl_flight_table {
    struct fl_flight_fb *fb;
    uint32_t at;
    uint32_t size;        /* of the table */
    uint32_t vtable;      /* where */
    uint32_t vtable_size; /* in bytes */
};

/* {0} is an empty one. */
struct fl_flight_vector {
    struct fl_flight_fb *fb;
    uint32_t at; /* of the first element */
    uint32_t count;
    uint32_t width; /* of an element */
};

/* The table that the buffer begins with. false = bad. */
bool fl_flight_fb_root(struct fl_flight_fb *fb, struct fl_flight_bytes bytes,
                       struct fl_flight_table *table);

/* A number of 1, 2, 4 or 8 bytes, not sign-extended; `fallback` where it is absent. */
uint64_t fl_flight_fb_number(const struct fl_flight_table *table, uint32_t slot, uint32_t width,
                             uint64_t fallback);

/* false = absent or bad; *out is {0} then. */
bool fl_flight_fb_table(const struct fl_flight_table *table, uint32_t slot,
                        struct fl_flight_table *out);
bool fl_flight_fb_string(const struct fl_flight_table *table, uint32_t slot,
                         struct fl_flight_bytes *out);
/* Elements of `width` bytes: structs or numbers as they are, 4 for tables. */
bool fl_flight_fb_vector(const struct fl_flight_table *table, uint32_t slot, uint32_t width,
                         struct fl_flight_vector *out);

/* Element `index` of a vector of tables. false = no such element, or bad. */
bool fl_flight_fb_table_at(const struct fl_flight_vector *vector, uint32_t index,
                           struct fl_flight_table *out);

/* The 8 bytes at `offset` in element `index`, which must be there. */
uint64_t fl_flight_fb_long_at(const struct fl_flight_vector *vector, uint32_t index,
                              uint32_t offset);

/* `width` bytes, little-endian, wherever they lie. */
uint64_t fl_flight_little(const uint8_t *at, uint32_t width);

#endif
