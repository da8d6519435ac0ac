/* SPDX-License-Identifier: Apache-2.0 */
/* Never a splice of two versions, whatever a plugin answers: the core itself compares. The server
 * has version one, the line breaks, and what then comes is of version two. */
#include "digest_text.h"
#include "fickle_fixture.h"

#define VERSION_TEST(name)                                                                         \
    Test(versions, name, .init = fickle_set_up, .fini = fickle_tear_down, .timeout = 120)

#define TWO(...)                                                                                   \
    {                                                                                              \
        .bytes = two, .size = SIZE, __VA_ARGS__                                                    \
    }

static void expect_whole(const char *bytes, uint64_t size)
{
    cr_assert_eq(fetch(), FLAME_OK, "%d %s", err.status, err.message);
    cr_expect(scratch_holds(task.path, bytes, size));
    cr_expect_eq(result.size, size);
    cr_expect_eq(scratch_count(&scratch), 1, "only the file is left");
}

/* An earlier run leaves the first CUT bytes of version one. */
static void leave_partial(struct fickle_answer first)
{
    first.cut = CUT;
    play(&first, 1);
    task.attempts = 1;
    cr_assert_eq(fetch(), FLAME_ERR_NETWORK, "%d %s", err.status, err.message);
    cr_assert_gt(scratch_count(&scratch), 0);
    task.attempts = 0;
}

/* ---- lies ------------------------------------------------------------------------------------ */

/* What comes instead of the rest of version one; it must be refused. */
struct lie {
    const char *name;
    struct fickle_answer rest;
};

#define LIES                                                                                       \
    {                                                                                              \
        {"another validator", TWO(.validator = "two", .flags = FICKLE_DEAF)},                      \
            {"another validator and no total",                                                     \
             TWO(.validator = "two", .flags = FICKLE_DEAF | FICKLE_TOTALLESS)},                    \
            {"another validator and no size",                                                      \
             TWO(.validator = "two", .flags = FICKLE_DEAF | FICKLE_SIZELESS)},                     \
            {"a validator that begins alike", TWO(.validator = "one+", .flags = FICKLE_DEAF)},     \
            {"a larger total", {two, SIZE + MORE, "one", FICKLE_DEAF, 0, 0, 0, NULL}},             \
            {"a smaller total", {two, SIZE - MORE, "one", FICKLE_DEAF, 0, 0, 0, NULL}},            \
            {"no validator", TWO(.flags = FICKLE_DEAF)},                                           \
            {"no validator, called strong", TWO(.flags = FICKLE_DEAF | FICKLE_STRONG)},            \
            {"no validator and no size", TWO(.flags = FICKLE_DEAF | FICKLE_SIZELESS)},             \
            {"a weak validator", TWO(.validator = "one", .flags = FICKLE_DEAF | FICKLE_WEAK)},     \
            {"a part that begins too early",                                                       \
             TWO(.validator = "one", .flags = FICKLE_DEAF, .shift = -1)},                          \
            {"a part that begins too late",                                                        \
             TWO(.validator = "one", .flags = FICKLE_DEAF, .shift = 1)},                           \
    }

static void expect_refused(const struct lie *lie)
{
    cr_assert_eq(fetch(), FLAME_OK, "%s: %d %s", lie->name, err.status, err.message);
    cr_expect(scratch_holds(task.path, two, SIZE), "%s", lie->name);
    cr_expect_eq(atomic_load(&script->rests), 1, "%s", lie->name);
    cr_expect_eq(restarts, 1, "%s: %u restarts", lie->name, restarts);
    cr_expect_eq(scratch_count(&scratch), 1, "%s", lie->name);
}

VERSION_TEST(after_a_cut_a_rest_of_another_version_is_never_appended)
{
    const struct lie lies[] = LIES;

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        const struct fickle_answer answers[] = {ONE(.cut = CUT), lies[i].rest,
                                                TWO(.validator = "two")};

        play(answers, 3);
        expect_refused(&lies[i]);
        cr_expect_eq(atomic_load(&script->asked), 3, "%s", lies[i].name);
    }
}

