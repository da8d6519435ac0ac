/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may say for which verb. */
#include "request/task.h"

#include <criterion/criterion.h>

static int32_t nothing(void *data, const struct flame_result *entry)
{
    (void)data;
    (void)entry;
    return 0;
}

static struct flame_task for_verb(uint32_t verb)
{
    struct flame_task task = FLAME_INIT(flame_task);

    task.url = "http://host.test/x";
    if (verb == FLAME_FETCH || verb == FLAME_STORE)
        task.path = "file";
    if (verb == FLAME_LIST)
        task.entry = nothing;
    return task;
}

static int32_t check(uint32_t verb, const struct flame_task *said)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_task task;
    int32_t status = fl_task_init(&task, verb, said, 80, &err);

    cr_expect(status == FLAME_OK || err.message[0]);
    fl_task_done(&task);
    return status;
}

static const uint32_t all_flags[] = {
    FLAME_TASK_KEEP,
    FLAME_TASK_REPLACE,
    FLAME_TASK_ALLOW_UNPROVEN,
    FLAME_TASK_SPOOL,
    FLAME_TASK_REMOTE_TIME,
    FLAME_TASK_REQUIRE_DIGEST,
    FLAME_TASK_CREATE_DIRS,
    FLAME_TASK_FD,
    FLAME_TASK_NO_RESUME,
    FLAME_TASK_NO_LOCK,
    FLAME_TASK_PREFIX,
    0x800u,
    0x80000000u,
};

Test(task, each_verb_knows_its_flags_and_no_others)
{
    static const struct {
        uint32_t verb;
        uint32_t known;
    } rows[] = {
        {FLAME_FETCH, 0x3ff},
        {FLAME_STORE, FLAME_TASK_KEEP | FLAME_TASK_FD | FLAME_TASK_CREATE_DIRS},
        {FLAME_REMOVE, FLAME_TASK_PREFIX},
        {FLAME_STAT, 0},
        {FLAME_LIST, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (size_t k = 0; k < sizeof(all_flags) / sizeof(*all_flags); k++) {
            struct flame_task task = for_verb(rows[i].verb);
            uint32_t flag = all_flags[k];

            task.flags = flag;
            if (flag == FLAME_TASK_FD)
                task.path = NULL;
            if (flag == FLAME_TASK_REQUIRE_DIGEST)
                task.checksum_url = rows[i].verb == FLAME_FETCH ? "SUMS" : NULL;
            cr_expect_eq(check(rows[i].verb, &task),
                         flag & rows[i].known ? FLAME_OK : FLAME_ERR_INVALID, "verb %u, flag 0x%x",
                         rows[i].verb, flag);
        }
    }
}

Test(task, an_unknown_verb_is_invalid)
{
    struct flame_task task = for_verb(FLAME_STAT);

    cr_expect_eq(check(0, &task), FLAME_ERR_INVALID);
    cr_expect_eq(check(6, &task), FLAME_ERR_INVALID);
}

Test(task, a_store_has_one_source_and_no_digest)
{
    struct flame_task task = for_verb(FLAME_STORE);

    cr_expect_eq(check(FLAME_STORE, &task), FLAME_OK);
    task.flags = FLAME_TASK_FD;
    cr_expect_eq(check(FLAME_STORE, &task), FLAME_ERR_INVALID);
    task.path = NULL;
    cr_expect_eq(check(FLAME_STORE, &task), FLAME_OK);
    task.fd = -1;
    cr_expect_eq(check(FLAME_STORE, &task), FLAME_ERR_INVALID);
    task.fd = 0;
    task.checksum_url = "SUMS";
    cr_expect_eq(check(FLAME_STORE, &task), FLAME_ERR_INVALID);
    task.checksum_url = NULL;
    task.flags = FLAME_TASK_FD | FLAME_TASK_KEEP;
    task.validator = "v1";
    cr_expect_eq(check(FLAME_STORE, &task), FLAME_ERR_INVALID);
    task.flags = 0;
    task.fd = 0;
    cr_expect_eq(check(FLAME_STORE, &task), FLAME_ERR_INVALID);
}

Test(task, a_list_needs_somebody_to_tell)
{
    struct flame_task task = for_verb(FLAME_LIST);

    cr_expect_eq(check(FLAME_LIST, &task), FLAME_OK);
    task.entry = NULL;
    cr_expect_eq(check(FLAME_LIST, &task), FLAME_ERR_INVALID);
}

Test(task, only_a_fetch_has_mirrors)
{
    static const char *const mirrors[] = {"http://mirror.test/", NULL};

    for (uint32_t verb = FLAME_FETCH; verb <= FLAME_LIST; verb++) {
        struct flame_task task = for_verb(verb);

        task.mirrors = mirrors;
        cr_expect_eq(check(verb, &task), verb == FLAME_FETCH ? FLAME_OK : FLAME_ERR_INVALID);
        task.mirrors = mirrors + 1; /* an empty list is none */
        cr_expect_eq(check(verb, &task), FLAME_OK);
    }
}

Test(task, numbers_have_bounds)
{
    struct flame_task task = for_verb(FLAME_FETCH);

    task.attempts = 100;
    task.connections = 16;
    task.durability = FLAME_DURABILITY_NONE;
    cr_expect_eq(check(FLAME_FETCH, &task), FLAME_OK);
    task.attempts = 101;
    cr_expect_eq(check(FLAME_FETCH, &task), FLAME_ERR_INVALID);
    task.attempts = 0;
    task.connections = 17;
    cr_expect_eq(check(FLAME_FETCH, &task), FLAME_ERR_INVALID);
    task.connections = 0;
    task.durability = 4;
    cr_expect_eq(check(FLAME_FETCH, &task), FLAME_ERR_INVALID);
}

Test(task, members_that_an_older_caller_does_not_have_are_zero)
{
    struct flame_task task = for_verb(FLAME_FETCH);
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_task out;

    task.connections = 99;
    task.struct_size = offsetof(struct flame_task, attempts);
    cr_expect_eq(fl_task_init(&out, FLAME_FETCH, &task, 80, &err), FLAME_OK, "%s", err.message);
    cr_expect_eq(out.said.connections, 0);
    fl_task_done(&out);
}
