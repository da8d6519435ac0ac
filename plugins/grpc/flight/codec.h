/* SPDX-License-Identifier: Apache-2.0 */
/* The compressions of an IPC body (Arrow: BodyCompression): LZ4 frames and ZSTD.
 *
 * Inflating streams: any piece in, any room out, nothing is remembered but the codec's own window.
 * Deflating takes slices and appends one frame to a buffer, since its size must be known before the
 * message that carries it. One table in codec.c names all there is. A stream belongs to one thread
 * at a time; different ones are independent. */
#ifndef FL_FLIGHT_CODEC_H
#define FL_FLIGHT_CODEC_H

#include "buffer.h"
#include "fault.h"

#include <flame/plugin.h>

enum fl_flight_codec {
    FL_FLIGHT_PLAIN,
    FL_FLIGHT_LZ4,
    FL_FLIGHT_ZSTD,
};

/* "lz4", "zstd", "none": as options and logs spell them. */
const char *fl_flight_codec_name(enum fl_flight_codec codec);
bool fl_flight_codec_find(const char *name, enum fl_flight_codec *codec);

/* The number in BodyCompression.codec. find: false = this folder does not know it. */
int8_t fl_flight_codec_number(enum fl_flight_codec codec);
bool fl_flight_codec_find_number(int8_t number, enum fl_flight_codec *codec);

struct fl_flight_inflate;

/* NULL = no memory, or PLAIN. */
struct fl_flight_inflate *fl_flight_inflate_new(enum fl_flight_codec codec);

/* What one step works on; consumed bytes leave the front of both. */
struct fl_flight_window {
    const uint8_t *in;
    size_t in_size;
    uint8_t *out;
    size_t out_size;
};

/* Read some, write some: as much as the smaller of both allows. *is_end = the frame is complete;
 * more of `in` than the frame is left alone. MALFORMED, NO_MEMORY. */
bool fl_flight_inflate_step(struct fl_flight_inflate *inflate, struct fl_flight_window *window,
                            bool *is_end, struct fl_flight_fault *fault);

/* Ready for another frame, whatever came before. */
void fl_flight_inflate_reset(struct fl_flight_inflate *inflate);

/* Takes NULL. */
void fl_flight_inflate_free(struct fl_flight_inflate *inflate);

/* Append the slices as one frame (PLAIN: as they are). NO_MEMORY. */
bool fl_flight_deflate(enum fl_flight_codec codec, const struct flame_slice *slices, uint32_t count,
                       struct fl_flight_buffer *out, struct fl_flight_fault *fault);

#endif
