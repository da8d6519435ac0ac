/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICES_MAX 4096

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int32_t to_outcome(void *context, const struct flame_slice *slices, uint32_t count)
{
    struct outcome *outcome = context;

    for (uint32_t i = 0; i < count; i++)
        (void)fl_flight_buffer_add(&outcome->bytes, slices[i].data, (size_t)slices[i].size);
    return outcome->status;
}

static int32_t count_row(void *context, const struct fl_flight_row *row)
{
    struct outcome *outcome = context;

    (void)row;
    outcome->rows_told++;
    return FLAME_OK;
}

bool next_frame(struct fl_flight_bytes *frames, struct fl_flight_bytes *message)
{
    size_t size;

    if (frames->size < 5)
        return false;
    size = (size_t)frames->data[1] << 24 | (size_t)frames->data[2] << 16 |
           (size_t)frames->data[3] << 8 | frames->data[4];
    if (size > frames->size - 5)
        return false;
    *message = (struct fl_flight_bytes){frames->data + 5, size};
    frames->data += 5 + size;
    frames->size -= 5 + size;
    return true;
}

void add_frame(struct fl_flight_buffer *frames, const struct flame_slice *slices, uint32_t count)
{
    uint64_t size = 0;
    uint8_t head[5];

    for (uint32_t i = 0; i < count; i++)
        size += slices[i].size;
    for (int i = 0; i < 5; i++)
        head[i] = i ? (uint8_t)(size >> (32 - 8 * i)) : 0;
    (void)fl_flight_buffer_add(frames, head, sizeof(head));
    for (uint32_t i = 0; i < count; i++)
        (void)fl_flight_buffer_add(frames, slices[i].data, (size_t)slices[i].size);
}

/* ---- feeding --------------------------------------------------------------------------------- */

/* The slices of one push, each a copy. */
struct pushing {
    struct fl_flight_reader *reader;
    struct flame_slice slice[SLICES_MAX];
    uint32_t count;
    bool is_one_push;
};

static void flush(struct pushing *pushing)
{
    (void)fl_flight_reader_push(pushing->reader, pushing->slice, pushing->count);
    for (uint32_t i = 0; i < pushing->count; i++)
        free((void *)(uintptr_t)pushing->slice[i].data);
    pushing->count = 0;
}

static void add_piece(struct pushing *pushing, const uint8_t *at, size_t size)
{
    void *copy = malloc(size ? size : 1);

    if (!copy)
        die("malloc");
    memcpy(copy, at, size);
    pushing->slice[pushing->count++] = (struct flame_slice){copy, size};
    if (!pushing->is_one_push || pushing->count == SLICES_MAX)
        flush(pushing);
}

/* `offset`: where the message lies in the stream. */
static void push_message(struct pushing *pushing, struct fl_flight_bytes message, size_t offset,
                         const struct feeding *how)
{
    size_t at = 0;

    while (at < message.size) {
        size_t size = message.size - at;

        if (how->piece && how->piece < size)
            size = how->piece;
        if (how->split > offset + at && how->split < offset + at + size)
            size = how->split - offset - at;
        add_piece(pushing, message.data + at, size);
        at += size;
    }
    if (pushing->count > 0)
        flush(pushing);
}

/* What is there of a message whose frame was cut. */
static void push_cut(struct pushing *pushing, struct fl_flight_bytes frames, size_t offset,
                     const struct feeding *how)
{
    struct fl_flight_bytes rest = {frames.data + 5, frames.size - 5};
    size_t size = (size_t)frames.data[1] << 24 | (size_t)frames.data[2] << 16 |
                  (size_t)frames.data[3] << 8 | frames.data[4];

    if (fl_flight_reader_begin(pushing->reader, how->is_short ? rest.size : size))
        push_message(pushing, rest, offset, how);
}

