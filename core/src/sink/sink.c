/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/sink.h"

#include "sink/conveyor.h"
#include "sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COPY_STEP (4u << 20)      /* between two looks at `wanted`: a slow disk takes 0.1 s */
#define WRITEBACK_STEP (8u << 20) /* dirty bytes before the disk is set to work */

struct fl_sink {
    struct fl_sink_options options;
    struct fl_conveyor *conveyor; /* at its end: hashing, or writing, or nothing */
    struct fl_hash hash;
    size_t chunk_size; /* of the next buffer */
    char *chunk;       /* being filled, or NULL */
    size_t filled;     /* bytes in it */
    uint64_t taken;    /* bytes taken over, without those */
    uint64_t written;  /* bytes that have left for the target; the writing thread's */
    uint64_t started;  /* bytes whose writeback was asked for; likewise */
    uint64_t marked;   /* bytes at the last milestone; likewise */
};

static bool hashes(const struct fl_sink *sink)
{
    return sink->options.digest != FL_DIGEST_NONE;
}

/* Only files are written behind the back of the one who receives: a stream may block for ever, and
 * a callback belongs to the caller. */
static bool writes_behind(const struct fl_sink *sink)
{
    return !hashes(sink) && sink->options.fd >= 0 && !sink->options.is_stream;
}

void fl_sink_expect(struct fl_sink *sink, uint64_t size)
{
    sink->chunk_size = size == 0 ? 1 : size < FL_SINK_CHUNK ? (size_t)size : FL_SINK_CHUNK;
}

static void start_writeback(struct fl_sink *sink)
{
    uint64_t pending = sink->written - sink->started;

    if (!sink->options.write_early || pending < WRITEBACK_STEP)
        return;
    /* Advice only: the sync before publishing is what counts and what reports errors. */
    (void)sync_file_range(sink->options.fd, (off_t)(sink->options.offset + sink->started),
                          (off_t)pending, SYNC_FILE_RANGE_WRITE);
    sink->started = sink->written;
}

static void has_written(struct fl_sink *sink, uint64_t size)
{
    sink->written += size;
    start_writeback(sink);
    if (!sink->options.milestone || sink->written - sink->marked < sink->options.milestone_bytes)
        return;
    sink->options.milestone(sink->options.data, sink->options.offset + sink->written);
    sink->marked = sink->written;
}

static int32_t put_out(struct fl_sink *sink, const void *bytes, size_t size,
                       struct flame_error *err)
{
    int32_t status;

    if (sink->options.fd < 0)
        status = sink->options.deliver(sink->options.data, bytes, size, err);
    else if (sink->options.is_stream)
        status = fl_output_stream(&sink->options, bytes, size, err);
    else
        status = fl_output_file(sink->options.fd, bytes, size, sink->options.offset + sink->written,
                                err);
    if (status == FLAME_OK)
        has_written(sink, size);
    return status;
}

/* The conveyor's end. */
static int32_t work_on_chunk(void *data, const void *bytes, size_t size, struct flame_error *err)
{
    struct fl_sink *sink = data;

    if (writes_behind(sink))
        return put_out(sink, bytes, size, err);
    fl_hash_update(&sink->hash, bytes, size);
    return FLAME_OK;
}

int32_t fl_sink_open(const struct fl_sink_options *options, struct fl_sink **out,
                     struct flame_error *err)
{
    fl_auto_free struct fl_sink *sink = calloc(1, sizeof(*sink));
    struct fl_station station = {.work = work_on_chunk, .data = sink};
    int32_t status;

    if (!sink)
        return fl_fail_memory(err);
    sink->options = *options;
    sink->chunk_size = FL_SINK_CHUNK;
    fl_hash_init(&sink->hash, options->digest);
    status = fl_conveyor_open(&station, &sink->conveyor, err);
    if (status != FLAME_OK)
        return status;
    *out = fl_take(sink);
    return FLAME_OK;
}

/* The chunk is pushed first, so that hashing and writing run side by side. Without a digest and
 * not into a file the same buffer is simply used again. */
