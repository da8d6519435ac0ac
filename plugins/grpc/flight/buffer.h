/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: a view of some, and a buffer that grows. {0} is empty in both.
 *
 * A buffer remembers that memory ran out (`failed`) and takes nothing more, so that a writer of
 * many small pieces is asked once, at the end. Not shared between threads. */
#ifndef FL_FLIGHT_BUFFER_H
#define FL_FLIGHT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed from whatever was read; not terminated. */
struct fl_flight_bytes {
    const uint8_t *data;
    size_t size;
};

struct fl_flight_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed; /* memory ran out: what is in it is incomplete */
};

/* A view of a string literal or any other text, without its end. NULL is empty. */
struct fl_flight_bytes fl_flight_text(const char *text);

/* All that is in the buffer; good until it changes. */
struct fl_flight_bytes fl_flight_buffer_view(const struct fl_flight_buffer *buffer);

bool fl_flight_bytes_equal(struct fl_flight_bytes bytes, const char *text);

/* Append; with `data` NULL that many zeros. false = no memory. */
bool fl_flight_buffer_add(struct fl_flight_buffer *buffer, const void *data, size_t size);

/* Room for `size` more bytes behind the last one, to be counted by the caller in buffer->size.
 * NULL = no memory. */
uint8_t *fl_flight_buffer_reserve(struct fl_flight_buffer *buffer, size_t size);

/* Forget the bytes, keep the memory. */
void fl_flight_buffer_clear(struct fl_flight_buffer *buffer);

/* Free; it is {0} again. */
void fl_flight_buffer_done(struct fl_flight_buffer *buffer);

#endif
