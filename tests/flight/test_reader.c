/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that were damaged with a purpose: each has its own verdict. */
#include "envelope.h"
#include "fixture.h"
#include "rows.h"

#include <criterion/criterion.h>
#include <string.h>

#define LITTLE(n) (uint8_t)(n), (uint8_t)((n) >> 8), (uint8_t)((n) >> 16), (uint8_t)((n) >> 24)
#define LITTLE64(n) LITTLE(n), LITTLE((uint64_t)(n) >> 32)

static const struct feeding whole;

/* A schema and one batch with two rows, "abc" and "defg". */
static struct fl_flight_buffer two_rows(struct fl_flight_format format, uint64_t second)
{
    struct fl_flight_row row[] = {{.version = 5, .size = 3}, {.version = second, .size = 4}};
    struct flame_slice data = {"abcdefg", 7};
    struct fl_flight_rows_out rows = {row, 2, &data, 1};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_message message = {.padding = 0};
    struct fl_flight_buffer frames = {.size = 0};
    struct fl_flight_buffer schema = {.size = 0};
    struct flame_slice slices[3];

    cr_assert(fl_flight_write_schema_message(&schema, &format, (struct fl_flight_bytes){NULL, 0},
                                             &fault));
    add_frame(&frames, &(struct flame_slice){schema.data, schema.size}, 1);
    cr_assert(fl_flight_write_batch(&message, &format, &rows, &fault), "%s", fault.why);
    add_frame(&frames, slices, fl_flight_message_slices(&message, &rows, slices));
    fl_flight_message_done(&message);
    fl_flight_buffer_done(&schema);
    return frames;
}

/* Feed and free. Returns the code; *text = the bytes, terminated. */
static enum fl_flight_code verdict(struct fl_flight_buffer *frames, struct feeding how, char *text)
{
    struct outcome outcome;
    enum fl_flight_code code;

    feed(fl_flight_buffer_view(frames), &how, &outcome);
    code = outcome.code;
    if (text) {
        cr_assert_lt(outcome.bytes.size, 64);
        memcpy(text, outcome.bytes.size ? outcome.bytes.data : (const void *)"",
               outcome.bytes.size);
        text[outcome.bytes.size] = '\0';
    }
    outcome_done(&outcome);
    fl_flight_buffer_done(frames);
    return code;
}

static enum fl_flight_code with_offsets(uint32_t first, uint32_t second, uint32_t third, char *text)
{
    struct fl_flight_buffer frames = two_rows((struct fl_flight_format){.has_kind = true}, 5);
    const uint8_t old[] = {LITTLE(0u), LITTLE(3u), LITTLE(7u)};
    const uint8_t new[] = {LITTLE(first), LITTLE(second), LITTLE(third)};

    memcpy(find_bytes(&frames, old, sizeof(old)), new, sizeof(new));
    return verdict(&frames, whole, text);
}

Test(reader, offsets_may_begin_behind_0_and_end_before_the_end)
{
    char text[64];

    cr_expect_eq(with_offsets(0, 3, 7, text), FL_FLIGHT_NONE);
    cr_expect_str_eq(text, "abcdefg");
    cr_expect_eq(with_offsets(2, 3, 7, text), FL_FLIGHT_NONE);
    cr_expect_str_eq(text, "cdefg");
    cr_expect_eq(with_offsets(2, 2, 4, text), FL_FLIGHT_NONE);
    cr_expect_str_eq(text, "cd");
    cr_expect_eq(with_offsets(7, 7, 7, text), FL_FLIGHT_NONE);
    cr_expect_str_eq(text, "");
}

