/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand under a partial's names and must never be believed. */
#include "partial_fixture.h"

TestSuite(publish_left, .init = enter_temp_dir, .fini = leave_temp_dir, .timeout = 60);

Test(publish_left, one_half_of_a_partial_is_never_used)
{
    leave(kept_with("v1", "hello"));
    cr_assert_eq(unlink(STATE), 0);
    expect_nothing_usable(0);
    leave(kept_with("v1", "hello"));
    cr_assert_eq(unlink(PART), 0);
    expect_nothing_usable(0);
    leave(kept_with("v1", "hello"));
    cr_assert_eq(truncate(PART, 0), 0);
    expect_nothing_usable(0);
}

static void spoil(off_t offset)
{
    int fd = open(STATE, O_RDWR | O_CLOEXEC);
    char c = '\0';

    cr_assert_eq(pread(fd, &c, 1, offset), 1);
    c ^= 1;
    cr_assert_eq(pwrite(fd, &c, 1, offset), 1);
    cr_assert_eq(close(fd), 0);
}

Test(publish_left, a_state_with_one_wrong_bit_is_no_state)
{
    for (size_t offset = 0; offset < sizeof(struct fl_state); offset += 37) {
        leave(kept_with("v1", "hello"));
        spoil(4096 + (off_t)offset); /* the first record goes there */
        expect_nothing_usable(0);
    }
}

Test(publish_left, a_state_of_any_shorter_length_is_no_state)
{
    for (off_t size = 0; size < 4096 + (off_t)sizeof(struct fl_state); size += 211) {
        leave(kept_with("v1", "hello"));
        cr_assert_eq(truncate(STATE, size), 0);
        expect_nothing_usable(0);
    }
}

Test(publish_left, of_a_torn_record_the_one_before_vouches_for_durable_bytes_only)
{
    struct fl_publish *publish = kept_with("v1", "hello");

    advance(publish, "v1", 2);
    advance(publish, "v1", 4);
    append(publish, " world");
    leave(publish);
    spoil(4096 + 100);
    fl_publish_free(expect_adopted("v1", "he"));
}

Test(publish_left, a_state_of_another_version_is_no_state)
{
    struct fl_state state;
    int fd;

    leave(kept_with("v1", "hello"));
    state = read_state();
    state.magic[6] = '2';
    fl_beside_sum(&state, offsetof(struct fl_state, sum), state.sum);
    fd = open(STATE, O_RDWR | O_TRUNC | O_CLOEXEC);
    cr_assert_eq(pwrite(fd, &state, sizeof(state), 0), (ssize_t)sizeof(state));
    cr_assert_eq(close(fd), 0);
    expect_nothing_usable(0);
}

Test(publish_left, a_state_belongs_to_one_inode)
{
    leave(kept_with("v1", "hello"));
    put_file("copy", "other");
    cr_assert_eq(rename("copy", PART), 0);
    expect_nothing_usable(0);
}

Test(publish_left, a_state_belongs_to_one_birth_of_an_inode)
{
    struct fl_state state;

    leave(kept_with("v1", "hello"));
    state = read_state();
    state.birth_ns++;
    write_state(&state);
    expect_nothing_usable(0);
    leave(kept_with("v1", "hello"));
    state = read_state();
    state.inode++;
    write_state(&state);
    expect_nothing_usable(0);
}

Test(publish_left, two_boots_that_are_not_known_are_not_the_same)
{
    struct fl_state state = {.partial = {.durable = 2, .prefix = UINT64_MAX}};
    struct fl_state now = state;

    cr_expect_eq(fl_state_usable(&state, &now, 5), 2);
    (void)stpcpy(state.boot, "b");
    (void)stpcpy(now.boot, "b");
    cr_expect_eq(fl_state_usable(&state, &now, 5), 5);
}

Test(publish_left, a_partial_shorter_than_its_durable_bytes_is_not_as_it_was_left)
{
    struct fl_publish *publish = kept_with("v1", "hello");

    advance(publish, "v1", 5);
    leave(publish);
    cr_assert_eq(truncate(PART, 4), 0);
    expect_nothing_usable(0);
}

