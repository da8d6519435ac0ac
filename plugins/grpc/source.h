/* SPDX-License-Identifier: Apache-2.0 */
/* The source of an upload, read in order, held to what was promised of it: neither shorter nor
 * longer than its size, nor more than the cache takes. One thread. */
#ifndef FL_GRPC_SOURCE_H
#define FL_GRPC_SOURCE_H

#include "exchange.h"

/* The cache joins all rows with 32-bit offsets. */
#define FL_GRPC_STORE_MAX ((uint64_t)INT32_MAX)

struct fl_grpc_source {
    struct fl_grpc_exchange *exchange;
    uint64_t size; /* with has_size */
    bool has_size;
    uint64_t at; /* bytes read */
};

/* Fails with LIMIT (larger than is allowed, or than the cache takes), before anything is sent. */
int32_t fl_grpc_source_open(struct fl_grpc_exchange *exchange, struct fl_grpc_source *source);

/* As many bytes as there are, up to `capacity`; *size < capacity only at the end. Fails with
 * TRUNCATED (shrank), CHANGED (grew), LIMIT, and what source_read says. */
int32_t fl_grpc_source_read(struct fl_grpc_source *source, void *buffer, size_t capacity,
                            size_t *size);

#endif