Test(reader, offsets_that_fall_or_lead_outside_are_malformed)
{
    char text[64];

    cr_expect_eq(with_offsets(0, 7, 3, text), FL_FLIGHT_MALFORMED);
    cr_expect_str_eq(text, "", "before a byte is given away");
    cr_expect_eq(with_offsets(4, 3, 7, text), FL_FLIGHT_MALFORMED);
    cr_expect_eq(with_offsets(0, 3, 8, text), FL_FLIGHT_MALFORMED);
    cr_expect_eq(with_offsets(UINT32_MAX, UINT32_MAX, UINT32_MAX, text), FL_FLIGHT_MALFORMED);
    cr_expect_eq(with_offsets(0, 3, UINT32_MAX, text), FL_FLIGHT_MALFORMED);
}

/* Of a compressed file of `size` bytes, the one row from `first` to `end`. */
static enum fl_flight_code of_compressed(uint32_t size, uint32_t first, uint32_t end, char *text)
{
    struct fl_flight_buffer file = make_file(size, true);
    struct answer answer = {.format.codec = FL_FLIGHT_ZSTD, .file = fl_flight_buffer_view(&file)};
    const uint8_t old[] = {LITTLE64(UINT64_MAX), LITTLE(0u), LITTLE(size)};
    const uint8_t new[] = {LITTLE64(UINT64_MAX), LITTLE(first), LITTLE(end)};
    struct fl_flight_buffer frames = {.size = 0};
    enum fl_flight_code code;

    write_answer(&frames, &answer);
    memcpy(find_bytes(&frames, old, sizeof(old)), new, sizeof(new));
    code = verdict(&frames, whole, text);
    fl_flight_buffer_done(&file);
    return code;
}

Test(reader, the_offsets_of_a_compressed_body_may_begin_behind_0_too)
{
    char text[64];

    cr_expect_eq(of_compressed(90, 14, 33, text), FL_FLIGHT_NONE);
    cr_expect_str_eq(text, "the quick fox\nthe q");
}

/* As those of large_binary are, where the schema says binary: the first row would be empty. */
Test(reader, offsets_that_leave_out_more_than_padding_are_malformed)
{
    char text[64];

    cr_expect_eq(of_compressed(1000, 0, 0, text), FL_FLIGHT_MALFORMED);
    cr_expect_str_eq(text, "", "before a byte is given away");
    cr_expect_eq(of_compressed(97, 0, 32, text), FL_FLIGHT_MALFORMED);
    cr_expect_eq(of_compressed(96, 0, 32, text), FL_FLIGHT_NONE);
}

Test(reader, a_batch_of_no_rows_has_no_bytes_but_padding)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_plan plan = {.has_kind = false};
    struct fl_flight_rows rows = {.count = 0};

    fl_flight_rows_begin(&rows, &plan, 0);
    cr_expect(fl_flight_rows_judge(&rows, 64, &fault));
    cr_expect_not(fl_flight_rows_judge(&rows, 65, &fault));
    cr_expect_eq(fault.code, FL_FLIGHT_MALFORMED);
    fl_flight_rows_done(&rows);
}

Test(reader, rows_of_two_versions_are_no_file)
{
    for (int has_kind = 0; has_kind < 2; has_kind++) {
        struct fl_flight_buffer frames =
            two_rows((struct fl_flight_format){.has_kind = has_kind}, 0);
        char text[64];

        cr_expect_eq(verdict(&frames, whole, text), FL_FLIGHT_PATCHED);
        cr_expect_str_eq(text, "", "before a byte is given away");
    }
}

Test(reader, a_kind_that_is_not_known_is_refused)
{
    struct fl_flight_buffer frames = two_rows((struct fl_flight_format){.has_kind = true}, 5);

    memcpy(find_bytes(&frames, "basebase", 8), "basebass", 8);
    cr_expect_eq(verdict(&frames, whole, NULL), FL_FLIGHT_COLUMNS);
}

Test(reader, a_row_without_a_value_is_refused)
{
    struct fl_flight_buffer frames = two_rows((struct fl_flight_format){.has_kind = true}, 5);
    const uint8_t node[] = {LITTLE64(2u), LITTLE64(0u), LITTLE64(2u), LITTLE64(0u)};

    find_bytes(&frames, node, sizeof(node))[24] = 1;
    cr_expect_eq(verdict(&frames, whole, NULL), FL_FLIGHT_COLUMNS);
}

