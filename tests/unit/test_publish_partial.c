/* SPDX-License-Identifier: Apache-2.0 */
#include "partial_fixture.h"

#include <sys/wait.h>

TestSuite(publish_partial, .init = enter_temp_dir, .fini = leave_temp_dir, .timeout = 60);

Test(publish_partial, what_was_left_is_taken_over_and_completed)
{
    struct fl_publish *publish = kept_with("v1", "hello ");
    struct fl_partial out = {.total = 0};
    uint64_t usable = 0;

    cr_expect_eq(mode_of(PART) & 07777, 0600);
    cr_expect_eq(mode_of(STATE) & 07777, 0600);
    leave(publish);
    cr_expect_eq(count_entries("."), 2);
    publish = opened_file();
    cr_assert_eq(fl_publish_adopt(publish, &out, &usable, NULL), FLAME_OK);
    cr_expect_eq(usable, 6);
    cr_expect_str_eq(out.validator, "v1");
    cr_expect_str_eq(out.origin, "https://host");
    cr_expect_str_eq(out.digest, "sha256:00");
    cr_expect_eq(out.total, 100);
    cr_expect_eq(out.durable, 0);
    cr_expect_eq(out.prefix, UINT64_MAX);
    append(publish, "world");
    commit(publish);
    expect_text("file", "hello world");
    cr_expect_eq(mode_of("file") & 07777, 0644);
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_partial, what_is_not_to_be_left_is_gone)
{
    struct fl_publish *publish = kept_with("v1", "hello");

    fl_publish_free(publish);
    cr_expect_eq(count_entries("."), 0);
    publish = kept_with("v1", "hello");
    fl_publish_leave(publish, true);
    fl_publish_leave(publish, false);
    fl_publish_free(publish);
    cr_expect_eq(count_entries("."), 0);
    leave(opened_file());
    leave(kept_with("v1", ""));
    cr_expect_eq(count_entries("."), 0, "an empty one is nothing to leave");
}

Test(publish_partial, what_was_never_kept_is_never_left)
{
    struct fl_destination destination = to("file");

    leave(opened_with(&destination, "hello"));
    cr_expect_eq(count_entries("."), 0);
    expect_nothing_usable(0);
}

/* As a kill would end it: nothing is closed in order. */
static void die_writing(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        struct fl_publish *publish = kept_with("v1", "hello");

        append(publish, " world");
        _exit(publish ? 0 : 1);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0);
}

Test(publish_partial, all_that_a_killed_run_wrote_counts_in_the_same_boot)
{
    die_writing();
    leave(expect_adopted("v1", "hello world"));
    leave(expect_adopted("v1", "hello world"));
}

Test(publish_partial, after_another_boot_only_durable_bytes_count)
{
    struct fl_publish *publish = kept_with("v1", "hello");

    advance(publish, "v1", 3);
    append(publish, " world");
    leave(publish);
    another_boot();
    publish = expect_adopted("v1", "hel");
    append(publish, "P!");
    leave(publish);
    publish = expect_adopted("v1", "helP!");
    leave(publish);
    another_boot();
    fl_publish_free(expect_adopted("v1", "hel"));
    cr_expect_eq(count_entries("."), 0);
}

Test(publish_partial, without_durable_bytes_nothing_counts_after_another_boot)
{
    leave(kept_with("v1", "hello"));
    another_boot();
    expect_nothing_usable(0);
}

Test(publish_partial, another_mount_is_as_another_boot)
{
    struct fl_state state;

    leave(kept_with("v1", "hello"));
    state = read_state();
    if (state.mount == 0)
        return;
    state.mount++;
    write_state(&state);
    expect_nothing_usable(0);
}

Test(publish_partial, an_unknown_boot_is_no_boot_of_ours)
{
    struct fl_state state;

    leave(kept_with("v1", "hello"));
    state = read_state();
    memset(state.boot, 0, sizeof(state.boot));
    write_state(&state);
    expect_nothing_usable(0);
}

Test(publish_partial, out_of_order_only_the_prefix_counts)
{
    struct fl_publish *publish = kept_with("v1", "hello");
    struct fl_partial partial = about("v1");
    uint64_t usable;

    partial.prefix = 3;
    keep(publish, &partial);
    cr_assert_eq(pwrite(fl_publish_fd(publish), "far", 3, 50), 3);
    leave(publish);
    publish = expect_adopted("v1", "hel");
    leave(publish);
    publish = opened_file();
    cr_assert_eq(fl_publish_adopt(publish, &partial, &usable, NULL), FLAME_OK);
    cr_expect_eq(partial.prefix, 3);
    cr_assert_eq(pwrite(fl_publish_fd(publish), "far", 3, 50), 3);
    leave(publish);
    fl_publish_free(expect_adopted("v1", "hel"));
}

