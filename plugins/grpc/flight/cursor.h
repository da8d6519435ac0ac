/* SPDX-License-Identifier: Apache-2.0 */
/* Reading over a list of slices, as a transport hands them out, without copying them together.
 *
 * A cursor borrows the list and the bytes; it moves forward only and never past the end. Not
 * shared between threads. */
#ifndef FL_FLIGHT_CURSOR_H
#define FL_FLIGHT_CURSOR_H

#include "buffer.h"
#include "fault.h"

#include <flame/plugin.h>

struct fl_flight_cursor {
    const struct flame_slice *slices; /* the one it stands in, and those behind it */
    uint64_t offset;                  /* consumed of slices[0] */
    uint64_t left;                    /* bytes from here to the end */
};

void fl_flight_cursor_init(struct fl_flight_cursor *cursor, const struct flame_slice *slices,
                           uint32_t count);

/* The next piece that lies in one slice, at most `max` bytes; the cursor is behind it. Size 0 at
 * the end only (or for max 0). */
struct flame_slice fl_flight_cursor_next(struct fl_flight_cursor *cursor, uint64_t max);

/* Up to `capacity` pieces of `max` bytes together; the cursor is behind them. Returns how many
 * pieces, *size = how many bytes. */
uint32_t fl_flight_cursor_pieces(struct fl_flight_cursor *cursor, uint64_t max,
                                 struct flame_slice *pieces, uint32_t capacity, uint64_t *size);

/* Move at most `max` bytes ahead. Returns how far. */
uint64_t fl_flight_cursor_skip(struct fl_flight_cursor *cursor, uint64_t max);

/* Append all bytes to a buffer: for control messages, which are small. LIMIT over `max` bytes. */
bool fl_flight_gather(const struct flame_slice *slices, uint32_t count, size_t max,
                      struct fl_flight_buffer *out, struct fl_flight_fault *fault);

#endif
