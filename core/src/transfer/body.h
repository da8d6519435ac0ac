/* SPDX-License-Identifier: Apache-2.0 */
/* The services of the host table that carry the body: what the plugin states of it and its bytes,
 * those of a source too.
 * Contracts: plugin.h. */
#ifndef FL_TRANSFER_BODY_H
#define FL_TRANSFER_BODY_H

#include "transfer/transfer.h"

/* Free the strings of a kept object. */
void fl_object_done(struct flame_object *object);

/* How long the body is, as far as it was said; false = it was not. */
bool fl_body_size(const struct flame_object *object, uint64_t *size);

/* Judge what was reported, or that nothing was, once. */
int32_t fl_body_prepare(struct flame_transfer *transfer);

int32_t fl_body_report(struct flame_transfer *transfer, const struct flame_object *object);
void fl_body_metadata(struct flame_transfer *transfer, const char *key, const char *value);
int32_t fl_body_write(struct flame_transfer *transfer, const struct flame_slice *slices,
                      uint32_t count);
int32_t fl_body_copy(struct flame_transfer *transfer, int32_t fd, uint64_t offset, uint64_t size,
                     uint64_t *copied);
int32_t fl_body_read(struct flame_transfer *transfer, uint64_t offset, void *buffer,
                     uint64_t capacity, uint64_t *size);
int32_t fl_body_finish(struct flame_transfer *transfer, const struct flame_end *end);

#endif
