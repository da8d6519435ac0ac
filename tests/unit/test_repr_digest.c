/* SPDX-License-Identifier: Apache-2.0 */
#include "request/repr_digest.h"

#include <criterion/criterion.h>
#include <string.h>

/* of "abc" */
#define B256 "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
#define H256 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define B512                                                                                       \
    "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
#define H512                                                                                       \
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                      \
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
/* of "" */
#define EMPTY256 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define OK256 "sha-256=:" B256 ":"
#define OK512 "sha-512=:" B512 ":"

static void expect(const char *field, const char *want)
{
    struct fl_digest digest = {0};
    char text[FL_DIGEST_TEXT_MAX];

    cr_expect(fl_repr_digest_parse(field, &digest), "'%s'", field);
    fl_digest_format(&digest, text);
    cr_expect_str_eq(text, want, "'%s'", field);
}

static void refuse(const char *field)
{
    static const struct fl_digest untouched = {.kind = FL_DIGEST_SHA512, .bytes = {7, 7}};
    struct fl_digest digest = untouched;

    cr_expect_not(fl_repr_digest_parse(field, &digest), "'%s'", field);
    cr_expect_eq(memcmp(&digest, &untouched, sizeof(digest)), 0, "'%s'", field);
}

Test(repr_digest, reads_what_servers_send)
{
    expect(OK256, H256);
    expect(OK512, H512);
    expect("  " OK256 " ", H256);
}

Test(repr_digest, prefers_sha256_wherever_it_stands)
{
    expect(OK256 ", " OK512, H256);
    expect(OK512 "," OK256, H256);
    expect(OK512 "\t ,\t" OK256, H256);
}

Test(repr_digest, passes_over_other_algorithms_and_all_parameters)
{
    expect("md5=:kAFQmDzST7DWlj99KOF/cg==:, " OK256, H256);
    expect("sha=:qZk+NkcGgWq6PiVxeFDCbJzQ2J0=:," OK512 ",unixsum=1", H512);
    expect(OK256 ";a;b=1;c=\"x,\\\"y\\\\\";  d=?0;e=:AA==:;f=tok/en;g=-1.5", H256);
    expect("a=(1 2.5 \"x\";p tok);q, b, c;x=*y, d=(), *e.-_1=?1, " OK256, H256);
    expect("id-sha-256=:AAAA:, sha-2560=1, " OK512, H512);
}

Test(repr_digest, the_last_of_two_counts)
{
    expect("sha-256=:" EMPTY256 ":, " OK256, H256);
}

Test(repr_digest, without_a_known_algorithm_there_is_none)
{
    refuse("");
    refuse("   ");
    refuse("md5=:kAFQmDzST7DWlj99KOF/cg==:");
    refuse("unixsum=1, a;b");
}

Test(repr_digest, one_fault_spoils_the_field)
{
    static const char *const fields[] = {
        OK256 ",",
        "," OK256,
        OK256 ",," OK512,
        OK256 " " OK512,
        OK256 ";",
        OK256 ";A",
        OK256 ";a=",
        OK256 " ;a",
        "sha-256 =:" B256 ":",
        "sha-256= :" B256 ":",
        "SHA-256=:" B256 ":",
        "x" OK256 "y",
        "\t" OK256,
        OK256 "\n",
        OK256 ", a=\"x",
        OK256 ", a=\"\\x\"",
        OK256 ", a=\"\x80\"",
        OK256 ", a=\"x\\",
        OK256 ", a=1.",
        OK256 ", a=.5",
        OK256 ", a=-",
        OK256 ", a=1.2345",
        OK256 ", a=1234567890123456",
        OK256 ", a=1234567890123.5",
        OK256 ", a=?2",
        OK256 ", a=?",
        OK256 ", a=(1",
        OK256 ", a=(1\"x\")",
        OK256 ", a=((1))",
        OK256 ", a=(1;)",
        OK256 ", a=:AA",
        OK256 ", a=:A A:",
        OK256 ", a=@1",
        OK256 ", 1a=1",
        OK256 ", a=<",
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        refuse(fields[i]);
}

Test(repr_digest, a_digest_that_is_not_one_spoils_the_field)
{
    static const char *const fields[] = {
        "sha-256",
        "sha-256;a",
        "sha-256=?1",
        "sha-256=" B256,
        "sha-256=\"" B256 "\"",
        "sha-256=(:" B256 ":)",
        "sha-256=::",
        "sha-256=:" B512 ":",
        "sha-512=:" B256 ":",
        "sha-256=:" B256,
        "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0:",   /* no padding */
        "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=:",  /* bits behind the end */
        "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa==:",  /* a byte too few */
        "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=:",  /* base64url */
        "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qc=BD/YfIAFa0=:",  /* padding inside */
        "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3 qctBD/YfIAFa0=:", /* a blank inside */
        "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0==:", /* one too many */
        OK512 ", sha-256=1",
        OK256 ", sha-512=1",
        OK256 ", sha-256",
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        refuse(fields[i]);
}
