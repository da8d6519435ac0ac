/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the wire formats share: streams of framed messages, fed to a reader in pieces
 * of any size, each piece in memory of its own so that a sanitizer sees a step over its end. */
#ifndef FL_FLIGHT_FIXTURE_H
#define FL_FLIGHT_FIXTURE_H

#include "reader.h"
#include "write.h"

struct outcome {
    enum fl_flight_code code;
    const char *why;
    int32_t status;
    struct fl_flight_summary summary;
    struct fl_flight_buffer bytes; /* of the file, as far as they came */
    uint64_t rows_told;            /* by the row callback */
};

/* How a stream is fed. {0}: every message at once, in one slice. */
struct feeding {
    size_t piece;     /* cut into slices of this size; 0 = not */
    size_t split;     /* cut once, at this place of the stream; 0 = not */
    bool is_one_push; /* all slices of a message in one call */
    bool takes_patches;
    bool is_short;       /* a message that is cut begins with the size that is there */
    uint64_t max_bytes;  /* 0 = no bound */
    int32_t sink_status; /* what the sink returns */
};

/* Frames: a 0 byte, four bytes of length, the message; see golden/README.md. The outcome's bytes
 * are to be freed with outcome_done(). */
void feed(struct fl_flight_bytes frames, const struct feeding *how, struct outcome *outcome);
void outcome_done(struct outcome *outcome);

/* The next message of a stream of frames. false = the end, or cut. */
bool next_frame(struct fl_flight_bytes *frames, struct fl_flight_bytes *message);

/* Append a message, framed. */
void add_frame(struct fl_flight_buffer *frames, const struct flame_slice *slices, uint32_t count);

/* A whole answer: a schema, then rows of `row_size` bytes (0 = one row for all), framed. The head
 * of each batch is the way to damage it. */
struct answer {
    struct fl_flight_format format;
    uint64_t row_size;
    uint64_t version;
    struct fl_flight_bytes file;
};
void write_answer(struct fl_flight_buffer *frames, const struct answer *answer);

/* The whole of a file; ends the program where it cannot be read. */
struct fl_flight_buffer read_file(const char *path);
struct fl_flight_buffer read_golden(const char *name);

/* Bytes that compress (is_text) or do not, the same ones every time. */
struct fl_flight_buffer make_file(size_t size, bool is_text);

/* Where `size` bytes are found last in a buffer; ends the program if they are not. */
uint8_t *find_bytes(const struct fl_flight_buffer *in, const void *bytes, size_t size);

#endif
