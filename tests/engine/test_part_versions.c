/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of one version, or none: what the core does with a plugin whose parts are not of what the
 * first one was of, or not the parts that were asked for. */
#include "fickle_fixture.h"

static const char *const part_sizes[] = {"parts.min_size", "64k", NULL};

static void set_up(void)
{
    fickle_set_up();
    task.connections = 4;
    task.options = part_sizes;
}

#define PART_TEST(name)                                                                            \
    Test(part_versions, name, .init = set_up, .fini = fickle_tear_down, .timeout = 120)

#define TWO(validity, said)                                                                        \
    {                                                                                              \
        two, SIZE, validity, FICKLE_DEAF | (said), 0, 0, 0, NULL                                   \
    }

struct lie {
    const char *name;
    struct fickle_answer part;
};

static void expect_whole(const char *bytes, const char *name)
{
    cr_assert_eq(fetch(), FLAME_OK, "%s: %d %s", name, err.status, err.message);
    cr_expect_eq(result.size, SIZE, "%s", name);
    cr_expect(scratch_holds(task.path, bytes, SIZE), "%s", name);
    cr_expect_eq(scratch_count(&scratch), 1, "%s", name);
}

PART_TEST(parts_of_one_version_make_the_whole)
{
    static const uint32_t flags[] = {0, FICKLE_DEAF, FICKLE_TOTALLESS, FICKLE_SIZELESS};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        const struct fickle_answer answers[] = {ONE(), ONE(.flags = flags[i])};

        play(answers, 2);
        expect_whole(one, "honest");
        cr_expect_eq(result.connections, 4);
        cr_expect_eq(result.transferred, SIZE);
        cr_expect_eq(restarts, 0);
        cr_expect_eq(atomic_load(&script->bare), 0);
    }
}

/* ---- a part of something else ---------------------------------------------------------------- */

#define VERSION_LIES                                                                               \
    {"another validator", TWO("two", 0)},                                                          \
        {"another validator and no total", TWO("two", FICKLE_TOTALLESS)},                          \
        {"a validator that begins alike", TWO("one+", 0)}, {"no validator", TWO(NULL, 0)},         \
        {"no validator, called strong", TWO(NULL, FICKLE_STRONG)},                                 \
    {                                                                                              \
        "a weak validator", TWO("one", FICKLE_WEAK)                                                \
    }

/* One of them lies, the others do not. */
PART_TEST(a_part_of_another_version_is_left_out)
{
    const struct lie lies[] = {
        VERSION_LIES,
        {"a larger total", {two, SIZE + MORE, "one", FICKLE_DEAF, 0, 0, 0, NULL}},
        {"a smaller total", {two, SIZE - MORE, "one", FICKLE_DEAF, 0, 0, 0, NULL}},
        {"a part that begins too early", {two, SIZE, "one", FICKLE_DEAF, -1, 0, 0, NULL}},
        {"a part that begins too late", {two, SIZE, "one", FICKLE_DEAF, 1, 0, 0, NULL}},
        {"the whole", TWO("one", FICKLE_WHOLE)},
        {"a redirect", TWO("one", FICKLE_ELSEWHERE)},
    };

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        const struct fickle_answer answers[] = {ONE(), ONE(), lies[i].part, ONE()};

        play(answers, 4);
        expect_whole(one, lies[i].name);
        cr_expect_eq(restarts, 0, "%s", lies[i].name);
        cr_expect_lt(result.transferred, SIZE + 2, "%s", lies[i].name);
    }
}

/* All lie from some part on, and go on doing so. */
PART_TEST(a_version_that_takes_over_replaces_what_came)
{
    const struct lie lies[] = {VERSION_LIES};

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
        for (uint32_t honest = 1; honest < 5; honest++) {
            struct fickle_answer answers[5];

            for (uint32_t j = 0; j < 5; j++)
                answers[j] = j < honest ? (struct fickle_answer)ONE() : lies[i].part;
            play(answers, honest + 1);
            expect_whole(two, lies[i].name);
            cr_expect_eq(restarts, 1, "%s", lies[i].name);
        }
}