Test(reader, more_than_the_caller_takes_is_refused_before_it_comes)
{
    struct fl_flight_buffer frames = two_rows((struct fl_flight_format){.has_kind = true}, 5);
    char text[64];

    cr_expect_eq(verdict(&frames, (struct feeding){.max_bytes = 6}, text), FL_FLIGHT_LIMIT);
    cr_expect_str_eq(text, "");
    frames = two_rows((struct fl_flight_format){.has_kind = true}, 5);
    cr_expect_eq(verdict(&frames, (struct feeding){.max_bytes = 7}, text), FL_FLIGHT_NONE);
}

Test(reader, what_the_sink_says_is_the_outcome)
{
    struct fl_flight_buffer frames = two_rows((struct fl_flight_format){.has_kind = true}, 5);
    struct feeding how = {.sink_status = FLAME_ERR_NO_SPACE};
    struct outcome outcome;

    feed(fl_flight_buffer_view(&frames), &how, &outcome);
    cr_expect_eq(outcome.code, FL_FLIGHT_SINK);
    cr_expect_eq(outcome.status, FLAME_ERR_NO_SPACE);
    outcome_done(&outcome);
    fl_flight_buffer_done(&frames);
}

/* ---- compressed buffers that lie about their length ------------------------------------------ */

static enum fl_flight_code with_prefix(enum fl_flight_codec codec, uint64_t prefix)
{
    struct fl_flight_buffer file = make_file(1000, true);
    struct answer answer = {.format.codec = codec, .file = fl_flight_buffer_view(&file)};
    const uint8_t old[] = {LITTLE64(1000u)};
    const uint8_t new[] = {LITTLE64(prefix)};
    struct fl_flight_buffer frames = {.size = 0};

    write_answer(&frames, &answer);
    memcpy(find_bytes(&frames, old, sizeof(old)), new, sizeof(new));
    fl_flight_buffer_done(&file);
    return verdict(&frames, (struct feeding){.piece = prefix % 3 ? 0 : 1}, NULL);
}

Test(reader, a_frame_brings_exactly_what_it_says)
{
    for (int codec = FL_FLIGHT_LZ4; codec <= FL_FLIGHT_ZSTD; codec++) {
        cr_expect_neq(with_prefix(codec, 999), FL_FLIGHT_NONE, "more than it says");
        cr_expect_eq(with_prefix(codec, 1001), FL_FLIGHT_MALFORMED, "less than it says");
        cr_expect_eq(with_prefix(codec, 1002), FL_FLIGHT_MALFORMED, "less than it says");
        cr_expect_eq(with_prefix(codec, UINT64_MAX - 1), FL_FLIGHT_MALFORMED, "a negative length");
        cr_expect_eq(with_prefix(codec, (uint64_t)1 << 62), FL_FLIGHT_MALFORMED, "a huge length");
        cr_expect_eq(with_prefix(codec, 0), FL_FLIGHT_MALFORMED, "empty: then no row fits");
        cr_expect_eq(with_prefix(codec, UINT64_MAX), FL_FLIGHT_MALFORMED, "raw, and too short");
    }
}

Test(reader, a_frame_that_is_cut_is_truncated)
{
    for (int codec = FL_FLIGHT_LZ4; codec <= FL_FLIGHT_ZSTD; codec++) {
        struct fl_flight_buffer file = make_file(300000, false);
        struct fl_flight_buffer frames = {.size = 0};
        struct answer answer = {.format.codec = codec};
        const uint8_t big[] = {LITTLE64(500000u)};
        uint8_t *prefix;

        memset(file.data, 'x', 100000); /* two thirds of it stay */
        answer.file = fl_flight_buffer_view(&file);
        write_answer(&frames, &answer);
        prefix = find_bytes(&frames, (const uint8_t[]){LITTLE64(300000u)}, 8);
        memcpy(prefix, big, 8);
        memset(prefix + 8 + 100000, 0, frames.size - (size_t)(prefix + 8 + 100000 - frames.data));
        cr_expect_neq(verdict(&frames, whole, NULL), FL_FLIGHT_NONE);
        fl_flight_buffer_done(&file);
    }
}

