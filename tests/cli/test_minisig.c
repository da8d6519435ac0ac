/* SPDX-License-Identifier: Apache-2.0 */
/* The text of keys and signatures; test_signature.py has those that minisign makes. */
#include "minisig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define KEY "RWThws8TUMwpv9oot4YVyKirrf/GQRHy9rEFjXPvcrd/ttFSAID1+0yC"
#define PUB "untrusted comment: minisign public key BF29CC5013CFC2E1\n" KEY "\n"
#define FIRST "untrusted comment: signature from minisign secret key\n"
#define SECOND                                                                                     \
    "RUThws8TUMwpv4BAyDSB5I58Sm9fVNsewozsXZe0jvMOTMRQQk7zRPBt3rhSU9rLYVriCkiZ/"                    \
    "vhcyDcTZ0DBMuHx5ZonJdJEewM=\n"
#define THIRD "trusted comment: a comment\n"
#define FOURTH                                                                                     \
    "Lv1jxhAO9fJbcS1u8mAnQE0L5Zv+"                                                                 \
    "4MyNz42pmNp97H4n5iPGsMJCA0zzzsvMACExSmfyIsID3Vj9OAfilgXBBg==\n"

static struct cli_minisig_key key_of(const char *text)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_minisig_key key = {0};

    cr_expect_eq(cli_minisig_key_parse(text, strlen(text), &key, &err), FLAME_OK, "'%s': %s", text,
                 err.message);
    return key;
}

static void refuse_key(const char *text, size_t size)
{
    static const struct cli_minisig_key untouched = {.id = 7};
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_minisig_key key = untouched;

    cr_expect_eq(cli_minisig_key_parse(text, size, &key, &err), FLAME_ERR_INVALID, "'%s'", text);
    cr_expect(strstr(err.message, "public key") != NULL, "%s", err.message);
    cr_expect_eq(memcmp(&key, &untouched, sizeof(key)), 0);
}

static void refuse(const char *text, const char *word)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_minisig signature;

    cr_expect_eq(cli_minisig_parse(text, strlen(text), &signature, &err), FLAME_ERR_INVALID, "'%s'",
                 text);
    cr_expect(strstr(err.message, word) != NULL, "'%s' is not in '%s'", word, err.message);
}

Test(minisig, a_key_is_read_in_both_forms)
{
    static const char *const texts[] = {KEY, KEY "\n", KEY "\r\n\r\n", PUB};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct cli_minisig_key key = key_of(texts[i]);

        cr_expect_eq(key.id, 0xbf29cc5013cfc2e1u); /* as the comment says it */
        cr_expect_eq(key.bytes[0], 0xda);
        cr_expect_eq(key.bytes[31], 0x82);
    }
}

Test(minisig, what_is_no_key_is_refused)
{
    static const char *const texts[] = {
        "",
        "\n" KEY,
        " " KEY,
        KEY " x",
        KEY "\n" KEY,
        "untrusted comment: x",
        "untrusted comment: x\n\n" KEY,
        "RWThws8TUMwpv9oot4YVyKirrf/GQRHy9rEFjXPvcrd/ttFSAID1+0y=",
        "RWThws8TUMwpv9oot4YVyKirrf_GQRHy9rEFjXPvcrd/ttFSAID1+0yC",
        "RUThws8TUMwpv9oot4YVyKirrf/GQRHy9rEFjXPvcrd/ttFSAID1+0yC", /* "ED" */
        "RWThws8TUMwpv9oot4YVyKirrf/GQRHy9rEFjXPvcrd/ttFSAID1+0",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        refuse_key(texts[i], strlen(texts[i]));
    refuse_key(KEY, sizeof(KEY)); /* a nul */
}

Test(minisig, a_signature_is_read)
{
    static const char text[] = FIRST SECOND THIRD FOURTH;
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_minisig signature;

    cr_assert_eq(cli_minisig_parse(text, strlen(text), &signature, &err), FLAME_OK, "%s",
                 err.message);
    cr_expect(signature.is_prehashed);
    cr_expect_eq(signature.key_id, 0xbf29cc5013cfc2e1u);
    cr_expect_eq(signature.bytes[0], 0x80);
    cr_expect_eq(signature.bytes[63], 0x03);
    cr_expect_eq(signature.comment_bytes[0], 0x2e);
    cr_expect_eq(signature.comment_bytes[63], 0x06);
    cr_expect_eq(signature.comment_size, strlen("a comment"));
    cr_expect_eq(memcmp(signature.comment, "a comment", strlen("a comment")), 0);
}

Test(minisig, what_is_malformed_is_said)
{
    refuse("", "first line");
    refuse(SECOND THIRD FOURTH, "first line");
    refuse(FIRST, "second line");
    refuse(FIRST THIRD FOURTH, "second line");
    refuse(FIRST KEY "\n" THIRD FOURTH, "second line");
    refuse(FIRST "eHh4" SECOND, "second line");
    refuse(FIRST SECOND, "third line");
    refuse(FIRST SECOND FIRST FOURTH, "third line");
    refuse(FIRST SECOND "trusted comment:\n" FOURTH, "third line");
    refuse(FIRST SECOND THIRD, "fourth line");
    refuse(FIRST SECOND THIRD THIRD, "fourth line");
    refuse(FIRST SECOND THIRD FOURTH "x", "something follows");
    refuse(FIRST SECOND THIRD FOURTH FOURTH, "something follows");
}

/* `text` with one letter of its last line, counted from the end, replaced. */
static void refuse_with(const char *text, size_t from_end, char letter, const char *word)
{
    char *copy = strdup(text);

    cr_assert_not_null(copy);
    copy[strlen(copy) - from_end] = letter;
    refuse(copy, word);
    free(copy);
}

Test(minisig, base64_has_one_spelling)
{
    refuse_with(FIRST SECOND, 3, 'N', "second line"); /* a bit behind the last byte */
    refuse_with(FIRST SECOND, 2, 'A', "second line"); /* no padding */
    refuse_with(FIRST SECOND, 9, '=', "second line"); /* padding inside */
    refuse_with(FIRST SECOND, 9, ' ', "second line");
    refuse_with(FIRST SECOND THIRD FOURTH, 4, 'h', "fourth line");
    refuse_with(FIRST SECOND THIRD FOURTH, 3, 'A', "fourth line");
}

Test(minisig, an_unknown_algorithm_is_refused)
{
    static char text[] = FIRST SECOND THIRD FOURTH;

    text[strlen(FIRST) + 1] = 'a'; /* "Eh" */
    refuse(text, "algorithm");
    text[strlen(FIRST)] = 'S'; /* "ID" */
    text[strlen(FIRST) + 1] = 'U';
    refuse(text, "algorithm");
}

Test(minisig, a_text_has_at_most_64_kib)
{
    static char text[CLI_MINISIG_TEXT_MAX + 2];
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_minisig_key key;

    memset(text, '\n', sizeof(text) - 1);
    memcpy(text, KEY, strlen(KEY));
    cr_expect_eq(cli_minisig_key_parse(text, CLI_MINISIG_TEXT_MAX, &key, &err), FLAME_OK);
    refuse_key(text, CLI_MINISIG_TEXT_MAX + 1);
    refuse(text, "64 KiB");
}