/* ---- not the part that was asked for --------------------------------------------------------- */

PART_TEST(a_part_that_ends_too_early_is_completed)
{
    static const uint32_t flags[] = {0, FICKLE_TOTALLESS, FICKLE_SIZELESS};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        const struct fickle_answer answers[] = {ONE(), ONE(.flags = flags[i], .stretch = -1000),
                                                ONE()};

        play(answers, 3);
        expect_whole(one, "short");
        cr_expect_eq(result.transferred, SIZE);
    }
}

PART_TEST(parts_without_a_byte_are_not_asked_for_for_ever)
{
    const struct fickle_answer answers[] = {ONE(), {one, 0, "one", FICKLE_SIZELESS, 0, 0, 0, NULL}};

    play(answers, 2);
    cr_expect_eq(fetch(), FLAME_ERR_TRUNCATED, "%d %s", err.status, err.message);
    cr_expect_lt(atomic_load(&script->asked), 40);
}

PART_TEST(a_part_that_goes_on_too_long_writes_into_no_other)
{
    static const uint32_t flags[] = {0, FICKLE_TOTALLESS, FICKLE_SIZELESS};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        const struct fickle_answer answers[] = {ONE(), ONE(.flags = flags[i], .stretch = 1000),
                                                ONE()};

        play(answers, 3);
        expect_whole(one, "long");
    }
}

/* ---- the first part -------------------------------------------------------------------------- */

PART_TEST(a_first_part_is_never_taken_for_the_whole)
{
    const struct lie firsts[] = {
        {"too short", ONE(.stretch = -1000)},
        {"too long", ONE(.stretch = 1000)},
    };

    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        const struct fickle_answer answers[] = {firsts[i].part, ONE()};

        play(answers, 2);
        expect_whole(one, firsts[i].name);
    }
}

PART_TEST(a_first_part_of_nobody_knows_what_is_followed_by_the_rest_in_one)
{
    const struct lie firsts[] = {
        {"no total", ONE(.flags = FICKLE_TOTALLESS)},
        {"no size", ONE(.flags = FICKLE_SIZELESS)},
        {"no validator", {one, SIZE, NULL, 0, 0, 0, 0, NULL}},
        {"no validator, called strong", {one, SIZE, NULL, FICKLE_STRONG, 0, 0, 0, NULL}},
        {"a weak validator", ONE(.flags = FICKLE_WEAK)},
        {"empty", ONE(.stretch = -65536)},
    };

    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        const struct fickle_answer answers[] = {firsts[i].part, ONE()};

        play(answers, 2);
        expect_whole(one, firsts[i].name);
        cr_expect_eq(atomic_load(&script->asked), 2, "%s", firsts[i].name);
    }
}

PART_TEST(the_whole_instead_of_a_part_is_enough)
{
    static const uint32_t flags[] = {0, FICKLE_TOTALLESS, FICKLE_SIZELESS, FICKLE_SILENT};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        const struct fickle_answer answer = ONE(.flags = FICKLE_WHOLE | flags[i]);

        play(&answer, 1);
        expect_whole(one, "whole");
        cr_expect_eq(atomic_load(&script->asked), 1);
    }
}

PART_TEST(an_object_of_one_part_is_whole_with_it)
{
    static const uint64_t sizes[] = {0, 1, 65535, 65536};
    static const uint32_t flags[] = {0, FICKLE_TOTALLESS, FICKLE_SIZELESS};

    for (size_t i = 0; i < 12; i++) {
        const struct fickle_answer answer = {one, sizes[i % 4], "one", flags[i / 4], 0, 0, 0, NULL};

        play(&answer, 1);
        cr_assert_eq(fetch(), FLAME_OK, "%zu: %d %s", i, err.status, err.message);
        cr_expect(scratch_holds(task.path, one, sizes[i % 4]), "%zu", i);
    }
}