Test(reader, what_is_behind_a_frame_in_its_buffer_is_padding)
{
    struct fl_flight_buffer file = make_file(1000, true);
    struct answer answer = {.format.codec = FL_FLIGHT_ZSTD, .file = fl_flight_buffer_view(&file)};
    struct fl_flight_buffer frames = {.size = 0};
    struct fl_flight_buffer packed = {.size = 0};
    struct flame_slice slice = {file.data, file.size};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct outcome outcome;
    uint64_t length;

    cr_assert(fl_flight_deflate(FL_FLIGHT_ZSTD, &slice, 1, &packed, &fault));
    length = packed.size + 8;
    write_answer(&frames, &answer);
    /* Buffer.length grows into the padding of the body. */
    *find_bytes(&frames, (const uint8_t[]){LITTLE64(length)}, 8) += 3;
    feed(fl_flight_buffer_view(&frames), &whole, &outcome);
    cr_expect_eq(outcome.code, FL_FLIGHT_NONE, "%s", outcome.why);
    cr_expect_eq(outcome.bytes.size, 1000);
    outcome_done(&outcome);
    fl_flight_buffer_done(&packed);
    fl_flight_buffer_done(&frames);
    fl_flight_buffer_done(&file);
}

/* ---- messages in an order that is none ------------------------------------------------------- */

static struct fl_flight_bytes frame_at(const struct fl_flight_buffer *frames, int index)
{
    struct fl_flight_bytes left = fl_flight_buffer_view(frames);
    struct fl_flight_bytes message;

    for (int i = 0; i <= index; i++)
        cr_assert(next_frame(&left, &message));
    return message;
}

static enum fl_flight_code in_order(const int *order, int count)
{
    struct fl_flight_buffer two = two_rows((struct fl_flight_format){.has_kind = true}, 5);
    struct fl_flight_buffer frames = {.size = 0};

    for (int i = 0; i < count; i++) {
        struct fl_flight_bytes message = {NULL, 0};

        if (order[i] < 2)
            message = frame_at(&two, order[i]);
        else
            message =
                (struct fl_flight_bytes){(const uint8_t *)"\x1a\x02hi", order[i] == 2 ? 4 : 0};
        add_frame(&frames, &(struct flame_slice){message.data, message.size}, 1);
    }
    fl_flight_buffer_done(&two);
    return verdict(&frames, whole, NULL);
}

Test(reader, a_schema_comes_first_and_once)
{
    cr_expect_eq(in_order((const int[]){0, 1}, 2), FL_FLIGHT_NONE);
    cr_expect_eq(in_order((const int[]){0, 1, 1}, 3), FL_FLIGHT_NONE);
    cr_expect_eq(in_order((const int[]){1}, 1), FL_FLIGHT_MALFORMED);
    cr_expect_eq(in_order((const int[]){0, 0, 1}, 3), FL_FLIGHT_MALFORMED);
    cr_expect_eq(in_order((const int[]){0}, 1), FL_FLIGHT_NO_ROWS);
    cr_expect_eq(in_order(NULL, 0), FL_FLIGHT_TRUNCATED);
}

Test(reader, messages_with_metadata_alone_are_skipped)
{
    cr_expect_eq(in_order((const int[]){2, 0, 3, 1, 2}, 5), FL_FLIGHT_NONE);
}

static enum fl_flight_code with_message(const void *bytes, size_t size)
{
    struct fl_flight_buffer frames = {.size = 0};

    add_frame(&frames, &(struct flame_slice){bytes, size}, 1);
    return verdict(&frames, whole, NULL);
}

