/* SPDX-License-Identifier: Apache-2.0 */
/* The small messages: what was written is read, what was recorded is understood, what is malformed
 * is refused. */
#include "fixture.h"
#include "messages.h"
#include "pb.h"

#include <criterion/criterion.h>
#include <string.h>

#define EQUAL(bytes, text) cr_expect(fl_flight_bytes_equal(bytes, text), "it is not '%s'", text)

static struct fl_flight_bytes view(const void *data, size_t size)
{
    return (struct fl_flight_bytes){data, size};
}

static struct fl_flight_fault fault;

Test(pb, numbers_of_every_length_survive)
{
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_field field;

    for (uint32_t bit = 0; bit < 64; bit++) {
        uint64_t value = ((uint64_t)1 << bit) | 1;
        struct fl_flight_pb pb;

        fl_flight_buffer_clear(&out);
        fl_flight_pb_put_number(&out, 1 + bit * 1000, value);
        pb = fl_flight_pb_open(fl_flight_buffer_view(&out));
        cr_assert(fl_flight_pb_next(&pb, &field));
        cr_expect(field.number == 1 + bit * 1000 && field.value == value);
        cr_expect(!fl_flight_pb_next(&pb, &field) && !pb.is_bad);
    }
    fl_flight_buffer_done(&out);
}

