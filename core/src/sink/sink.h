/* SPDX-License-Identifier: Apache-2.0 */
/* The sink: body bytes, in order, into a file, a stream or a function; hashed on the way.
 *
 * Small pieces are gathered into chunks of 1 MiB before they are written: libcurl hands out 16 KiB
 * at a time, and 65,536 writes a GiB cost twice what 1,024 do. A digest is computed from those very
 * chunks, so what was hashed is what was written. From the second chunk on a second thread takes
 * the heavier half of the work (conveyor.h): it hashes while this one receives and writes; without
 * a digest, and into a file, it writes while this one receives. A failure to write may then be told
 * by a later call, by fl_sink_finish() at the latest.
 *
 * One thread at a time per sink. */
#ifndef FL_SINK_SINK_H
#define FL_SINK_SINK_H

#include "sink/digest.h"

#include <flame/plugin.h>

#define FL_SINK_CHUNK (1u << 20)

struct fl_sink_options {
    int fd;           /* where to write; -1 = to `deliver` */
    bool is_stream;   /* fd: write in order as it comes (a pipe, a socket, a terminal), no pwrite */
    bool write_early; /* fd: start writeback on the way, so that the final sync is short */
    enum fl_digest_kind digest;
    uint64_t offset; /* fd: where in the file the first byte belongs */
    /* Told each `milestone_bytes` that have been written to a file; NULL = nobody cares. */
    void (*milestone)(void *data, uint64_t written);
    uint64_t milestone_bytes;
    /* Takes the bytes over; borrowed until it returns. Fills the error itself when it fails. */
    int32_t (*deliver)(void *data, const void *bytes, size_t size, struct flame_error *err);
    /* OK while the bytes are wanted; asked between long steps. */
    int32_t (*wanted)(void *data);
    int cancel_fd; /* readable when they no longer are; for waiting on a slow stream */
    void *data;    /* for all three */
};

struct fl_sink;

/* Fails with NO_MEMORY. */
int32_t fl_sink_open(const struct fl_sink_options *options, struct fl_sink **out,
                     struct flame_error *err) FL_CHECK;

/* Compute this digest. What is in a file already is read for it, unless it was computed all along.
 * Fails as fl_sink_flush(), with IO, what `wanted` says, CHANGED where bytes have left unhashed. */
int32_t fl_sink_set_digest(struct fl_sink *sink, enum fl_digest_kind kind,
                           struct flame_error *err) FL_CHECK;

/* Somebody else has put bytes into the file, up to `size`: go on behind them. They are read for the
 * digest. With nothing gathered only. Fails with IO, what `wanted` says. */
int32_t fl_sink_adopt(struct fl_sink *sink, uint64_t size, struct flame_error *err) FL_CHECK;

/* Forget all bytes: the next one is the first again. Not for what has left for a stream. Fails with
 * what an earlier write failed with. */
int32_t fl_sink_restart(struct fl_sink *sink, struct flame_error *err) FL_CHECK;

/* Write what is gathered. Fails as fl_sink_write(). */
int32_t fl_sink_flush(struct fl_sink *sink, struct flame_error *err) FL_CHECK;

/* How many bytes will come: sizes the buffer. A hint; call it before the first byte. */
void fl_sink_expect(struct fl_sink *sink, uint64_t size);

/* Append. Fails with IO, NO_SPACE, NO_MEMORY, what `deliver` and `wanted` say. */
int32_t fl_sink_write(struct fl_sink *sink, const struct flame_slice *slices, uint32_t count,
                      struct flame_error *err) FL_CHECK;

/* Append `size` bytes from `offset` of a regular file, inside the kernel where nothing has to be
 * hashed: reflink, copy_file_range, sendfile, read, in that order. *copied is less only at the end
 * of the file. Fails with UNSUPPORTED (not a regular file), IO, NO_SPACE, what `wanted` says. */
int32_t fl_sink_copy(struct fl_sink *sink, int fd, uint64_t offset, uint64_t size, uint64_t *copied,
                     struct flame_error *err) FL_CHECK;

/* Bytes taken over so far, written or not. */
uint64_t fl_sink_size(const struct fl_sink *sink);

/* Write what is gathered and finish the digest (kind NONE if none was asked). */
int32_t fl_sink_finish(struct fl_sink *sink, struct fl_digest *digest,
                       struct flame_error *err) FL_CHECK;

/* Stop the thread, free; the descriptor stays the caller's. Takes NULL. */
void fl_sink_free(struct fl_sink *sink);

#endif
