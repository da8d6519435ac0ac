/* SPDX-License-Identifier: Apache-2.0 */
/* flame_reload(): plugins and configuration anew, while tasks run. */
#include "gated.h"

#include <sys/stat.h>

static const char *file;

static void write_config(const char *text)
{
    file = scratch_write(&scratch, "fetch.json", text, strlen(text));
}

static void set_up(void)
{
    struct flame_config config = FLAME_INIT(flame_config);
    const char *dirs[2] = {NULL, NULL};
    struct flame *opened;

    scratch_open(&scratch);
    dirs[0] = scratch_path(&scratch, "plugins");
    cr_assert_eq(mkdir(dirs[0], 0755), 0);
    write_config("{\"options\": {\"limit.bytes\": \"10\"}}");
    config.file = strdup(file); /* what was said is kept, and may go */
    config.plugin_dirs = dirs;
    opened = open_configured(config);
    free((char *)(uintptr_t)config.file);
    dirs[0] = NULL;
    gated_begin(opened);
}

#define RELOAD_TEST(name)                                                                          \
    Test(reload, name, .init = set_up, .fini = gated_tear_down, .timeout = 120)

static void add_plugin(void)
{
    char command[1024];

    (void)snprintf(command, sizeof(command), "cp '%s/tests/bad/good.so' '%s/plugins/'",
                   FLAME_BINARY_DIR, scratch.dir);
    cr_assert_eq(system(command), 0);
}

static int32_t reload(void)
{
    struct flame_error err = FLAME_INIT(flame_error);
    int32_t status = flame_reload(flame, &err);

    cr_expect(status == FLAME_OK || err.message[0]);
    return status;
}

static int32_t look_for_good(void *data, const struct flame_plugin_info *info)
{
    bool *found = data;

    *found = *found || (info->accepted && info->id && strcmp(info->id, "org.example.good") == 0);
    return 0;
}

static bool has_good(void)
{
    bool found = false;

    flame_plugins(flame, look_for_good, &found);
    return found;
}

RELOAD_TEST(a_plugin_that_was_put_there_is_found)
{
    struct flame_error err = FLAME_INIT(flame_error);

    task.url = "good://host/x";
    add_plugin();
    cr_expect_not(has_good());
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_ERR_UNSUPPORTED);
    cr_assert_eq(reload(), FLAME_OK);
    cr_expect(has_good());
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_ERR_UNPROVEN, "%d %s",
                 err.status, err.message);
}

RELOAD_TEST(what_runs_goes_on_with_the_old_what_begins_gets_the_new)
{
    struct flame_job *old = submit(flame, &task, NULL);
    struct flame_job *fresh;

    wait_until(atomic_load(&gate.reached) == 1);
    write_config("{\"options\": {\"limit.bytes\": \"2\"}}");
    cr_assert_eq(reload(), FLAME_OK);
    task.path = scratch_path(&scratch, "fresh");
    fresh = submit(flame, &task, NULL);
    atomic_store(&gate.is_open, true);
    finish(old, FLAME_OK);
    finish(fresh, FLAME_ERR_LIMIT);
}

RELOAD_TEST(what_waits_keeps_the_setup_it_was_submitted_with)
{
    struct flame_job *jobs[40];

    task.flags = FLAME_TASK_NO_LOCK;
    for (int i = 0; i < 40; i++)
        jobs[i] = submit(flame, &task, NULL);
    wait_until(atomic_load(&gate.reached) == FLAME_PER_ORIGIN);
    write_config("{\"options\": {\"limit.bytes\": \"2\"}}");
    cr_assert_eq(reload(), FLAME_OK);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < 40; i++)
        finish(jobs[i], FLAME_OK);
}

RELOAD_TEST(a_broken_configuration_changes_nothing)
{
    struct flame_error err = FLAME_INIT(flame_error);

    atomic_store(&gate.is_open, true);
    write_config("{\"options\": {\"limit.bytes\": ");
    cr_expect_eq(flame_reload(flame, &err), FLAME_ERR_INVALID);
    cr_expect_not_null(strstr(err.message, "fetch.json"), "%s", err.message);
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_OK);
    write_config("{\"options\": {\"limit.bytes\": \"2\"}}");
    cr_expect_eq(reload(), FLAME_OK);
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_ERR_LIMIT);
}

RELOAD_TEST(the_total_rate_follows_the_configuration)
{
    static char body[100000];
    double took;

    gate.body = body;
    gate.size = sizeof(body);
    atomic_store(&gate.is_open, true);
    write_config("{\"options\": {\"rate.total\": \"100000\"}}");
    cr_assert_eq(reload(), FLAME_OK);
    took = now_ms();
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_OK);
    took = now_ms() - took;
    cr_expect_geq(took, 700, "%.0f ms", took);
}

static void *reload_often(void *data)
{
    atomic_bool *is_over = data;

    while (!atomic_load(is_over))
        (void)reload();
    return NULL;
}

RELOAD_TEST(reloading_while_everything_runs_is_safe)
{
    atomic_bool is_over = false;
    struct flame_job *jobs[100];
    pthread_t threads[2];

    atomic_store(&gate.is_open, true);
    finish(submit(flame, &task, NULL), FLAME_OK); /* the linker's own locks are not seen by TSan */
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, reload_often, &is_over), 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            jobs[i] = submit(flame, &task, NULL);
        for (int i = 0; i < 100; i++)
            finish(jobs[i], FLAME_OK);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
}
