/* SPDX-License-Identifier: Apache-2.0 */
#include "file_fixture.h"

TestSuite(file_remove, .init = set_up, .fini = tear_down, .timeout = 60);

Test(file_remove, removes_a_file_and_says_so)
{
    struct plugin_run run;

    scratch_fill(&scratch, "target", 10);
    scratch_fill(&scratch, "other", 10);
    plugin_run_init(&run, host, scratch_url(&scratch, "target"));
    check(&run, plugin_run_remove, FLAME_OK);
    cr_assert_eq(run.finishes, 1);
    cr_assert_eq(run.proof, FLAME_PROOF_COMPLETE);
    cr_assert_eq(access(scratch_path(&scratch, "target"), F_OK), -1);
    cr_assert_eq(scratch_count(&scratch), 1);
    plugin_run_done(&run);
}

Test(file_remove, removes_nothing_but_regular_files)
{
    scratch_fill(&scratch, "target", 10);
    cr_assert_eq(mkdir(scratch_path(&scratch, "dir"), 0777), 0);
    cr_assert_eq(mkfifo(scratch_path(&scratch, "fifo"), 0666), 0);
    cr_assert_eq(symlink("target", scratch_path(&scratch, "link")), 0);
    expect(plugin_run_remove, scratch_url(&scratch, "dir"), FLAME_ERR_POLICY);
    expect(plugin_run_remove, scratch_url(&scratch, "fifo"), FLAME_ERR_POLICY);
    expect(plugin_run_remove, scratch_url(&scratch, "link"), FLAME_ERR_POLICY);
    expect(plugin_run_remove, scratch_url(&scratch, "dir/."), FLAME_ERR_POLICY);
    expect(plugin_run_remove, scratch_url(&scratch, "dir/"), FLAME_ERR_INVALID_URL);
    expect(plugin_run_remove, scratch_url(&scratch, "missing"), FLAME_ERR_NOT_FOUND);
    expect(plugin_run_remove, scratch_url(&scratch, "missing/file"), FLAME_ERR_NOT_FOUND);
    cr_assert_eq(scratch_count(&scratch), 4);
}

static void remove_with(uint32_t condition, const char *validator, uint32_t flags, int32_t expected)
{
    struct plugin_run run;

    plugin_run_init(&run, host, scratch_url(&scratch, "target"));
    run.request.condition = condition;
    run.request.validator = validator;
    run.request.flags = flags;
    check(&run, plugin_run_remove, expected);
    cr_assert_eq(scratch_count(&scratch), expected == FLAME_OK ? 0 : 1);
    plugin_run_done(&run);
}

Test(file_remove, removes_only_the_version_asked_for)
{
    scratch_fill(&scratch, "target", 10);
    remove_with(FLAME_WHEN_SAME, "1-2-3-4-5", 0, FLAME_ERR_CHANGED);
    remove_with(FLAME_WHEN_SAME, NULL, 0, FLAME_ERR_CHANGED);
    remove_with(FLAME_WHEN_ABSENT, NULL, 0, FLAME_ERR_UNSUPPORTED);
    remove_with(FLAME_WHEN_SAME, settled_validator(scratch_url(&scratch, "target")), 0, FLAME_OK);
}

/* A plugin that overlooked the flag would remove one file and call it all. */
Test(file_remove, refuses_a_prefix)
{
    scratch_fill(&scratch, "target", 10);
    remove_with(FLAME_WHEN_ALWAYS, NULL, FLAME_REQUEST_PREFIX, FLAME_ERR_UNSUPPORTED);
    remove_with(FLAME_WHEN_ALWAYS, NULL, 0x10000u, FLAME_ERR_UNSUPPORTED);
    cr_assert_not(plugin_host_plugin(host)->caps & FLAME_CAN_REMOVE_PREFIX);
}

Test(file_remove, stays_below_the_allowed_directories)
{
    scratch_fill(&scratch, "target", 10);
    cr_assert_eq(mkdir(scratch_path(&scratch, "open"), 0777), 0);
    cr_assert_eq(symlink("..", scratch_path(&scratch, "open/up")), 0);
    plugin_host_option(host, "roots", scratch_path(&scratch, "open"));
    expect(plugin_run_remove, scratch_url(&scratch, "open/up/target"), FLAME_ERR_POLICY);
    expect(plugin_run_remove, scratch_url(&scratch, "target"), FLAME_ERR_POLICY);
    expect(plugin_run_remove, "file:///proc/self/comm", FLAME_ERR_POLICY);
    cr_assert_eq(scratch_count(&scratch), 2);
}
