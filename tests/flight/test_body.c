/* SPDX-License-Identifier: Apache-2.0 */
/* The buffers of a body by themselves: gaps, lengths that lie, frames that would never end. */
#include "body.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <string.h>

struct taken {
    uint64_t announced[FL_FLIGHT_ROLES];
    uint64_t bytes[FL_FLIGHT_ROLES];
    char last[64]; /* what came last, as text */
};

static bool enter(void *context, enum fl_flight_role role, uint64_t size,
                  struct fl_flight_fault *fault)
{
    struct taken *taken = context;

    (void)fault;
    taken->announced[role] = size;
    taken->last[0] = '\0';
    return true;
}

static bool content(void *context, enum fl_flight_role role, const struct flame_slice *slices,
                    uint32_t count, struct fl_flight_fault *fault)
{
    struct taken *taken = context;

    (void)fault;
    for (uint32_t i = 0; i < count; i++) {
        size_t used = strlen(taken->last);

        taken->bytes[role] += slices[i].size;
        if (slices[i].size < sizeof(taken->last) - used) {
            memcpy(taken->last + used, slices[i].data, slices[i].size);
            taken->last[used + slices[i].size] = '\0';
        }
    }
    return true;
}

/* Push a body in pieces. Returns what failed. */
static enum fl_flight_code push(const struct fl_flight_batch *batch, struct fl_flight_bytes bytes,
                                size_t piece, struct taken *taken)
{
    struct fl_flight_body body = {.taker = {taken, enter, content}};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    bool goes_on = true;

    *taken = (struct taken){.last = ""};
    fl_flight_body_begin(&body, batch);
    do {
        struct flame_slice slice = {bytes.data, bytes.size < piece ? bytes.size : piece};
        struct fl_flight_cursor cursor;

        fl_flight_cursor_init(&cursor, &slice, 1);
        goes_on = fl_flight_body_push(&body, &cursor, &fault);
        cr_expect(!goes_on || cursor.left == 0);
        bytes.data += slice.size;
        bytes.size -= slice.size;
    } while (goes_on && bytes.size > 0);
    if (goes_on)
        (void)fl_flight_body_end(&body, &fault);
    fl_flight_body_done(&body);
    return fault.code;
}

/* A length, and a frame of `size` equal bytes. */
static struct fl_flight_buffer frame_of(enum fl_flight_codec codec, uint64_t announced, size_t size)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer zeros = {.size = 0};
    struct fl_flight_buffer out = {.size = 0};

    for (int i = 0; i < 8; i++)
        cr_assert(fl_flight_buffer_add(&out, &(uint8_t){(uint8_t)(announced >> (8 * i))}, 1));
    cr_assert(fl_flight_buffer_add(&zeros, NULL, size));
    cr_assert(fl_flight_deflate(codec, &(struct flame_slice){zeros.data, size}, 1, &out, &fault));
    fl_flight_buffer_done(&zeros);
    return out;
}

static enum fl_flight_code push_frame(enum fl_flight_codec codec, uint64_t announced, size_t size,
                                      struct taken *taken)
{
    struct fl_flight_buffer frame = frame_of(codec, announced, size);
    struct fl_flight_batch batch = {.rows = 1, .codec = codec, .regions = 1};
    enum fl_flight_code code;

    batch.region[0] = (struct fl_flight_region){0, frame.size, FL_FLIGHT_ROLE_VERSIONS};
    code = push(&batch, fl_flight_buffer_view(&frame), 1000, taken);
    fl_flight_buffer_done(&frame);
    return code;
}

Test(body, a_bomb_brings_no_byte_more_than_it_says)
{
    for (int codec = FL_FLIGHT_LZ4; codec <= FL_FLIGHT_ZSTD; codec++) {
        struct taken taken;

        cr_expect_eq(push_frame(codec, 8, 64 << 20, &taken), FL_FLIGHT_MALFORMED);
        cr_expect_eq(taken.announced[FL_FLIGHT_ROLE_VERSIONS], 8);
        cr_expect_leq(taken.bytes[FL_FLIGHT_ROLE_VERSIONS], 8);
        cr_expect_eq(push_frame(codec, 64 << 20, 64 << 20, &taken), FL_FLIGHT_NONE);
        cr_expect_eq(taken.bytes[FL_FLIGHT_ROLE_VERSIONS], 64 << 20);
    }
}

