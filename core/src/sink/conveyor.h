/* SPDX-License-Identifier: Apache-2.0 */
/* A conveyor: chunks of a body on their way to one function, which from the second chunk on runs on
 * a thread of its own while the next chunk is filled.
 *
 * It owns up to FL_CONVEYOR_CHUNKS buffers. The sink takes a free one, fills it, pushes it, and may
 * go on reading it until it takes the next one. What the function fails with is told by the next
 * push or by the drain; after a failure it is not called any more.
 *
 * One thread calls; the lock guards what is between it and the conveyor's own thread. */
#ifndef FL_SINK_CONVEYOR_H
#define FL_SINK_CONVEYOR_H

#include "base/error.h"

#define FL_CONVEYOR_CHUNKS 4

struct fl_conveyor;

/* The last station of every chunk. */
struct fl_station {
    int32_t (*work)(void *data, const void *bytes, size_t size, struct flame_error *err);
    void *data;
};

/* Fails with NO_MEMORY. */
int32_t fl_conveyor_open(const struct fl_station *station, struct fl_conveyor **out,
                         struct flame_error *err) FL_CHECK;

/* A buffer of at least `capacity` bytes to fill; waits while all are on their way. NULL = no
 * memory. The same buffer is returned until it is pushed. */
void *fl_conveyor_buffer(struct fl_conveyor *conveyor, size_t capacity);

/* The first `size` bytes of the current buffer are next. */
int32_t fl_conveyor_push(struct fl_conveyor *conveyor, size_t size,
                         struct flame_error *err) FL_CHECK;

/* Wait until all that was pushed has been worked on. */
int32_t fl_conveyor_drain(struct fl_conveyor *conveyor, struct flame_error *err) FL_CHECK;

void fl_conveyor_free(struct fl_conveyor *conveyor); /* takes NULL */

#endif
