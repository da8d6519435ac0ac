/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void expect_escaped(const char *bytes, size_t size, const char *expected)
{
    char out[64];
    size_t length = fl_escape(bytes, size, out, sizeof(out));

    cr_expect_str_eq(out, expected);
    cr_expect_eq(length, strlen(expected));
}

Test(text, printable_utf8_is_left_alone)
{
    static const char text[] = "abc d\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80";

    expect_escaped(text, sizeof(text) - 1, text);
}

Test(text, controls_and_broken_utf8_become_hex)
{
    expect_escaped("a\nb\x1b[31m\x7f", 9, "a\\x0ab\\x1b[31m\\x7f");
    expect_escaped("\xc0\xaf\xff\xed\xa0\x80", 6, "\\xc0\\xaf\\xff\\xed\\xa0\\x80");
    expect_escaped("\xc2\x9b", 2, "\\xc2\\x9b");
    expect_escaped("\0x", 2, "\\x00x");
}

Test(text, what_reorders_or_hides_text_becomes_hex)
{
    expect_escaped("a\xe2\x80\xae"
                   "b",
                   5,
                   "a\\xe2\\x80\\xae"
                   "b");
    expect_escaped("\xef\xbb\xbf", 3, "\\xef\\xbb\\xbf");
}

Test(text, escaping_cuts_at_a_characters_end)
{
    char out[6];

    cr_expect_eq(fl_escape("abc\xe2\x82\xac", 6, out, sizeof(out)), 3);
    cr_expect_str_eq(out, "abc");
    cr_expect_eq(fl_escape("ab\n", 3, out, sizeof(out)), 2);
    cr_expect_str_eq(out, "ab");
}

Test(text, pairs_keep_order_and_replace_in_place)
{
    struct fl_pairs pairs = {0};

    cr_assert(fl_pairs_add(&pairs, "a", "1"));
    cr_assert(fl_pairs_set(&pairs, "b", "2"));
    cr_assert(fl_pairs_set(&pairs, "a", "3"));
    cr_expect_eq(pairs.count, 4);
    cr_expect_str_eq(fl_pairs_get(&pairs, "a"), "3");
    cr_expect_str_eq(fl_pairs_list(&pairs)[2], "b");
    cr_expect_null(fl_pairs_list(&pairs)[4]);
    fl_pairs_done(&pairs, true);
    cr_expect_null(fl_pairs_list(&pairs)[0]);
}

Test(error, the_first_message_wins)
{
    struct flame_error err = FLAME_INIT(flame_error);

    cr_expect_eq(fl_fail(&err, FLAME_ERR_DIGEST, "first %d", 1), FLAME_ERR_DIGEST);
    cr_expect_eq(fl_fail_errno(&err, EIO, "second"), FLAME_ERR_IO);
    cr_expect_eq(err.status, FLAME_ERR_DIGEST);
    cr_expect_str_eq(err.message, "first 1");
    cr_expect_eq(err.errno_code, 0);
}

Test(error, a_null_error_is_legal)
{
    cr_expect_eq(fl_fail(NULL, FLAME_ERR_TLS, "x"), FLAME_ERR_TLS);
    cr_expect_eq(fl_fail_errno(NULL, ENOSPC, "x"), FLAME_ERR_NO_SPACE);
    fl_error_export(&FLAME_INIT(flame_error), NULL);
}

Test(error, a_message_is_one_harmless_line)
{
    struct flame_error err = FLAME_INIT(flame_error);

    (void)fl_fail(&err, FLAME_ERR_REMOTE, "the server said '%s'", "a\r\n\x1b]0;x\a");
    cr_expect_str_eq(err.message, "the server said 'a\\x0d\\x0a\\x1b]0;x\\x07'");
}

Test(error, an_older_and_shorter_error_is_never_overrun)
{
    struct {
        struct flame_error err;
        char behind[16];
    } old;
    struct flame_error own = FLAME_INIT(flame_error);

    memset(&old, 0x5a, sizeof(old));
    old.err.struct_size = offsetof(struct flame_error, retry_after_ms);
    (void)fl_fail(&own, FLAME_ERR_BUSY, "later");
    own.retry_after_ms = -1;
    fl_error_export(&own, &old.err);
    cr_expect_eq(old.err.status, FLAME_ERR_BUSY);
    cr_expect_eq(old.err.struct_size, offsetof(struct flame_error, retry_after_ms));
    cr_expect_eq(((unsigned char *)&old)[offsetof(struct flame_error, retry_after_ms)], 0x5a);
}

Test(error, a_full_disk_and_a_full_quota_are_no_space)
{
    cr_expect_eq(fl_status_from_errno(ENOSPC), FLAME_ERR_NO_SPACE);
    cr_expect_eq(fl_status_from_errno(EDQUOT), FLAME_ERR_NO_SPACE);
    cr_expect_eq(fl_status_from_errno(ENOMEM), FLAME_ERR_NO_MEMORY);
    cr_expect_eq(fl_status_from_errno(EMFILE), FLAME_ERR_IO);
}