static int32_t flush_chunk(struct fl_sink *sink, struct flame_error *err)
{
    char *chunk = sink->chunk;
    size_t size = sink->filled;
    int32_t status = FLAME_OK;

    if (size == 0)
        return FLAME_OK;
    if (hashes(sink) || writes_behind(sink))
        status = fl_conveyor_push(sink->conveyor, size, err);
    sink->chunk = NULL;
    sink->filled = 0;
    sink->taken += size;
    if (status != FLAME_OK || writes_behind(sink))
        return status;
    return put_out(sink, chunk, size, err);
}

/* Nothing is under way any more: the target may be written to directly. */
static int32_t settle(struct fl_sink *sink, struct flame_error *err)
{
    int32_t status = flush_chunk(sink, err);

    return status == FLAME_OK ? fl_conveyor_drain(sink->conveyor, err) : status;
}

int32_t fl_sink_flush(struct fl_sink *sink, struct flame_error *err)
{
    return settle(sink, err);
}

static int32_t hash_what_is_there(struct fl_sink *sink, uint64_t from, uint64_t to,
                                  struct flame_error *err)
{
    struct fl_file_part part = {.fd = sink->options.fd, .from = from, .to = to};
    struct fl_stop stop = {.wanted = sink->options.wanted, .data = sink->options.data};

    return hashes(sink) ? fl_hash_file(&sink->hash, &part, &stop, err) : FLAME_OK;
}

int32_t fl_sink_set_digest(struct fl_sink *sink, enum fl_digest_kind kind, struct flame_error *err)
{
    int32_t status;

    if (sink->options.digest == kind)
        return FLAME_OK;
    status = settle(sink, err);
    if (status != FLAME_OK)
        return status;
    if (sink->taken > 0 && (sink->options.fd < 0 || sink->options.is_stream))
        return fl_fail(err, FLAME_ERR_CHANGED, "what came before has left without being hashed");
    sink->options.digest = kind;
    fl_hash_init(&sink->hash, kind);
    return hash_what_is_there(sink, 0, sink->taken, err);
}

int32_t fl_sink_adopt(struct fl_sink *sink, uint64_t size, struct flame_error *err)
{
    uint64_t from = sink->written;

    sink->taken = sink->written = sink->started = sink->marked = size;
    return hash_what_is_there(sink, from, size, err);
}

int32_t fl_sink_restart(struct fl_sink *sink, struct flame_error *err)
{
    int32_t status = settle(sink, err);

    sink->taken = sink->written = sink->started = sink->marked = 0;
    fl_hash_init(&sink->hash, sink->options.digest);
    return status;
}

static int32_t want_chunk(struct fl_sink *sink, struct flame_error *err)
{
    if (sink->chunk)
        return FLAME_OK;
    sink->chunk = fl_conveyor_buffer(sink->conveyor, sink->chunk_size);
    return sink->chunk ? FLAME_OK : fl_fail_memory(err);
}

/* A buffer sized for a promised length that turned out too small grows to a full chunk. */
static void outgrow(struct fl_sink *sink)
{
    if (sink->chunk_size < FL_SINK_CHUNK)
        sink->chunk_size = FL_SINK_CHUNK;
}

static int32_t gather(struct fl_sink *sink, const char *bytes, size_t size, struct flame_error *err)
{
    while (size > 0) {
        int32_t status = want_chunk(sink, err);
        size_t room;

        if (status != FLAME_OK)
            return status;
        room = sink->chunk_size - sink->filled;
        if (room > size)
            room = size;
        memcpy(sink->chunk + sink->filled, bytes, room);
        sink->filled += room;
        bytes += room;
        size -= room;
        if (sink->filled < sink->chunk_size)
            continue;
        status = flush_chunk(sink, err);
        if (status != FLAME_OK)
            return status;
        outgrow(sink);
    }
    return FLAME_OK;
}

/* Whole chunks that nobody hashes need no copy. */
static bool can_pass_through(const struct fl_sink *sink, uint64_t size)
{
    return sink->options.digest == FL_DIGEST_NONE && sink->filled == 0 && size >= FL_SINK_CHUNK;
}

static int32_t pass_through(struct fl_sink *sink, const void *bytes, size_t size,
                            struct flame_error *err)
{
    int32_t status = settle(sink, err);

    if (status == FLAME_OK)
        status = put_out(sink, bytes, size, err);
    sink->taken += size;
    return status;
}