VERSION_TEST(a_partial_of_an_earlier_run_never_gets_the_rest_of_another_version)
{
    const struct lie lies[] = LIES;

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        const struct fickle_answer answers[] = {lies[i].rest, TWO(.validator = "two")};

        leave_partial((struct fickle_answer)ONE());
        play(answers, 2);
        expect_refused(&lies[i]);
        cr_expect_eq(atomic_load(&script->asked), 2, "%s", lies[i].name);
    }
}

static char received[SIZE + MORE];
static uint64_t received_size;

static int32_t keep(void *data, const void *bytes, uint64_t size)
{
    (void)data;
    if (size > sizeof(received) - received_size)
        return -1;
    memcpy(received + received_size, bytes, size);
    received_size += size;
    return 0;
}

VERSION_TEST(bytes_that_have_left_are_followed_by_their_own_version_or_by_an_error)
{
    const struct lie lies[] = LIES;

    task.path = NULL;
    task.write = keep;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        const struct fickle_answer answers[] = {ONE(.cut = CUT), lies[i].rest,
                                                TWO(.validator = "two")};

        received_size = 0;
        play(answers, 3);
        cr_expect_eq(fetch(), FLAME_ERR_CHANGED, "%s: %d %s", lies[i].name, err.status,
                     err.message);
        cr_expect_eq(received_size, CUT, "%s", lies[i].name);
        cr_expect_arr_eq(received, one, CUT, "%s", lies[i].name);
    }
}

VERSION_TEST(a_rest_that_ends_too_early_is_not_the_end)
{
    const struct fickle_answer answers[] = {
        ONE(.cut = CUT),
        {one, SIZE - MORE, "one", FICKLE_DEAF | FICKLE_SIZELESS, 0, 0, 0, NULL},
        ONE(),
    };

    play(answers, 3);
    expect_whole(one, SIZE);
    cr_expect_eq(atomic_load(&script->asked), 3);
    cr_expect_eq(restarts, 0);
}

VERSION_TEST(a_rest_that_goes_on_too_long_is_an_error)
{
    const struct fickle_answer answers[] = {
        ONE(.cut = CUT),
        {one, SIZE + MORE, "one", FICKLE_DEAF | FICKLE_SIZELESS, 0, 0, 0, NULL},
    };

    play(answers, 2);
    cr_expect_eq(fetch(), FLAME_ERR_PROTOCOL, "%d %s", err.status, err.message);
    cr_expect_eq(scratch_count(&scratch), 0);
}

/* ---- the truth ------------------------------------------------------------------------------- */

VERSION_TEST(the_rest_of_the_same_version_is_appended)
{
    static const uint32_t flags[] = {0, FICKLE_DEAF, FICKLE_TOTALLESS, FICKLE_SIZELESS};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        const struct fickle_answer answers[] = {ONE(.cut = CUT), ONE(.flags = flags[i])};

        play(answers, 2);
        expect_whole(one, SIZE);
        cr_expect_eq(result.transferred, SIZE);
        leave_partial((struct fickle_answer)ONE());
        play(answers + 1, 1);
        expect_whole(one, SIZE);
        cr_expect_eq(result.resumed, CUT);
        cr_expect_eq(restarts, 0);
        cr_expect_eq(atomic_load(&script->bare), 0);
    }
}

VERSION_TEST(a_new_version_from_its_beginning_replaces_what_came)
{
    const struct fickle_answer wholes[] = {
        TWO(.validator = "two"),
        TWO(.validator = "one", .flags = FICKLE_WHOLE),
        TWO(.flags = FICKLE_WHOLE),
        TWO(.flags = FICKLE_WHOLE | FICKLE_SIZELESS),
        TWO(.validator = "one", .flags = FICKLE_WHOLE | FICKLE_SILENT),
        {two, SIZE + MORE, "two", 0, 0, 0, 0, NULL},
    };

    for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
        const struct fickle_answer answers[] = {ONE(.cut = CUT), wholes[i]};

        play(answers, 2);
        expect_whole(two, wholes[i].size);
        leave_partial((struct fickle_answer)ONE());
        play(wholes + i, 1);
        expect_whole(two, wholes[i].size);
        cr_expect_eq(atomic_load(&script->asked), 1);
        cr_expect_eq(atomic_load(&script->rests), 1);
        cr_expect_eq(restarts, 1);
    }
}

