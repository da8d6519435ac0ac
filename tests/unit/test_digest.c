/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/digest.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#define ABC_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MILLION_A_SHA256 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
#define ABC_SHA512                                                                                 \
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                             \
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
#define EMPTY_SHA512                                                                               \
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"                             \
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"

static struct fl_digest parsed(const char *text)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_digest digest = {0};

    cr_assert_eq(fl_digest_parse(text, &digest, &err), FLAME_OK, "'%s': %s", text, err.message);
    return digest;
}

static void expect_hash(enum fl_digest_kind kind, const char *data, size_t times, const char *want)
{
    char text[FL_DIGEST_TEXT_MAX];
    struct fl_digest digest;
    struct fl_hash hash;

    fl_hash_init(&hash, kind);
    for (size_t i = 0; i < times; i++)
        fl_hash_update(&hash, data, strlen(data));
    fl_hash_final(&hash, &digest);
    fl_digest_format(&digest, text);
    cr_expect_str_eq(text, want);
}

Test(digest, hashes_as_the_standard_says)
{
    expect_hash(FL_DIGEST_SHA256, "", 1, "sha256:" EMPTY_SHA256);
    expect_hash(FL_DIGEST_SHA256, "abc", 1, "sha256:" ABC_SHA256);
    expect_hash(FL_DIGEST_SHA256, "a", 1000000, "sha256:" MILLION_A_SHA256);
    expect_hash(FL_DIGEST_SHA512, "", 1, "sha512:" EMPTY_SHA512);
    expect_hash(FL_DIGEST_SHA512, "abc", 1, "sha512:" ABC_SHA512);
}

Test(digest, an_absent_digest_hashes_nothing_and_equals_nothing)
{
    struct fl_digest none = {0};

    expect_hash(FL_DIGEST_NONE, "abc", 1, "");
    cr_expect_not(fl_digest_equal(&none, &none));
}

Test(digest, reads_both_separators_and_any_case_and_writes_one)
{
    static const char *const texts[] = {
        "sha256:" ABC_SHA256, "sha256=" ABC_SHA256,
        "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "sha256=Ba7816bF8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015aD"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct fl_digest digest = parsed(texts[i]);
        char text[FL_DIGEST_TEXT_MAX];

        fl_digest_format(&digest, text);
        cr_expect_str_eq(text, "sha256:" ABC_SHA256);
    }
}

Test(digest, the_longest_text_fits)
{
    struct fl_digest digest = parsed("sha512=" ABC_SHA512);
    char text[FL_DIGEST_TEXT_MAX];

    fl_digest_format(&digest, text);
    cr_expect_str_eq(text, "sha512:" ABC_SHA512);
}

Test(digest, equal_means_every_byte_and_the_algorithm)
{
    struct fl_digest a = parsed("sha256:" ABC_SHA256);
    struct fl_digest b = parsed("sha256:" ABC_SHA256);
    struct fl_digest c = parsed("sha512:" ABC_SHA512);

    cr_expect(fl_digest_equal(&a, &b));
    for (size_t i = 0; i < 32; i++) {
        b = a;
        b.bytes[i] ^= 1;
        cr_expect_not(fl_digest_equal(&a, &b), "byte %zu was not compared", i);
    }
    cr_expect_not(fl_digest_equal(&a, &c));
    b = a;
    b.kind = FL_DIGEST_SHA512;
    cr_expect_not(fl_digest_equal(&a, &b));
}

Test(digest, refuses_what_is_no_digest_and_says_why)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "is not a digest"},
        {ABC_SHA256, "is not a digest"},
        {"md5:d41d8cd98f00b204e9800998ecf8427e", "unknown digest 'md5'"},
        {"SHA256:" ABC_SHA256, "unknown digest 'SHA256'"},
        {":" ABC_SHA256, "unknown digest ''"},
        {"sha25:" ABC_SHA256, "unknown digest 'sha25'"},
        {"sha256:", "has 64 hex digits, not 0"},
        {"sha256:abc", "has 64 hex digits, not 3"},
        {"sha256:" ABC_SHA256 "0", "has 64 hex digits, not 65"},
        {"sha256:" ABC_SHA512, "has 64 hex digits, not 128"},
        {"sha512:" ABC_SHA256, "has 128 hex digits, not 64"},
        {"sha256::a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "is not hexadecimal"},
        {"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag",
         "is not hexadecimal"},
        {"sha256: a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "is not hexadecimal"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct flame_error err = FLAME_INIT(flame_error);
        struct fl_digest digest = {.kind = FL_DIGEST_SHA512, .bytes = {7}};

        cr_expect_eq(fl_digest_parse(cases[i].text, &digest, &err), FLAME_ERR_INVALID, "'%s'",
                     cases[i].text);
        cr_expect_not_null(strstr(err.message, cases[i].message), "'%s': %s", cases[i].text,
                           err.message);
        cr_expect(digest.kind == FL_DIGEST_SHA512 && digest.bytes[0] == 7, "'%s'", cases[i].text);
    }
}

static int file_of(size_t size)
{
    const char *tmp = getenv("TMPDIR");
    int fd = open(tmp ? tmp : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char *text = malloc(size);

    cr_assert_geq(fd, 0);
    memset(text, 'a', size);
    cr_assert_eq(write(fd, text, size), (ssize_t)size);
    free(text);
    return fd;
}

Test(digest, a_file_is_hashed_from_its_beginning_wherever_it_stands)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_digest want = parsed("sha256:" MILLION_A_SHA256);
    struct fl_digest digest;
    int fd = file_of(1000000);

    cr_assert_eq(fl_digest_file(fd, FL_DIGEST_SHA256, NULL, &digest, &err), FLAME_OK);
    cr_expect(fl_digest_equal(&digest, &want));
    cr_expect_eq(lseek(fd, 0, SEEK_CUR), 1000000);
    (void)close(fd);
}

static int32_t stop_at_the_third(void *data)
{
    return ++*(int *)data < 3 ? FLAME_OK : FLAME_ERR_CANCELLED;
}

Test(digest, hashing_a_file_stops_when_told)
{
    struct fl_digest digest = {.kind = FL_DIGEST_NONE};
    int calls = 0;
    struct fl_stop stop = {.wanted = stop_at_the_third, .data = &calls};
    int fd = file_of(1000000);

    cr_expect_eq(fl_digest_file(fd, FL_DIGEST_SHA256, &stop, &digest, NULL), FLAME_ERR_CANCELLED);
    cr_expect_eq(calls, 3);
    cr_expect_eq(digest.kind, FL_DIGEST_NONE);
    (void)close(fd);
}

Test(digest, a_file_that_cannot_be_read_is_an_io_failure)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_digest digest;
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    cr_expect_eq(fl_digest_file(fd, FL_DIGEST_SHA256, NULL, &digest, &err), FLAME_ERR_IO);
    cr_expect_eq(err.phase, 0u);
    cr_expect_gt(err.errno_code, 0);
    (void)close(fd);
}
