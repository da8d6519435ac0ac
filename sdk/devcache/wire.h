/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between the service and gRPC, without a copy where one side can hold the other's bytes.
 * Any thread. */
#ifndef FL_CACHE_WIRE_H
#define FL_CACHE_WIRE_H

#include "service.h"

#include <grpc/grpc.h>

/* The message, whose pieces it takes over. Never NULL. */
grpc_byte_buffer *fl_cache_wire_out(struct fl_cache_message *message);

/* The bytes of a message where they lie, to be freed; the bytes are the buffer's. NULL = failed:
 * compressed by gRPC, or no memory. */
struct flame_slice *fl_cache_wire_in(grpc_byte_buffer *buffer, uint32_t *count,
                                     struct fl_cache_status *status);

/* A slice with a copy of a text. */
grpc_slice fl_cache_wire_text(const char *text);

/* What a slice holds. */
struct fl_flight_bytes fl_cache_wire_bytes(const grpc_slice *slice);

#endif
