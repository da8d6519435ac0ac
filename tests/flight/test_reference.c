/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <bson/bson.h>
#include <criterion/criterion.h>
#include <string.h>

static struct fl_flight_fault fault;

static bool reads(const bson_t *bson, struct fl_flight_reference *out)
{
    struct fl_flight_bytes bytes = {bson_get_data(bson), bson->len};

    fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
    return fl_flight_reference_read(bytes, out, &fault);
}

static bool refuses(bson_t *bson)
{
    struct fl_flight_reference out = {.endpoint = "untouched"};
    bool refused = bson && !reads(bson, &out) && fault.code == FL_FLIGHT_MALFORMED &&
                   strcmp(out.endpoint, "untouched") == 0;

    bson_destroy(bson);
    return refused;
}

Test(reference, comes_back)
{
    struct fl_flight_reference sent = {.endpoint = "grpc+tls://[::1]:9090", .version = 1u << 31};
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_reference got;

    cr_assert(
        fl_flight_key_parse(&sent.key, fl_flight_text("a/b/c"), FL_FLIGHT_KEY_OBJECT, &fault));
    cr_assert(fl_flight_reference_write(&out, &sent, &fault));
    cr_assert(fl_flight_reference_read(fl_flight_buffer_view(&out), &got, &fault));
    cr_expect_str_eq(got.endpoint, sent.endpoint);
    cr_expect_str_eq(got.key.text, "a/b/c");
    cr_expect_eq(got.version, 1u << 31);
    fl_flight_buffer_done(&out);
}

Test(reference, a_small_version_and_more_members_are_fine)
{
    struct fl_flight_reference got;
    bson_t *bson = BCON_NEW("x", "{", "y", BCON_INT32(1), "}", "version", BCON_INT32(3), "key",
                            BCON_UTF8("a/b/c"), "endpoint", BCON_UTF8("grpc://h:1"));

    cr_assert(reads(bson, &got));
    cr_expect_eq(got.version, 3);
    bson_destroy(bson);
}

#define E "endpoint", BCON_UTF8("grpc://h:1")
#define K "key", BCON_UTF8("a/b/c")
#define V "version", BCON_INT64(1)

Test(reference, what_is_none_is_refused)
{
    cr_expect(refuses(BCON_NEW(E, K)));
    cr_expect(refuses(BCON_NEW(E, V)));
    cr_expect(refuses(BCON_NEW(K, V)));
    cr_expect(refuses(BCON_NEW(E, K, V, V)), "twice");
    cr_expect(refuses(BCON_NEW(E, K, "version", BCON_INT64(-1))));
    cr_expect(refuses(BCON_NEW(E, K, "version", BCON_UTF8("1"))));
    cr_expect(refuses(BCON_NEW(E, K, "version", BCON_DOUBLE(1))));
    cr_expect(refuses(BCON_NEW(E, V, "key", BCON_INT32(1))));
    cr_expect(refuses(BCON_NEW(E, V, "key", BCON_UTF8("a/b"))));
    cr_expect(refuses(BCON_NEW(E, V, "key", BCON_UTF8("a/../c"))));
    cr_expect(refuses(BCON_NEW(K, V, "endpoint", BCON_UTF8(""))));
    cr_expect(refuses(BCON_NEW(K, V, "endpoint", BCON_UTF8("grpc://h\n"))));
}

Test(reference, every_cut_is_refused)
{
    bson_t *bson = BCON_NEW(E, K, V);

    for (uint32_t size = 0; size < bson->len; size++) {
        struct fl_flight_reference got;
        uint8_t *copy = malloc(size ? size : 1);

        cr_assert(copy != NULL);
        memcpy(copy, bson_get_data(bson), size);
        fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
        cr_expect_not(fl_flight_reference_read((struct fl_flight_bytes){copy, size}, &got, &fault));
        cr_expect_eq(fault.code, FL_FLIGHT_MALFORMED);
        free(copy);
    }
    bson_destroy(bson);
}
