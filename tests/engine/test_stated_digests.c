/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer states of the digest of the whole, and a body that comes in two pieces. */
#include "digest_text.h"
#include "fickle_fixture.h"

static char of_one[DIGEST_TEXT_SIZE], of_two[DIGEST_TEXT_SIZE]; /* as fields */

static void set_up(void)
{
    fickle_set_up();
    repr_digest_text(one, SIZE, of_one);
    repr_digest_text(two, SIZE, of_two);
}

#define STATED_TEST(name)                                                                          \
    Test(stated_digests, name, .init = set_up, .fini = fickle_tear_down, .timeout = 120)

/* The rest of version two, under the name of version one. */
#define LIE(...)                                                                                   \
    {                                                                                              \
        two, SIZE, "one", FICKLE_DEAF, 0, 0, 0, __VA_ARGS__                                        \
    }
#define TWO(...)                                                                                   \
    {                                                                                              \
        .bytes = two, .size = SIZE, .validator = "two", __VA_ARGS__                                \
    }

static void expect_whole(const char *bytes)
{
    cr_assert_eq(fetch(), FLAME_OK, "%d %s", err.status, err.message);
    cr_expect_eq(result.size, SIZE);
    cr_expect(scratch_holds(task.path, bytes, SIZE));
}

/* Of version one, and no byte of it twice. */
static void expect_joined(void)
{
    expect_whole(one);
    cr_expect_eq(restarts, 0);
    cr_expect_eq(result.transferred, SIZE);
}

static uint64_t received;

static int32_t count(void *data, const void *bytes, uint64_t size)
{
    (void)data;
    (void)bytes;
    received += size;
    return 0;
}

/* Bytes that have left cannot be taken back: so many do. */
static void expect_streamed(int32_t status, uint64_t size)
{
    received = 0;
    task.path = NULL;
    task.write = count;
    cr_expect_eq(fetch(), status, "%d %s", err.status, err.message);
    cr_expect_eq(received, size);
}

STATED_TEST(a_rest_that_states_another_digest_is_not_taken)
{
    const struct fickle_answer answers[] = {ONE(.cut = CUT, .digest = of_one), LIE(of_two),
                                            TWO(.digest = of_two)};

    play(answers, 3);
    expect_whole(two);
    cr_expect_eq(atomic_load(&script->asked), 3);
    cr_expect_eq(restarts, 1);
    cr_expect_eq(result.transferred, CUT + SIZE, "nothing of it came");
    cr_expect_str_eq(result.digest_from, "header");
}

STATED_TEST(bytes_that_have_left_are_not_followed_by_those_of_another_digest)
{
    const struct fickle_answer answers[] = {ONE(.cut = CUT, .digest = of_one), LIE(of_two)};

    play(answers, 2);
    expect_streamed(FLAME_ERR_CHANGED, CUT);
}

STATED_TEST(what_was_stated_first_counts_when_the_rest_states_nothing_that_counts)
{
    static const char *const says[] = {NULL, "sha-256=:AAAA:", "md5=:AAAA:",
                                       "sha-512=:"
                                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==:"};

    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
        const struct fickle_answer answers[] = {ONE(.cut = CUT, .digest = of_one), LIE(says[i]),
                                                TWO(.digest = of_two)};
        const struct fickle_answer honest[] = {ONE(.cut = CUT, .digest = of_one),
                                               ONE(.digest = says[i])};

        play(answers, 3);
        expect_whole(two);
        cr_expect_eq(restarts, 1);
        play(honest, 2);
        expect_joined();
        cr_expect_str_eq(result.digest_from, "header");
    }
}

STATED_TEST(the_rest_of_the_same_digest_is_taken_and_compared)
{
    const struct fickle_answer answers[] = {ONE(.cut = CUT, .digest = of_one),
                                            ONE(.digest = of_one)};

    play(answers, 2);
    expect_joined();
    cr_expect_str_eq(result.digest_from, "header");
    cr_expect_not(result.flags & FLAME_RESULT_VERIFIED);
}

STATED_TEST(a_digest_stated_for_the_rest_alone_says_nothing)
{
    const struct fickle_answer answers[] = {ONE(.cut = CUT), ONE(.digest = of_two)};

    play(answers, 2);
    expect_whole(one);
    cr_expect_null(result.digest_from);
}

/* ---- by a redirect, which binds -------------------------------------------------------------- */

#define HOP(...)                                                                                   \
    {                                                                                              \
        one, SIZE, "one", FICKLE_ELSEWHERE, 0, 0, 0, __VA_ARGS__                                   \
    }

STATED_TEST(what_a_redirect_promised_is_kept_across_a_cut)
{
    const struct fickle_answer answers[] = {HOP(of_one), ONE(.cut = CUT), HOP(of_one), ONE()};

    play(answers, 4);
    expect_joined();
    cr_expect_str_eq(result.digest_from, "redirect");
    cr_expect(result.flags & FLAME_RESULT_VERIFIED);
}

STATED_TEST(what_a_redirect_promises_later_is_held_against_all_that_came)
{
    const struct fickle_answer answers[] = {ONE(.cut = CUT), HOP(of_one), ONE()};
    const struct fickle_answer lies[] = {ONE(.cut = CUT), HOP(of_two), LIE(NULL), HOP(of_two),
                                         TWO()};

    play(answers, 3);
    expect_joined();
    cr_expect(result.flags & FLAME_RESULT_VERIFIED);
    play(lies, 5);
    expect_whole(two);
    cr_expect_eq(restarts, 1);
}

STATED_TEST(what_a_redirect_promised_is_kept_across_runs)
{
    const struct fickle_answer before[] = {HOP(of_one), ONE(.cut = CUT)};
    const struct fickle_answer after[] = {HOP(of_one), ONE()};

    play(before, 2);
    task.attempts = 1;
    cr_assert_eq(fetch(), FLAME_ERR_NETWORK, "%d %s", err.status, err.message);
    play(after, 2);
    expect_whole(one);
    cr_expect_eq(result.resumed, CUT);
    cr_expect(result.flags & FLAME_RESULT_VERIFIED);
}

STATED_TEST(bytes_that_have_left_hashed_are_gone_on_from)
{
    const struct fickle_answer answers[] = {HOP(of_one), ONE(.cut = CUT), HOP(of_one), ONE()};

    play(answers, 4);
    expect_streamed(FLAME_OK, SIZE);
    cr_expect(result.flags & FLAME_RESULT_VERIFIED);
}

STATED_TEST(bytes_that_have_left_unhashed_end_what_a_redirect_would_bind)
{
    const struct fickle_answer answers[] = {ONE(.cut = CUT), HOP(of_one), ONE()};

    play(answers, 3);
    expect_streamed(FLAME_ERR_CHANGED, CUT);
}