Test(publish_left, more_bytes_than_the_whole_has_are_not_its_bytes)
{
    struct fl_publish *publish = kept_with("v1", "hello");
    struct fl_partial partial = about("v1");

    partial.total = 5;
    keep(publish, &partial);
    leave(publish);
    leave(expect_adopted("v1", "hello"));
    cr_assert_eq(truncate(PART, 6), 0);
    expect_nothing_usable(0);
}

Test(publish_left, a_published_file_is_never_written_into)
{
    leave(kept_with("v1", "hello"));
    cr_assert_eq(link(PART, "published"), 0);
    expect_nothing_usable(1);
    expect_text("published", "hello");
}

static const char *trap;

static void put_fifo(void)
{
    cr_assert_eq(mkfifo(trap, 0600), 0);
}

static void put_link(void)
{
    cr_assert_eq(symlink("victim", trap), 0);
}

static void put_dangling(void)
{
    cr_assert_eq(symlink("elsewhere", trap), 0);
}

static void put_hard_link(void)
{
    cr_assert_eq(link("victim", trap), 0);
}

static void put_foreign(void)
{
    put_file(trap, "theirs");
    if (getuid() == 0)
        cr_assert_eq(chown(trap, 65534, 65534), 0);
}

static void (*const traps[])(void) = {put_fifo, put_link, put_dangling, put_hard_link, put_foreign};

#define TRAP_COUNT (sizeof(traps) / sizeof(traps[0]))

Test(publish_left, what_an_enemy_puts_there_is_removed_and_nothing_behind_it_touched)
{
    static const char *const places[] = {PART, STATE};

    put_file("victim", "precious");
    for (size_t i = 0; i < 2 * TRAP_COUNT; i++) {
        trap = places[i % 2];
        leave(kept_with("v1", "hello"));
        cr_assert_eq(unlink(trap), 0);
        traps[i / 2]();
        expect_nothing_usable(1);
        traps[i / 2]();
        leave(kept_with("v1", "hello")); /* keep without adopt clears the names too */
        fl_publish_free(expect_adopted("v1", "hello"));
        expect_text("victim", "precious");
        cr_expect_eq(access("elsewhere", F_OK), -1);
    }
}

Test(publish_left, a_directory_at_its_name_costs_the_partial_and_no_more)
{
    static const char *const places[] = {PART, STATE};

    for (size_t i = 0; i < 2; i++) {
        struct fl_partial partial = about("v1");
        struct fl_publish *publish = opened_file();

        cr_assert_eq(mkdir(places[i], 0700), 0);
        expect_nothing_usable(1);
        cr_expect_eq(fl_publish_keep(publish, &partial, NULL), FLAME_ERR_IO);
        append(publish, "hello");
        commit(publish);
        expect_text("file", "hello");
        cr_expect_eq(count_entries("."), 2);
        cr_assert_eq(rmdir(places[i]), 0);
        cr_assert_eq(unlink("file"), 0);
    }
}

Test(publish_left, two_never_write_into_one_partial_without_a_lock_either)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_partial partial = about("v2");
    struct fl_publish *first = kept_with("v1", "hello");
    struct fl_publish *second;

    expect_nothing_usable(2);
    second = opened_file();
    cr_expect_eq(fl_publish_keep(second, &partial, &err), FLAME_ERR_LOCKED);
    cr_expect_str_eq(err.message, "a part of 'file' is being written by another process");
    append(second, "second");
    commit(second);
    expect_text("file", "second");
    append(first, " world");
    leave(first);
    commit(expect_adopted("v1", "hello world"));
    expect_text("file", "hello world");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_left, never_is_the_partial_of_another_put_in_place)
{
    struct fl_publish *first = kept_with("v1", "hello");
    struct fl_publish *second;

    put_file("file", "old");
    cr_assert_eq(unlink(PART), 0, "somebody cleans up");
    second = kept_with("v2", "half of");
    expect_commit_refusal(first, FLAME_ERR_IO, "cannot put 'file' in place");
    expect_text("file", "old");
    append(second, " it");
    commit(second);
    expect_text("file", "half of it");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_left, what_another_made_of_the_name_survives_our_end)
{
    struct fl_publish *first = kept_with("v1", "hello");
    struct fl_publish *second;

    cr_assert_eq(unlink(PART), 0);
    second = kept_with("v2", "other");
    fl_publish_free(first);
    leave(second);
    fl_publish_free(expect_adopted("v2", "other"));
    cr_expect_eq(count_entries("."), 0);
}