/* ---- what nothing vouches for ---------------------------------------------------------------- */

VERSION_TEST(what_had_no_strong_validator_is_not_gone_on_from)
{
    const struct fickle_answer firsts[] = {
        ONE(.cut = CUT, .flags = FICKLE_WEAK),
        {one, SIZE, NULL, 0, 0, 0, CUT, NULL},
    };

    for (size_t i = 0; i < 2; i++) {
        const struct fickle_answer answers[] = {firsts[i],
                                                TWO(.validator = "one", .flags = FICKLE_DEAF)};

        play(answers, 2);
        expect_whole(two, SIZE);
        cr_expect_eq(atomic_load(&script->rests), 0);
    }
}

VERSION_TEST(a_validator_of_one_place_says_nothing_at_another)
{
    static const char *const mirrors[] = {"fickle:/mirror", NULL};
    const struct fickle_answer answers[] = {ONE(.cut = CUT),
                                            TWO(.validator = "one", .flags = FICKLE_DEAF)};

    task.mirrors = mirrors;
    task.attempts = 1;
    play(answers, 2);
    expect_whole(two, SIZE);
    cr_expect_eq(result.source, 1);
    cr_expect_eq(atomic_load(&script->rests), 0);
}

/* ---- a digest vouches ------------------------------------------------------------------------ */

VERSION_TEST(under_a_digest_a_mirror_goes_on_whatever_it_calls_the_version)
{
    static const char *const mirrors[] = {"fickle:/mirror", NULL};
    const struct fickle_answer rests[] = {
        {one, SIZE, "other", FICKLE_DEAF, 0, 0, 0, NULL},
        {one, SIZE, NULL, FICKLE_DEAF, 0, 0, 0, NULL},
        {one, SIZE, "one", FICKLE_DEAF | FICKLE_WEAK, 0, 0, 0, NULL},
    };
    char digest[DIGEST_TEXT_SIZE];

    digest_text(one, SIZE, digest);
    task.digest = digest;
    task.mirrors = mirrors;
    task.attempts = 1;
    task.flags = FLAME_TASK_REPLACE;
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        const struct fickle_answer answers[] = {ONE(.cut = CUT), rests[i]};

        play(answers, 2);
        expect_whole(one, SIZE);
        cr_expect_eq(result.transferred, SIZE);
        cr_expect_eq(restarts, 0);
    }
}

VERSION_TEST(under_a_digest_a_splice_is_found_and_fetched_anew)
{
    const struct fickle_answer answers[] = {
        {one, SIZE, NULL, 0, 0, 0, CUT, NULL}, TWO(.flags = FICKLE_DEAF), TWO(.validator = "two")};
    char digest[DIGEST_TEXT_SIZE];

    digest_text(two, SIZE, digest);
    task.digest = digest;
    play(answers, 3);
    expect_whole(two, SIZE);
    cr_expect_eq(atomic_load(&script->asked), 3);
    cr_expect_eq(restarts, 1);
}

VERSION_TEST(a_partial_for_one_digest_is_not_gone_on_from_for_another)
{
    char digest[DIGEST_TEXT_SIZE];
    char other[DIGEST_TEXT_SIZE];
    const struct fickle_answer answers[] = {TWO(.flags = FICKLE_DEAF)};

    digest_text(one, SIZE, digest);
    digest_text(two, SIZE, other);
    task.digest = digest;
    leave_partial((struct fickle_answer){one, SIZE, NULL, 0, 0, 0, 0, NULL});
    task.digest = other;
    play(answers, 1);
    expect_whole(two, SIZE);
    cr_expect_eq(atomic_load(&script->rests), 0);
}