Test(pb, what_is_malformed_is_refused)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *what;
    } bad[] = {
        {"\x10", 1, "a number without its value"},
        {"\x12\x02z", 3, "bytes over the end"},
        {"\x13", 1, "a group"},
        {"\x14", 1, "the end of a group"},
        {"\x16", 1, "a wire type that is none"},
        {"\x02\x01z", 3, "field number 0"},
        {"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "65 bits"},
        {"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, "eleven bytes"},
        {"\x15\x01\x02\x03", 4, "three of four bytes"},
        {"\x11\x01\x02\x03\x04\x05\x06\x07", 8, "seven of eight bytes"},
        {"\x80\x80\x80\x80\x80\x01\x01", 7, "a field number of 32 bits"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fl_flight_bytes untouched = fl_flight_text("untouched");

        fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
        cr_expect_not(fl_flight_read_single(view(bad[i].bytes, bad[i].size), &untouched, &fault),
                      "%s", bad[i].what);
        cr_expect_eq(fault.code, FL_FLIGHT_MALFORMED);
        EQUAL(untouched, "untouched");
    }
}

Test(messages, unknown_fields_are_skipped_and_the_last_value_counts)
{
    static const char message[] = "\x0a\x01"
                                  "a"                                    /* the field */
                                  "\x10\x05"                             /* unknown: a number */
                                  "\x1a\x02zz"                           /* bytes */
                                  "\x25\x01\x02\x03\x04"                 /* fixed32 */
                                  "\x29\x01\x02\x03\x04\x05\x06\x07\x08" /* fixed64 */
                                  "\x0a\x01"
                                  "b";
    struct fl_flight_bytes field;

    cr_assert(fl_flight_read_single(view(message, sizeof(message) - 1), &field, &fault));
    EQUAL(field, "b");
    cr_assert(fl_flight_read_single(view(NULL, 0), &field, &fault));
    cr_expect_eq(field.size, 0);
}

Test(messages, a_known_field_of_another_wire_type_is_malformed)
{
    struct fl_flight_descriptor descriptor;
    struct fl_flight_action action;
    struct fl_flight_info info;

    cr_expect_not(fl_flight_read_descriptor(view("\x0a\x01z", 3), &descriptor, &fault));
    cr_expect_not(fl_flight_read_descriptor(view("\x18\x01", 2), &descriptor, &fault));
    cr_expect_not(fl_flight_read_action(view("\x08\x01", 2), &action, &fault));
    cr_expect_not(fl_flight_read_info(view("\x18\x01", 2), &info, &fault));
    cr_expect_not(fl_flight_read_info(view("\x1a\x02\x08\x01", 4), &info, &fault));
    cr_expect_not(fl_flight_read_info(view("\x22\x01z", 3), &info, &fault));
}

Test(messages, a_descriptor_comes_back)
{
    struct fl_flight_descriptor sent = {.type = FL_FLIGHT_DESCRIPTOR_PATH, .paths = 1};
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_descriptor got;

    sent.path[0] = fl_flight_text("app/session/object");
    fl_flight_write_descriptor(&out, &sent);
    cr_assert(fl_flight_read_descriptor(fl_flight_buffer_view(&out), &got, &fault));
    cr_expect(got.type == FL_FLIGHT_DESCRIPTOR_PATH && got.paths == 1 && got.cmd.size == 0);
    EQUAL(got.path[0], "app/session/object");
    fl_flight_buffer_clear(&out);
    sent = (struct fl_flight_descriptor){.type = FL_FLIGHT_DESCRIPTOR_CMD,
                                         .cmd = fl_flight_text("PATCH:a/b/c")};
    fl_flight_write_descriptor(&out, &sent);
    cr_assert(fl_flight_read_descriptor(fl_flight_buffer_view(&out), &got, &fault));
    cr_expect(got.type == FL_FLIGHT_DESCRIPTOR_CMD && got.paths == 0);
    EQUAL(got.cmd, "PATCH:a/b/c");
    fl_flight_buffer_done(&out);
}

Test(messages, a_path_without_end_is_counted_and_not_kept)
{
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_descriptor got;

    for (int i = 0; i < 1000; i++)
        fl_flight_pb_put_bytes(&out, 3, fl_flight_text("x"));
    cr_assert(fl_flight_read_descriptor(fl_flight_buffer_view(&out), &got, &fault));
    cr_expect_eq(got.paths, 1000);
    fl_flight_buffer_done(&out);
}

/* The first message of a recorded answer. */
static struct fl_flight_bytes first_of(const struct fl_flight_buffer *frames)
{
    struct fl_flight_bytes left = fl_flight_buffer_view(frames);
    struct fl_flight_bytes message;

    cr_assert(next_frame(&left, &message));
    return message;
}

/* What we write is what the real cache wrote, byte for byte. */
static void expect_same(const struct fl_flight_buffer *written, struct fl_flight_bytes recorded)
{
    cr_assert_eq(written->size, recorded.size);
    cr_expect_arr_eq(written->data, recorded.data, recorded.size);
}

Test(messages, a_listing_of_the_real_cache_is_written_as_it_was)
{
    struct fl_flight_buffer frames = read_golden("list_all");
    struct fl_flight_bytes left = fl_flight_buffer_view(&frames);
    struct fl_flight_bytes message;
    struct fl_flight_info info;

    while (next_frame(&left, &message)) {
        struct fl_flight_buffer out = {.size = 0};

        cr_assert(fl_flight_read_info(message, &info, &fault));
        fl_flight_write_info(&out, &info);
        cr_assert_eq(out.size, message.size);
        cr_expect(memcmp(out.data, message.data, out.size) == 0);
        fl_flight_buffer_done(&out);
    }
    cr_expect_eq(left.size, 0);
    fl_flight_buffer_done(&frames);
}

Test(messages, the_info_of_the_real_cache_is_read_and_written)
{
    struct fl_flight_buffer frames = read_golden("info");
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_descriptor descriptor;
    struct fl_flight_info info;

    cr_assert(fl_flight_read_info(first_of(&frames), &info, &fault));
    cr_expect(info.endpoints == 1 && info.endpoint[0].locations == 1);
    EQUAL(info.endpoint[0].ticket, "golden/pkg/text.bin");
    EQUAL(info.endpoint[0].location[0], "grpc://127.0.0.1:9090");
    cr_expect(info.total_bytes == -1 && info.total_records == -1);
    cr_assert(fl_flight_read_descriptor(info.descriptor, &descriptor, &fault));
    EQUAL(descriptor.path[0], "golden/pkg/text.bin");
    fl_flight_write_info(&out, &info);
    expect_same(&out, first_of(&frames));
    fl_flight_buffer_done(&out);
    fl_flight_buffer_done(&frames);
}

Test(messages, the_results_of_the_real_cache_are_read_and_written)
{
    struct fl_flight_buffer deleted = read_golden("delete_one");
    struct fl_flight_buffer actions = read_golden("list_actions");
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_bytes body;
    struct fl_flight_action action;

    cr_assert(fl_flight_read_single(first_of(&deleted), &body, &fault));
    EQUAL(body, "OK");
    fl_flight_write_single(&out, body);
    expect_same(&out, first_of(&deleted));
    cr_assert(fl_flight_read_action(first_of(&actions), &action, &fault));
    EQUAL(action.type, "DELETE");
    EQUAL(action.body, "Delete objects by key prefix");
    fl_flight_buffer_clear(&out);
    fl_flight_write_action(&out, &action);
    expect_same(&out, first_of(&actions));
    fl_flight_buffer_done(&out);
    fl_flight_buffer_done(&deleted);
    fl_flight_buffer_done(&actions);
}

Test(messages, a_schema_is_found_with_and_without_its_prefix)
{
    struct fl_flight_buffer frames = read_golden("schema");
    struct fl_flight_buffer wrapped = {.size = 0};
    struct fl_flight_bytes plain;
    uint8_t size[4];

    cr_assert(fl_flight_read_single(first_of(&frames), &plain, &fault));
    cr_expect_eq(fl_flight_schema_message(plain).data, plain.data);
    for (int i = 0; i < 4; i++)
        size[i] = (uint8_t)(plain.size >> (8 * i));
    for (int marks = 0; marks < 2; marks++) {
        fl_flight_buffer_clear(&wrapped);
        (void)fl_flight_buffer_add(&wrapped, "\xff\xff\xff\xff", marks ? 4 : 0);
        (void)fl_flight_buffer_add(&wrapped, size, 4);
        (void)fl_flight_buffer_add(&wrapped, plain.data, plain.size);
        cr_expect_eq(fl_flight_schema_message(fl_flight_buffer_view(&wrapped)).size, plain.size);
    }
    fl_flight_buffer_done(&wrapped);
    fl_flight_buffer_done(&frames);
}

Test(messages, every_cut_of_a_message_is_survived)
{
    struct fl_flight_buffer frames = read_golden("info");
    struct fl_flight_bytes message = first_of(&frames);
    struct fl_flight_info info;

    for (size_t size = 0; size < message.size; size++) {
        uint8_t *copy = malloc(size ? size : 1);

        cr_assert(copy != NULL);
        memcpy(copy, message.data, size);
        fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
        if (!fl_flight_read_info(view(copy, size), &info, &fault))
            cr_expect_eq(fault.code, FL_FLIGHT_MALFORMED);
        free(copy);
    }
    fl_flight_buffer_done(&frames);
}