int32_t fl_sink_write(struct fl_sink *sink, const struct flame_slice *slices, uint32_t count,
                      struct flame_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t size = (size_t)slices[i].size;
        int32_t status = can_pass_through(sink, size)
                             ? pass_through(sink, slices[i].data, size, err)
                             : gather(sink, slices[i].data, size, err);

        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}

static int32_t read_into_chunk(struct fl_sink *sink, int fd, uint64_t offset, uint64_t size,
                               uint64_t *got, struct flame_error *err)
{
    int32_t status = want_chunk(sink, err);
    size_t room = sink->chunk_size - sink->filled;
    ssize_t bytes;

    if (status != FLAME_OK)
        return status;
    do
        bytes =
            pread(fd, sink->chunk + sink->filled, room < size ? room : (size_t)size, (off_t)offset);
    while (bytes < 0 && errno == EINTR);
    if (bytes < 0) {
        status = fl_fail_errno(err, errno, "cannot read the source");
        if (err)
            err->flags |= FLAME_ERROR_SOURCE;
        return status;
    }
    *got = (uint64_t)bytes;
    sink->filled += (size_t)bytes;
    if (sink->filled < sink->chunk_size)
        return FLAME_OK;
    status = flush_chunk(sink, err);
    outgrow(sink);
    return status;
}

static int32_t copy_by_reading(struct fl_sink *sink, int fd, uint64_t offset, uint64_t size,
                               uint64_t *copied, struct flame_error *err)
{
    while (*copied < size) {
        int32_t status = sink->options.wanted(sink->options.data);
        uint64_t got = 0;

        if (status == FLAME_OK)
            status = read_into_chunk(sink, fd, offset + *copied, size - *copied, &got, err);
        if (status != FLAME_OK)
            return status;
        if (got == 0)
            break;
        *copied += got;
    }
    return FLAME_OK;
}

static int32_t copy_in_kernel(struct fl_sink *sink, int fd, uint64_t offset, uint64_t size,
                              uint64_t *copied, struct flame_error *err)
{
    while (*copied < size) {
        uint64_t left = size - *copied;
        struct fl_piece piece = {.from = fd,
                                 .to = sink->options.fd,
                                 .from_offset = offset + *copied,
                                 .to_offset = sink->options.offset + sink->written,
                                 .size = left < COPY_STEP ? left : COPY_STEP};
        uint64_t done = 0;
        int32_t status = sink->options.wanted(sink->options.data);

        if (status != FLAME_OK)
            return status;
        status = fl_output_copy(&piece, &done, err);
        *copied += done;
        has_written(sink, done);
        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}

static int32_t judge_source(int fd, struct flame_error *err)
{
    struct stat facts;

    if (fstat(fd, &facts) != 0)
        return fl_fail_errno(err, errno, "cannot look at the source");
    return S_ISREG(facts.st_mode) ? FLAME_OK : FLAME_ERR_UNSUPPORTED;
}

int32_t fl_sink_copy(struct fl_sink *sink, int fd, uint64_t offset, uint64_t size, uint64_t *copied,
                     struct flame_error *err)
{
    bool in_kernel =
        sink->options.digest == FL_DIGEST_NONE && sink->options.fd >= 0 && !sink->options.is_stream;
    int32_t status = judge_source(fd, err);

    *copied = 0;
    if (status != FLAME_OK)
        return status;
    if (in_kernel) {
        status = settle(sink, err);
        if (status == FLAME_OK)
            status = copy_in_kernel(sink, fd, offset, size, copied, err);
        sink->taken += *copied;
        if (status != FLAME_ERR_UNSUPPORTED)
            return status;
    }
    return copy_by_reading(sink, fd, offset, size, copied, err);
}

uint64_t fl_sink_size(const struct fl_sink *sink)
{
    return sink->taken + sink->filled;
}

int32_t fl_sink_finish(struct fl_sink *sink, struct fl_digest *digest, struct flame_error *err)
{
    int32_t status = settle(sink, err);

    fl_hash_final(&sink->hash, digest);
    return status;
}

void fl_sink_free(struct fl_sink *sink)
{
    if (!sink)
        return;
    fl_conveyor_free(sink->conveyor);
    free(sink);
}