void feed(struct fl_flight_bytes frames, const struct feeding *how, struct outcome *outcome)
{
    struct fl_flight_reader_config config = {
        .context = outcome,
        .sink = to_outcome,
        .row = count_row,
        .max_bytes = how->max_bytes ? how->max_bytes : UINT64_MAX,
        .takes_patches = how->takes_patches,
    };
    struct pushing *pushing = calloc(1, sizeof(*pushing));
    const uint8_t *start = frames.data;
    struct fl_flight_bytes message;

    *outcome = (struct outcome){.status = how->sink_status};
    if (!pushing || !(pushing->reader = fl_flight_reader_new(&config)))
        die("fl_flight_reader_new");
    pushing->is_one_push = how->is_one_push;
    while (next_frame(&frames, &message)) {
        if (fl_flight_reader_begin(pushing->reader, message.size))
            push_message(pushing, message, (size_t)(message.data - start), how);
    }
    if (frames.size >= 5)
        push_cut(pushing, frames, (size_t)(frames.data - start) + 5, how);
    (void)fl_flight_reader_finish(pushing->reader, &outcome->summary);
    outcome->code = fl_flight_reader_fault(pushing->reader)->code;
    outcome->why = fl_flight_reader_fault(pushing->reader)->why;
    outcome->status = fl_flight_reader_status(pushing->reader);
    fl_flight_reader_free(pushing->reader);
    free(pushing);
}

void outcome_done(struct outcome *outcome)
{
    fl_flight_buffer_done(&outcome->bytes);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_row(struct fl_flight_buffer *frames, const struct answer *answer,
                      struct fl_flight_bytes bytes, struct fl_flight_message *message)
{
    struct flame_slice data[2] = {{bytes.data, bytes.size / 2},
                                  {NULL, bytes.size - bytes.size / 2}};
    struct fl_flight_row row = {.version = answer->version, .size = bytes.size};
    struct fl_flight_rows_out rows = {&row, 1, data, 2};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct flame_slice slices[4];

    data[1].data = bytes.size ? bytes.data + bytes.size / 2 : NULL;
    if (!fl_flight_write_batch(message, &answer->format, &rows, &fault))
        die(fault.why);
    add_frame(frames, slices, fl_flight_message_slices(message, &rows, slices));
}

void write_answer(struct fl_flight_buffer *frames, const struct answer *answer)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_message message = {.padding = 0};
    struct fl_flight_buffer schema = {.size = 0};
    struct fl_flight_bytes left = answer->file;

    if (!fl_flight_write_schema_message(&schema, &answer->format, (struct fl_flight_bytes){NULL, 0},
                                        &fault))
        die(fault.why);
    add_frame(frames, &(struct flame_slice){schema.data, schema.size}, 1);
    do {
        struct fl_flight_bytes row = left;

        if (answer->row_size && answer->row_size < row.size)
            row.size = answer->row_size;
        write_row(frames, answer, row, &message);
        left.size -= row.size;
        left.data = left.size ? left.data + row.size : NULL;
    } while (left.size > 0);
    fl_flight_message_done(&message);
    fl_flight_buffer_done(&schema);
}

/* ---- files ----------------------------------------------------------------------------------- */

struct fl_flight_buffer read_file(const char *path)
{
    struct fl_flight_buffer all = {.size = 0};
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    size_t got = 1;

    if (!file)
        die(path);
    while (got > 0) {
        uint8_t *room = fl_flight_buffer_reserve(&all, 65536);

        if (!room)
            die(path);
        got = fread(room, 1, 65536, file);
        all.size += got;
    }
    (void)fclose(file);
    return all;
}

struct fl_flight_buffer read_golden(const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/tests/flight/golden/%s.grpc", FLAME_SOURCE_DIR, name);
    return read_file(path);
}

struct fl_flight_buffer make_file(size_t size, bool is_text)
{
    struct fl_flight_buffer made = {.size = 0};
    uint64_t state = 0x9e3779b97f4a7c15u;
    uint8_t *room = fl_flight_buffer_reserve(&made, size + 1);

    if (!room)
        die("make_file");
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        room[i] = is_text ? (uint8_t) "the quick fox\n"[i % 14] : (uint8_t)(state >> 32);
    }
    made.size = size;
    return made;
}

uint8_t *find_bytes(const struct fl_flight_buffer *in, const void *bytes, size_t size)
{
    for (size_t at = in->size < size ? 0 : in->size - size + 1; at > 0; at--) {
        if (memcmp(in->data + at - 1, bytes, size) == 0)
            return in->data + at - 1;
    }
    (void)fprintf(stderr, "what should be damaged is not there\n");
    exit(1);
}
