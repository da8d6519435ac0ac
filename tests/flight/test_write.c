/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read again, in every form that an answer can have. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

static void round_trip(const struct answer *answer, size_t piece)
{
    uint64_t rows =
        answer->row_size ? (answer->file.size + answer->row_size - 1) / answer->row_size : 1;
    struct fl_flight_buffer frames = {.size = 0};
    struct feeding how = {.piece = piece};
    struct outcome outcome;

    write_answer(&frames, answer);
    feed(fl_flight_buffer_view(&frames), &how, &outcome);
    cr_expect_eq(outcome.code, FL_FLIGHT_NONE, "%zu bytes: %s", answer->file.size, outcome.why);
    cr_assert_eq(outcome.bytes.size, answer->file.size);
    cr_expect(outcome.bytes.size == 0 ||
              memcmp(outcome.bytes.data, answer->file.data, answer->file.size) == 0);
    cr_expect_eq(outcome.summary.rows, rows ? rows : 1);
    cr_expect_eq(outcome.summary.version, answer->version);
    cr_expect_eq(outcome.summary.codec, answer->format.codec);
    cr_expect_eq(outcome.summary.has_kind, answer->format.has_kind);
    outcome_done(&outcome);
    fl_flight_buffer_done(&frames);
}

/* Every dialect, layout, kind of bitmap and offset, for one file and codec. */
static void every_form(struct fl_flight_bytes file, enum fl_flight_codec codec)
{
    for (uint32_t form = 0; form < 16; form++) {
        struct answer answer = {
            .format = {.has_kind = form & 1,
                       .has_bitmaps = form & 2,
                       .wide_data = form & 4,
                       .codec = codec},
            .row_size = form & 8 ? MIB : 0,
            .version = form * 1000003u,
            .file = file,
        };

        round_trip(&answer, form % 3 == 0 ? 0 : 65536 / form);
    }
}

static void every_size(enum fl_flight_codec codec)
{
    static const size_t sizes[] = {0,       1,   64 * KIB - 1, 64 * KIB, 64 * KIB + 1,
                                   MIB - 1, MIB, MIB + 1};

    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct fl_flight_buffer file = make_file(sizes[i / 2], i % 2);

        every_form(fl_flight_buffer_view(&file), codec);
        fl_flight_buffer_done(&file);
    }
}

Test(write, plain_bodies_come_back, .timeout = 240)
{
    every_size(FL_FLIGHT_PLAIN);
}

Test(write, lz4_bodies_come_back, .timeout = 240)
{
    every_size(FL_FLIGHT_LZ4);
}

Test(write, zstd_bodies_come_back, .timeout = 240)
{
    every_size(FL_FLIGHT_ZSTD);
}

Test(write, a_small_answer_in_slices_of_one_byte_comes_back)
{
    struct fl_flight_buffer file = make_file(3000, true);

    for (int codec = FL_FLIGHT_PLAIN; codec <= FL_FLIGHT_ZSTD; codec++) {
        struct answer answer = {.format = {.has_kind = true, .codec = codec},
                                .row_size = 1000,
                                .file = fl_flight_buffer_view(&file)};

        round_trip(&answer, 1);
    }
    fl_flight_buffer_done(&file);
}

/* One answer of a megabyte; *head: a raw length and the first bytes of the file. */
static struct fl_flight_buffer written(enum fl_flight_codec codec, bool is_text, uint8_t head[40])
{
    struct fl_flight_buffer file = make_file(MIB, is_text);
    struct answer answer = {.format.codec = codec, .file = fl_flight_buffer_view(&file)};
    struct fl_flight_buffer frames = {.size = 0};

    write_answer(&frames, &answer);
    memset(head, 0xff, 8);
    memcpy(head + 8, file.data, 32);
    fl_flight_buffer_done(&file);
    return frames;
}

