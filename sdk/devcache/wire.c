/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/slice_buffer.h>
#include <stdlib.h>

static grpc_slice to_slice(const struct fl_cache_piece *piece)
{
    if (!piece->release)
        return grpc_slice_from_static_buffer(piece->data, piece->size);
    return grpc_slice_new_with_user_data(piece->data, piece->size, piece->release, piece->owner);
}

grpc_byte_buffer *fl_cache_wire_out(struct fl_cache_message *message)
{
    grpc_slice slices[FL_CACHE_PIECES_MAX];
    grpc_byte_buffer *buffer;

    for (uint32_t i = 0; i < message->pieces; i++)
        slices[i] = to_slice(&message->piece[i]);
    buffer = grpc_raw_byte_buffer_create(slices, message->pieces);
    for (uint32_t i = 0; i < message->pieces; i++)
        grpc_slice_unref(slices[i]);
    *message = (struct fl_cache_message){.pieces = 0};
    return buffer;
}

/* Short slices hold their bytes themselves: the pointer is into the buffer, not into a copy. */
struct flame_slice *fl_cache_wire_in(grpc_byte_buffer *buffer, uint32_t *count,
                                     struct fl_cache_status *status)
{
    grpc_slice_buffer *from = &buffer->data.raw.slice_buffer;
    struct flame_slice *slices;

    if (buffer->type != GRPC_BB_RAW || buffer->data.raw.compression != GRPC_COMPRESS_NONE) {
        (void)fl_cache_fail(status, FL_CACHE_UNIMPLEMENTED, "a message compressed by grpc");
        return NULL;
    }
    slices = calloc(from->count + 1, sizeof(*slices));
    if (!slices) {
        (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < from->count; i++)
        slices[i] = (struct flame_slice){GRPC_SLICE_START_PTR(from->slices[i]),
                                         GRPC_SLICE_LENGTH(from->slices[i])};
    *count = (uint32_t)from->count;
    return slices;
}

grpc_slice fl_cache_wire_text(const char *text)
{
    return grpc_slice_from_copied_string(text);
}

struct fl_flight_bytes fl_cache_wire_bytes(const grpc_slice *slice)
{
    return (struct fl_flight_bytes){GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice)};
}