Test(publish_partial, a_prefix_that_another_boot_cut_vouches_for_no_hole)
{
    struct fl_publish *publish = kept_with("v1", "hello");
    struct fl_partial partial = about("v1");

    partial.prefix = 4;
    keep(publish, &partial);
    cr_assert_eq(fl_publish_advance(publish, &partial, 2, NULL), FLAME_OK);
    leave(publish);
    another_boot();
    publish = expect_adopted("v1", "he");
    cr_assert_eq(pwrite(fl_publish_fd(publish), "far", 3, 50), 3);
    leave(publish);
    fl_publish_free(expect_adopted("v1", "he"));
}

Test(publish_partial, no_more_is_recorded_as_durable_than_was_synced)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_publish *publish = opened_file();
    struct fl_partial partial = about("v1");

    partial.durable = 5;
    append(publish, "hello");
    keep(publish, &partial);
    cr_expect_eq(read_state().partial.durable, 0);
    cr_assert_eq(fl_publish_advance(publish, &partial, 99, &err), FLAME_OK, "%s", err.message);
    cr_expect_eq(read_state().partial.durable, 5, "no more than the file has");
    partial.prefix = 7;
    append(publish, " world");
    cr_assert_eq(fl_publish_advance(publish, &partial, 9, &err), FLAME_OK, "%s", err.message);
    cr_expect_eq(read_state().partial.durable, 7, "no more than the prefix has");
    cr_expect_eq(partial.durable, 7);
    fl_publish_free(publish);
}

Test(publish_partial, to_advance_what_is_not_kept_does_nothing)
{
    struct fl_publish *publish = opened_file();
    struct fl_partial partial = about("v1");

    append(publish, "hello");
    cr_expect_eq(fl_publish_advance(publish, &partial, 5, NULL), FLAME_OK);
    cr_expect_eq(partial.durable, 0);
    commit(publish);
    expect_text("file", "hello");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_partial, to_begin_anew_forgets_the_old_bytes_and_what_they_were)
{
    struct fl_publish *publish = kept_with("v1", "hello");
    struct fl_partial partial = about("v2");

    advance(publish, "v1", 5);
    cr_assert_eq(fl_publish_restart(publish, NULL), FLAME_OK);
    cr_expect_eq(access(STATE, F_OK), -1);
    append(publish, "other");
    cr_expect_eq(count_entries("."), 1, "no state, nothing usable");
    partial.durable = 5;
    keep(publish, &partial);
    leave(publish);
    cr_expect_eq(read_state().partial.durable, 0);
    fl_publish_free(expect_adopted("v2", "other"));
}

Test(publish_partial, one_that_begins_anew_is_published_whole)
{
    struct fl_publish *publish = kept_with("v1", "a longer beginning");

    leave(publish);
    publish = expect_adopted("v1", "a longer beginning");
    cr_assert_eq(fl_publish_restart(publish, NULL), FLAME_OK);
    append(publish, "short");
    commit(publish);
    expect_text("file", "short");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_partial, a_commit_that_fails_leaves_nothing_and_the_old_file)
{
    struct fl_destination destination = to("file");
    struct fl_partial partial = about("v1");
    struct fl_publish *publish;

    destination.flags = FL_PUBLISH_KEEP;
    publish = opened_with(&destination, "hello");
    keep(publish, &partial);
    put_file("file", "theirs");
    fl_publish_leave(publish, true);
    expect_commit_refusal(publish, FLAME_ERR_EXISTS, "'file' already exists");
    expect_text("file", "theirs");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_partial, an_old_file_is_replaced_from_a_partial)
{
    put_file("file", "old");
    commit(kept_with("v1", "new"));
    expect_text("file", "new");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_partial, the_newest_keep_is_the_one_that_counts)
{
    static const char *const validators[] = {"v1", "v2", "v3", "v4", "v5"};
    struct fl_publish *publish = kept_with("v0", "hello");

    for (size_t i = 0; i < 5; i++) {
        struct fl_partial partial = about(validators[i]);

        keep(publish, &partial);
        cr_expect_str_eq(read_state().partial.validator, validators[i]);
    }
    leave(publish);
    fl_publish_free(expect_adopted("v5", "hello"));
}

Test(publish_partial, a_text_that_does_not_end_is_refused)
{
    struct fl_partial partial = about("v1");
    struct fl_publish *publish = opened_file();

    memset(partial.validator, 'x', sizeof(partial.validator));
    cr_expect_eq(fl_publish_keep(publish, &partial, NULL), FLAME_ERR_INVALID);
    cr_expect_eq(count_entries("."), 0);
    partial.validator[sizeof(partial.validator) - 1] = '\0';
    keep(publish, &partial);
    append(publish, "hello");
    leave(publish);
    fl_publish_free(expect_adopted(partial.validator, "hello"));
}

Test(publish_partial, a_name_of_255_bytes_has_a_partial_too)
{
    char name[256] = "";
    struct fl_destination destination = to(name);
    struct fl_partial partial = about("v1");
    struct fl_publish *publish;

    memset(name, 'n', 255);
    publish = opened_with(&destination, "hello");
    keep(publish, &partial);
    commit(publish);
    expect_text(name, "hello");
}