Test(write, compresses_what_becomes_shorter_and_nothing_else)
{
    for (int codec = FL_FLIGHT_LZ4; codec <= FL_FLIGHT_ZSTD; codec++) {
        uint8_t head[40];
        struct fl_flight_buffer text = written(codec, true, head);
        struct fl_flight_buffer noise = written(codec, false, head);

        cr_expect_lt(text.size, MIB / 10);
        cr_expect_not_null(find_bytes(&noise, head, sizeof(head)), "it is stored as it is");
        fl_flight_buffer_done(&text);
        fl_flight_buffer_done(&noise);
    }
}

Test(write, plain_bytes_of_the_caller_are_not_copied)
{
    struct flame_slice data[] = {{"abc", 3}, {"defg", 4}};
    struct fl_flight_row row = {.size = 7};
    struct fl_flight_rows_out rows = {&row, 1, data, 2};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_message message = {.padding = 0};
    struct fl_flight_format format = {.has_kind = false};
    struct flame_slice slices[4];

    cr_assert(fl_flight_write_batch(&message, &format, &rows, &fault));
    cr_assert_eq(fl_flight_message_slices(&message, &rows, slices), 4);
    cr_expect_eq(slices[1].data, data[0].data);
    cr_expect_eq(slices[2].data, data[1].data);
    cr_expect_eq(slices[3].size, message.padding);
    fl_flight_message_done(&message);
}

Test(write, a_batch_over_the_offsets_of_binary_is_refused)
{
    struct fl_flight_row row = {.size = (uint64_t)1 << 31};
    struct fl_flight_rows_out rows = {&row, 1, NULL, 0};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_message message = {.padding = 0};
    struct fl_flight_format format = {.has_kind = false};

    cr_expect_not(fl_flight_write_batch(&message, &format, &rows, &fault));
    cr_expect_eq(fault.code, FL_FLIGHT_LIMIT);
    fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
    row.size--;
    cr_expect(fl_flight_write_batch(&message, &format, &rows, &fault));
    row.size++;
    format.wide_data = true;
    cr_expect(fl_flight_write_batch(&message, &format, &rows, &fault));
    fl_flight_message_done(&message);
}

Test(codec, is_found_by_name_and_number)
{
    enum fl_flight_codec codec;

    for (int i = FL_FLIGHT_PLAIN; i <= FL_FLIGHT_ZSTD; i++) {
        cr_assert(fl_flight_codec_find(fl_flight_codec_name(i), &codec));
        cr_expect_eq((int)codec, i);
        if (i != FL_FLIGHT_PLAIN)
            cr_expect(fl_flight_codec_find_number(fl_flight_codec_number(i), &codec) &&
                      (int)codec == i);
    }
    cr_expect_not(fl_flight_codec_find("gzip", &codec));
    cr_expect_not(fl_flight_codec_find_number(2, &codec));
    cr_expect_not(fl_flight_codec_find_number(-1, &codec));
}

Test(codec, a_stream_that_was_left_in_the_middle_begins_again)
{
    struct fl_flight_buffer file = make_file(100, true);
    struct flame_slice slice = {file.data, file.size};

    for (int codec = FL_FLIGHT_LZ4; codec <= FL_FLIGHT_ZSTD; codec++) {
        struct fl_flight_inflate *inflate = fl_flight_inflate_new(codec);
        struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
        struct fl_flight_buffer frame = {.size = 0};
        struct fl_flight_window window;
        uint8_t out[200];
        bool is_end = false;

        cr_assert(inflate && fl_flight_deflate(codec, &slice, 1, &frame, &fault));
        window = (struct fl_flight_window){frame.data, frame.size / 2, out, sizeof(out)};
        cr_assert(fl_flight_inflate_step(inflate, &window, &is_end, &fault) && !is_end);
        fl_flight_inflate_reset(inflate);
        window = (struct fl_flight_window){frame.data, frame.size, out, sizeof(out)};
        cr_assert(fl_flight_inflate_step(inflate, &window, &is_end, &fault));
        cr_expect(is_end && window.out_size == 100 && memcmp(out, file.data, 100) == 0);
        fl_flight_inflate_free(inflate);
        fl_flight_buffer_done(&frame);
    }
    fl_flight_buffer_done(&file);
}