Test(reader, a_flight_data_that_is_malformed_is_refused)
{
    cr_expect_eq(with_message("\xc2\x3e\x01x\x12\x01x", 7), FL_FLIGHT_MALFORMED, "body first");
    cr_expect_eq(with_message("\xc2\x3e\x00\xc2\x3e\x00", 6), FL_FLIGHT_MALFORMED, "two bodies");
    cr_expect_eq(with_message("\xc2\x3e\x01x", 4), FL_FLIGHT_MALFORMED, "a body alone");
    cr_expect_eq(with_message("\xc2\x3e\x00\x12\x01x", 6), FL_FLIGHT_MALFORMED,
                 "a header behind an empty body");
    cr_expect_eq(with_message("\x10\x01", 2), FL_FLIGHT_MALFORMED, "a header that is a number");
    cr_expect_eq(with_message("\xc0\x3e\x01", 3), FL_FLIGHT_MALFORMED, "a body that is a number");
    cr_expect_eq(with_message("\x15\x01\x02\x03\x04", 5), FL_FLIGHT_MALFORMED, "fixed32");
    cr_expect_eq(with_message("\x12\x05x", 3), FL_FLIGHT_MALFORMED, "longer than the message");
    cr_expect_eq(with_message("\xc2\x3e\x05x", 4), FL_FLIGHT_MALFORMED, "a body that is longer");
    cr_expect_eq(with_message("\x12", 1), FL_FLIGHT_MALFORMED, "no length");
    cr_expect_eq(with_message("\x80", 1), FL_FLIGHT_MALFORMED, "half a tag");
    cr_expect_eq(with_message("\x13\x14", 2), FL_FLIGHT_MALFORMED, "a group");
    cr_expect_eq(with_message("\x28\x01\x35zzzz\x39zzzzzzzz\x42\x01z", 19), FL_FLIGHT_TRUNCATED,
                 "unknown fields are skipped, then no schema");
}

Test(reader, the_fields_of_a_flight_data_are_bounded)
{
    struct fl_flight_buffer frames = {.size = 0};
    struct fl_flight_buffer message = {.size = 0};

    (void)fl_flight_buffer_add(&message, NULL, FL_FLIGHT_HEADER_MAX + 1);
    fl_flight_write_envelope(&frames, (struct fl_flight_bytes){NULL, 0},
                             fl_flight_buffer_view(&message), 0);
    cr_expect_eq(with_message(frames.data, frames.size), FL_FLIGHT_LIMIT);
    fl_flight_buffer_clear(&frames);
    message.size = FL_FLIGHT_DESCRIPTOR_MAX + 1;
    fl_flight_write_envelope(&frames, fl_flight_buffer_view(&message),
                             (struct fl_flight_bytes){NULL, 0}, 0);
    cr_expect_eq(with_message(frames.data, frames.size), FL_FLIGHT_LIMIT);
    fl_flight_buffer_done(&frames);
    fl_flight_buffer_done(&message);
}

Test(reader, keeps_the_descriptor_of_an_upload)
{
    struct fl_flight_reader_config config = {.max_bytes = UINT64_MAX};
    struct fl_flight_reader *reader = fl_flight_reader_new(&config);
    struct fl_flight_format format = {.has_kind = false};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer message = {.size = 0};

    cr_assert(reader != NULL);
    cr_assert(fl_flight_write_schema_message(&message, &format, fl_flight_text("where"), &fault));
    cr_assert(
        fl_flight_reader_message(reader, &(struct flame_slice){message.data, message.size}, 1));
    cr_expect(fl_flight_bytes_equal(fl_flight_reader_descriptor(reader), "where"));
    cr_expect(fl_flight_reader_has_schema(reader));
    cr_expect_not(fl_flight_reader_push(reader, &(struct flame_slice){"x", 1}, 1));
    cr_expect_eq(fl_flight_reader_fault(reader)->code, FL_FLIGHT_MALFORMED, "behind a message");
    cr_expect_not(fl_flight_reader_begin(reader, 1), "it stays so");
    fl_flight_reader_free(reader);
    fl_flight_buffer_done(&message);
}
