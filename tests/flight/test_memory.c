/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails once: the fault is NO_MEMORY, never another one and never a wrong file.
 * Linked with --wrap=malloc,calloc,realloc, which reaches all of ours and none of the libraries'.
 */
#include "fixture.h"
#include "messages.h"

#include <criterion/criterion.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);

static bool is_armed;
static int left; /* allocations until the one that fails */

static bool fails(void)
{
    return is_armed && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static int32_t count_bytes(void *context, const struct flame_slice *slices, uint32_t count)
{
    uint64_t *bytes = context;

    for (uint32_t i = 0; i < count; i++)
        *bytes += slices[i].size;
    return FLAME_OK;
}

/* What became of it, when allocation `place` fails. */
static enum fl_flight_code read_once(const struct fl_flight_buffer *frames, int place)
{
    uint64_t bytes = 0;
    struct fl_flight_reader_config config = {&bytes, count_bytes, NULL, UINT64_MAX, false};
    struct fl_flight_bytes stream = fl_flight_buffer_view(frames);
    struct fl_flight_bytes message;
    struct fl_flight_summary summary;
    struct fl_flight_reader *reader;
    enum fl_flight_code code;

    left = place;
    is_armed = true;
    reader = fl_flight_reader_new(&config);
    while (reader && next_frame(&stream, &message))
        (void)fl_flight_reader_message(reader, &(struct flame_slice){message.data, message.size},
                                       1);
    if (reader)
        (void)fl_flight_reader_finish(reader, &summary);
    is_armed = false;
    code = reader ? fl_flight_reader_fault(reader)->code : FL_FLIGHT_NO_MEMORY;
    if (code == FL_FLIGHT_NONE)
        cr_expect(summary.bytes == bytes && summary.rows > 0);
    fl_flight_reader_free(reader);
    return code;
}

Test(memory, a_reader_without_memory_says_so)
{
    struct fl_flight_buffer file = make_file(300000, true);

    for (int codec = FL_FLIGHT_PLAIN; codec <= FL_FLIGHT_ZSTD; codec++) {
        struct answer answer = {.format = {.has_kind = true, .codec = codec},
                                .row_size = 200000,
                                .file = fl_flight_buffer_view(&file)};
        struct fl_flight_buffer frames = {.size = 0};
        int place = 0;

        write_answer(&frames, &answer);
        while (read_once(&frames, place) == FL_FLIGHT_NO_MEMORY)
            place++;
        cr_expect_gt(place, 5);
        cr_expect_eq(read_once(&frames, place), FL_FLIGHT_NONE);
        fl_flight_buffer_done(&frames);
    }
    fl_flight_buffer_done(&file);
}

static bool write_once(const struct fl_flight_rows_out *rows, enum fl_flight_codec codec, int place)
{
    struct fl_flight_format format = {.has_kind = true, .codec = codec};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_message message = {.padding = 0};
    struct fl_flight_buffer schema = {.size = 0};
    bool done;

    left = place;
    is_armed = true;
    done = fl_flight_write_schema_message(&schema, &format, fl_flight_text("x"), &fault) &&
           fl_flight_write_batch(&message, &format, rows, &fault);
    is_armed = false;
    cr_expect_eq(fault.code, done ? FL_FLIGHT_NONE : FL_FLIGHT_NO_MEMORY);
    fl_flight_message_done(&message);
    fl_flight_buffer_done(&schema);
    return done;
}

Test(memory, a_writer_without_memory_says_so)
{
    struct fl_flight_buffer file = make_file(300000, true);
    struct flame_slice slice = {file.data, file.size};
    struct fl_flight_row row = {.size = file.size};
    struct fl_flight_rows_out rows = {&row, 1, &slice, 1};

    for (int codec = FL_FLIGHT_PLAIN; codec <= FL_FLIGHT_ZSTD; codec++) {
        int place = 0;

        while (!write_once(&rows, codec, place))
            place++;
        cr_expect_gt(place, 2);
    }
    fl_flight_buffer_done(&file);
}

Test(memory, a_message_without_memory_says_so)
{
    struct fl_flight_info info = {.endpoints = 1, .endpoint = {{.locations = 1}}};
    struct fl_flight_buffer out = {.size = 0};
    int place = 0;

    info.endpoint[0].ticket = fl_flight_text("a/b/c");
    info.endpoint[0].location[0] = fl_flight_text("grpc://127.0.0.1:9090");
    do {
        fl_flight_buffer_done(&out);
        left = place++;
        is_armed = true;
        fl_flight_write_info(&out, &info);
        is_armed = false;
    } while (out.failed);
    cr_expect_gt(place, 4);
    fl_flight_buffer_done(&out);
}
