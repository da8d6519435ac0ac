/* SPDX-License-Identifier: Apache-2.0 */
/* Checksum files as they are found in the wild; test_sums_tools.py has what today's
 * programs write. */
#include "request/sums.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define A256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define B256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define A512                                                                                       \
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                             \
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
#define MD5 "900150983cd24fb0d6963f7d28e17f72"
#define SHA1 "a9993e364706816aba3e25717850c26c9cd0d89d"
#define B64 "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="

static void expect_of(const char *name, const char *text, const char *want)
{
    struct flame_error err = FLAME_INIT(flame_error);
    char shown[FL_DIGEST_TEXT_MAX];
    struct fl_digest digest;
    int32_t status = fl_sums_find(text, strlen(text), name, &digest, &err);

    cr_expect_eq(status, FLAME_OK, "'%s': %s", text, err.message);
    if (status != FLAME_OK)
        return;
    fl_digest_format(&digest, shown);
    cr_expect_str_eq(shown, want, "'%s'", text);
}

static void expect(const char *text, const char *want)
{
    expect_of("x.tgz", text, want);
}

static void refuse_bytes(const char *text, size_t size, int32_t status, const char *word)
{
    static const struct fl_digest untouched = {.kind = FL_DIGEST_SHA512, .bytes = {7, 7}};
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_digest digest = untouched;

    cr_expect_eq(fl_sums_find(text, size, "x.tgz", &digest, &err), status, "'%s': %s", text,
                 err.message);
    cr_expect_eq(err.status, status);
    cr_expect(strstr(err.message, word) != NULL, "'%s' is not in '%s'", word, err.message);
    cr_expect_eq(memcmp(&digest, &untouched, sizeof(digest)), 0);
}

static void refuse(const char *text, int32_t status, const char *word)
{
    refuse_bytes(text, strlen(text), status, word);
}

Test(sums, reads_what_gnu_tools_write)
{
    expect(A256 "  x.tgz\n", "sha256:" A256);
    expect(A256 " *x.tgz\n", "sha256:" A256);
    expect(A512 "  x.tgz\n", "sha512:" A512);
    expect(A256 "  x.tgz", "sha256:" A256); /* no line end */
    expect(B256 "  y.tgz\n" A256 "  x.tgz\n" B256 "  z.tgz\n", "sha256:" A256);
    expect(A256 " x.tgz\n", "sha256:" A256);  /* md5 -r */
    expect(A256 "\tx.tgz\n", "sha256:" A256); /* somebody's script */
    expect(" " A256 "  x.tgz\n", "sha256:" A256);
}

Test(sums, reads_what_bsd_and_openssl_write)
{
    expect("SHA256 (x.tgz) = " A256 "\n", "sha256:" A256);
    expect("SHA512 (x.tgz) = " A512 "\n", "sha512:" A512);
    expect("SHA256(x.tgz)= " A256 "\n", "sha256:" A256);
    expect("SHA2-256(x.tgz)= " A256 "\n", "sha256:" A256);
    expect("SHA2-512(x.tgz)= " A512 "\n", "sha512:" A512);
    expect_of("a) = b", "SHA256 (a) = b) = " A256 "\n", "sha256:" A256);
}

Test(sums, reads_capital_digits)
{
    expect("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD  x.tgz\r\n",
           "sha256:" A256);
}

Test(sums, a_digest_alone_is_that_of_any_name)
{
    expect(A256, "sha256:" A256);
    expect(A256 "\r\n", "sha256:" A256);
    expect(A512 " \n\n", "sha512:" A512);
    expect("# made by hand\n" A256 "\n", "sha256:" A256);
    expect(A256 "  -\n", "sha256:" A256); /* sha256sum <x.tgz */
    expect_of("", A256 "\n", "sha256:" A256);
}