/* Also where all bytes have come and only the end of the frame is missing. */
Test(body, a_frame_without_its_end_is_truncated)
{
    for (int codec = FL_FLIGHT_LZ4; codec <= FL_FLIGHT_ZSTD; codec++) {
        struct fl_flight_buffer frame = frame_of(codec, 100000, 100000);
        struct fl_flight_batch batch = {.rows = 1, .codec = codec, .regions = 1};
        uint64_t most = 0;

        for (size_t size = 8; size < frame.size; size++) {
            struct taken taken;

            batch.region[0] = (struct fl_flight_region){0, size, FL_FLIGHT_ROLE_DATA};
            cr_expect_eq(push(&batch, fl_flight_buffer_view(&frame), 7, &taken),
                         FL_FLIGHT_TRUNCATED, "%zu of %zu", size, frame.size);
            most = taken.bytes[FL_FLIGHT_ROLE_DATA];
        }
        cr_expect(most == 100000 || codec == FL_FLIGHT_ZSTD);
        fl_flight_buffer_done(&frame);
    }
}

Test(body, buffers_of_a_second_batch_may_be_compressed_otherwise)
{
    struct fl_flight_buffer lz4 = frame_of(FL_FLIGHT_LZ4, 100, 100);
    struct fl_flight_buffer zstd = frame_of(FL_FLIGHT_ZSTD, 200, 200);
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct taken taken = {.last = ""};
    struct fl_flight_body body = {.taker = {&taken, enter, content}};

    for (int i = 0; i < 5; i++) {
        struct fl_flight_buffer *frame = i % 3 ? &lz4 : &zstd;
        struct fl_flight_batch batch = {
            .rows = 1, .codec = i % 3 ? FL_FLIGHT_LZ4 : FL_FLIGHT_ZSTD, .regions = 1};
        struct flame_slice slice = {frame->data, frame->size};
        struct fl_flight_cursor cursor;

        batch.region[0] = (struct fl_flight_region){0, frame->size, FL_FLIGHT_ROLE_DATA};
        fl_flight_body_begin(&body, &batch);
        fl_flight_cursor_init(&cursor, &slice, 1);
        cr_assert(fl_flight_body_push(&body, &cursor, &fault) && fl_flight_body_end(&body, &fault));
    }
    cr_expect_eq(taken.bytes[FL_FLIGHT_ROLE_DATA], 3 * 100 + 2 * 200);
    fl_flight_body_done(&body);
    fl_flight_buffer_done(&lz4);
    fl_flight_buffer_done(&zstd);
}

Test(body, gaps_bitmaps_and_empty_buffers_are_passed_over)
{
    struct fl_flight_batch batch = {
        .rows = 1,
        .regions = 4,
        .region = {{2, 1, FL_FLIGHT_ROLE_VALIDITY},
                   {5, 3, FL_FLIGHT_ROLE_VERSIONS},
                   {8, 0, FL_FLIGHT_ROLE_DATA_OFFSETS},
                   {10, 4, FL_FLIGHT_ROLE_DATA}},
    };
    struct fl_flight_bytes bytes = fl_flight_text("..V..abc..defg...");

    for (size_t piece = 1; piece < 20; piece++) {
        struct taken taken;

        cr_expect_eq(push(&batch, bytes, piece, &taken), FL_FLIGHT_NONE);
        cr_expect_str_eq(taken.last, "defg");
        cr_expect_eq(taken.bytes[FL_FLIGHT_ROLE_VERSIONS], 3);
        cr_expect_eq(taken.bytes[FL_FLIGHT_ROLE_VALIDITY], 0);
        bytes.size = 13;
        cr_expect_eq(push(&batch, bytes, piece, &taken), FL_FLIGHT_TRUNCATED);
        bytes.size = 17;
    }
}
