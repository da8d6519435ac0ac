/* SPDX-License-Identifier: Apache-2.0 */
/* Where a sink's bytes go: one function per kind of target. Private to the sink. */
#ifndef FL_SINK_OUTPUT_H
#define FL_SINK_OUTPUT_H

#include "sink/sink.h"

/* All of it at `offset` of a file. Fails with IO, NO_SPACE. */
int32_t fl_output_file(int fd, const void *bytes, size_t size, uint64_t offset,
                       struct flame_error *err) FL_CHECK;

/* All of it, in order, into a stream; waits for room in a way that cancelling ends.
 * Fails with IO, and what `wanted` says. */
int32_t fl_output_stream(const struct fl_sink_options *options, const void *bytes, size_t size,
                         struct flame_error *err) FL_CHECK;

/* A piece of one file that becomes a piece of another. */
struct fl_piece {
    int from;
    int to;
    uint64_t from_offset;
    uint64_t to_offset;
    uint64_t size;
};

/* Copy it inside the kernel: shared blocks, copy_file_range, sendfile. *copied is what was done,
 * also on failure; UNSUPPORTED: this pair of files cannot (any more), go on by reading. Fails with
 * IO, NO_SPACE too. */
int32_t fl_output_copy(const struct fl_piece *piece, uint64_t *copied,
                       struct flame_error *err) FL_CHECK;

#endif