Test(sums, a_digest_that_is_not_alone_needs_its_name)
{
    refuse(A256 "\n" B256 "\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse(A256 "\n" B256 "  y.tgz\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse("Our digest is:\n" A256 "\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    expect(B256 "\n" A256 "  x.tgz\n", "sha256:" A256);
}

Test(sums, the_only_entry_of_another_name_is_no_match)
{
    refuse(A256 "  y.tgz\n", FLAME_ERR_NOT_FOUND, "has no sha256 or sha512 of 'x.tgz'");
    refuse("SHA256 (y.tgz) = " A256 "\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse(A256 "  x.tgz.asc\n" A256 "  ax.tgz\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse(A256 "  x.tgz/y\n" A256 "  X.TGZ\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse(A256 "  x.tgz \n", FLAME_ERR_NOT_FOUND, "'x.tgz'"); /* the name has a blank */
}

Test(sums, the_last_segment_of_a_path_is_its_name)
{
    expect(A256 "  ./x.tgz\n", "sha256:" A256);
    expect(A256 "  ./dir/x.tgz\n", "sha256:" A256);
    expect(A256 " */abs/x.tgz\n", "sha256:" A256);
    expect("SHA256 (dir/x.tgz) = " A256 "\n", "sha256:" A256);
    expect_of("dir/x.tgz", B256 "  x.tgz\n" A256 "  ./dir/x.tgz\n", "sha256:" A256);
    expect_of("./dir/x.tgz", A256 "  dir/x.tgz\n", "sha256:" A256);
}

Test(sums, the_exact_path_wins_wherever_it_stands)
{
    expect(B256 "  old/x.tgz\n" A256 "  x.tgz\n", "sha256:" A256);
    expect(A256 "  ./x.tgz\n" B256 "  old/x.tgz\n", "sha256:" A256);
    /* also over what contradicts itself, and over a longer digest */
    expect(B256 "  a/x.tgz\n" A256 "  b/x.tgz\n" A256 "  x.tgz\n", "sha256:" A256);
    expect(A512 "  a/x.tgz\n" A256 "  x.tgz\n", "sha256:" A256);
}

Test(sums, sha512_wins_over_sha256)
{
    expect(A256 "  x.tgz\n" A512 "  x.tgz\n", "sha512:" A512);
    expect("SHA512 (x.tgz) = " A512 "\nSHA256 (x.tgz) = " A256 "\n", "sha512:" A512);
}

Test(sums, digests_that_contradict_each_other_are_refused)
{
    refuse(A256 "  x.tgz\n" B256 "  x.tgz\n", FLAME_ERR_INVALID, "different digests of 'x.tgz'");
    refuse(A256 "  a/x.tgz\n" B256 "  b/x.tgz\n", FLAME_ERR_INVALID, "different digests");
    refuse(A256 "  x.tgz\nSHA256 (x.tgz) = " B256 "\n" A512 "  x.tgz\n", FLAME_ERR_INVALID,
           "different digests");
    expect(A256 "  x.tgz\nSHA256 (x.tgz) = " A256 "\n", "sha256:" A256); /* said twice */
}

Test(sums, escaped_names_are_read)
{
    expect_of("a\nb", "\\" A256 "  a\\nb\n", "sha256:" A256);
    expect_of("a\\b", "\\" A256 " *a\\\\b\n", "sha256:" A256);
    expect_of("a\\nb", "\\SHA256 (a\\\\nb) = " A256 "\n", "sha256:" A256);
    expect_of("a\rb", "\\" A256 "  a\\rb\n", "sha256:" A256);
    /* without the mark a backslash is a letter */
    expect_of("a\\nb", A256 "  a\\nb\n", "sha256:" A256);
    refuse("\\" A256 "  \\x.tgz\n" B256 "  y\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse("\\" A256 "  x.tgz\\\n" B256 "  y\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
}

Test(sums, other_algorithms_are_passed_over)
{
    expect(MD5 "  x.tgz\n" SHA1 "  x.tgz\n" A256 "  x.tgz\n", "sha256:" A256);
    expect("MD5 (x.tgz) = " MD5 "\nSHA256 (x.tgz) = " A256 "\n", "sha256:" A256);
    refuse(MD5 "  x.tgz\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse(MD5 "\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse("SHA3-256(x.tgz)= " A256 "\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse("BLAKE2b (x.tgz) = " A512 "\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse("SHA512/256 (x.tgz) = " A256 "\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse("HMAC-SHA2-256(x.tgz)= " A256 "\n", FLAME_ERR_NOT_FOUND, "'x.tgz'");
}

Test(sums, a_digest_of_the_wrong_length_is_none)
{
    refuse("SHA256 (x.tgz) = " A512 "\n", FLAME_ERR_INVALID, "no line");
    refuse("SHA512 (x.tgz) = " A256 "\n", FLAME_ERR_INVALID, "no line");
    refuse(A256 "0  x.tgz\n", FLAME_ERR_INVALID, "no line");
    refuse("g" A256 "  x.tgz\n", FLAME_ERR_INVALID, "no line");
    refuse("SHA256 (x.tgz) = " B64 "\n", FLAME_ERR_INVALID, "no line");
}

Test(sums, comments_blanks_and_any_line_end_are_accepted)
{
    expect("# sums\r\n\r\n   \n" A256 "  x.tgz\r\n", "sha256:" A256);
    expect("#" A256 "  x.tgz\n" B256 "  x.tgz\n", "sha256:" B256);
    expect("\xef\xbb\xbf" A256 "  x.tgz\r\n", "sha256:" A256);
    expect("Digests of today:\n" A256 "  x.tgz\n", "sha256:" A256);
}

#define BEGIN "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
#define END "-----BEGIN PGP SIGNATURE-----\n\niHUEABYK\n=abcd\n-----END PGP SIGNATURE-----\n"

Test(sums, in_a_signed_message_only_what_was_signed_counts)
{
    expect(BEGIN A256 "  x.tgz\n" END, "sha256:" A256);
    expect(BEGIN A256 "\n" END, "sha256:" A256);
    expect("-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n" A256 "  x.tgz\r\n" END,
           "sha256:" A256);
    expect(B256 "  x.tgz\n" BEGIN A256 "  x.tgz\n" END, "sha256:" A256);
    expect(BEGIN A256 "  x.tgz\n" END B256 "  x.tgz\n", "sha256:" A256);
    expect(BEGIN A256 "  x.tgz\n" END BEGIN B256 "  x.tgz\n" END, "sha256:" A256);
    expect(BEGIN "- -----BEGIN PGP SIGNATURE-----\n" A256 "  x.tgz\n" END, "sha256:" A256);
    refuse(A256 "  x.tgz\n" BEGIN B256 "  y.tgz\n" END, FLAME_ERR_NOT_FOUND, "'x.tgz'");
    refuse("-----BEGIN PGP SIGNED MESSAGE-----\n" A256 "  x.tgz\n", FLAME_ERR_INVALID, "no line");
}

Test(sums, what_is_no_checksum_file_is_said_to_be_none)
{
    static const char binary[] = "\x7f"
                                 "ELF\0\1\2\n\0\n\xff\xfe";

    refuse("", FLAME_ERR_INVALID, "no line");
    refuse("# nothing\n", FLAME_ERR_INVALID, "no line");
    refuse("<html><body>404</body></html>\n", FLAME_ERR_INVALID, "no line");
    refuse_bytes(binary, sizeof(binary) - 1, FLAME_ERR_INVALID, "no line");
}

Test(sums, a_nul_ends_no_name)
{
    static const char text[] = A256 "  x.tgz\0\n" B256 "  y.tgz\n";

    refuse_bytes(text, sizeof(text) - 1, FLAME_ERR_NOT_FOUND, "'x.tgz'");
}

Test(sums, a_line_has_at_most_8_kib)
{
    static char text[FL_SUMS_LINE_MAX + 512];
    static char name[FL_SUMS_LINE_MAX + 1];
    size_t room = FL_SUMS_LINE_MAX - strlen(A256 "  ");

    memset(name, 'n', room);
    (void)snprintf(text, sizeof(text), A256 "  %s\n" B256 "  y\n", name);
    expect_of(name, text, "sha256:" A256);
    /* a longer one is passed over */
    (void)snprintf(text, sizeof(text), A256 "  %s/x.tgz\n" B256 "  y\n", name);
    refuse(text, FLAME_ERR_NOT_FOUND, "'x.tgz'");
    (void)snprintf(text, sizeof(text), "\\" A256 "  %s%s%s/x.tgz\n" B256 "  y\n", A512, A256, name);
    refuse(text, FLAME_ERR_NOT_FOUND, "'x.tgz'");
}

Test(sums, a_file_has_at_most_1_mib)
{
    static char text[FL_SUMS_BYTES_MAX + 1];

    memset(text, '\n', sizeof(text));
    memcpy(text, A256 "  x.tgz", strlen(A256 "  x.tgz"));
    text[FL_SUMS_BYTES_MAX] = '\0';
    expect(text, "sha256:" A256);
    refuse_bytes(text, sizeof(text), FLAME_ERR_LIMIT, "1 MiB");
}
