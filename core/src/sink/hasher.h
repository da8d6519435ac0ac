/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks of a body and the thread that hashes them.
 *
 * A hasher owns up to FL_HASHER_CHUNKS buffers. The sink takes a free one, fills it, hands it over
 * with fl_hasher_push() and may go on reading it (to write it out) until it takes the next one. The
 * first chunk is hashed on the spot; a thread is worth its while only for more. Without a digest it
 * is one buffer and no thread.
 *
 * One thread calls; the lock guards the queue between it and the hashing thread. */
#ifndef FL_SINK_HASHER_H
#define FL_SINK_HASHER_H

#include "sink/digest.h"

#define FL_HASHER_CHUNKS 4

struct fl_hasher;

/* Fails with NO_MEMORY. */
int32_t fl_hasher_open(enum fl_digest_kind kind, struct fl_hasher **out,
                       struct flame_error *err) FL_CHECK;

/* A buffer of at least `capacity` bytes to fill; waits while all are being hashed. NULL = no
 * memory. The same buffer is returned until it is pushed. */
void *fl_hasher_buffer(struct fl_hasher *hasher, size_t capacity);

/* Hand the current buffer over: its first `size` bytes are next in the body. */
void fl_hasher_push(struct fl_hasher *hasher, size_t size);

/* Wait for the thread and finish; kind NONE without a digest. Once. */
void fl_hasher_final(struct fl_hasher *hasher, struct fl_digest *out);

void fl_hasher_free(struct fl_hasher *hasher); /* takes NULL */

#endif
