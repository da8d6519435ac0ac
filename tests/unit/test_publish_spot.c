/* SPDX-License-Identifier: Apache-2.0 */
#include "publish_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

TestSuite(publish_spot, .init = enter_temp_dir, .fini = leave_temp_dir, .timeout = 60);

Test(publish_spot, a_path_without_a_file_name_is_unsafe)
{
    static const char *const paths[] = {"", "/", "a/", ".", "..", "a/.", "a/..", "./", "//"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct fl_destination destination = to(paths[i]);

        expect_refusal(&destination, FLAME_ERR_UNSAFE_NAME, paths[i][0] ? "directory" : "empty");
    }
}

Test(publish_spot, a_name_of_255_bytes_passes_and_one_of_256_is_unsafe)
{
    char name[257] = "";
    struct fl_destination destination = to(name);

    memset(name, 'n', 255);
    publish_text(&destination, "hello");
    expect_text(name, "hello");
    name[255] = 'n';
    expect_refusal(&destination, FLAME_ERR_UNSAFE_NAME, "longer than 255 bytes");
}

Test(publish_spot, odd_names_are_names)
{
    static const char *const names[] = {" ",        "-x",        "...",
                                        "a b%20#?", "line\nend", "gr\xc3\xbc\xc3\x9f"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct fl_destination destination = to(names[i]);

        publish_text(&destination, names[i]);
        expect_text(names[i], names[i]);
    }
}

Test(publish_spot, the_caller_may_climb_where_no_root_is_set)
{
    struct fl_destination destination = to("a/../b//./file");

    cr_assert_eq(mkdir("a", 0755), 0);
    cr_assert_eq(mkdir("b", 0755), 0);
    publish_text(&destination, "hello");
    expect_text("b/file", "hello");
}

Test(publish_spot, a_missing_parent_is_an_error_of_its_own)
{
    struct fl_destination destination = to("none/file");

    expect_refusal(&destination, FLAME_ERR_IO, "cannot open the directory of 'none/file'");
    put_file("none", "a file");
    expect_refusal(&destination, FLAME_ERR_IO, "Not a directory");
}

Test(publish_spot, parents_are_made_when_wanted)
{
    char path[512] = "";
    struct fl_destination destination = to(path);

    destination.flags = FL_PUBLISH_CREATE_DIRS;
    (void)umask(027);
    (void)strcpy(path, "a/b/../c//d/file");
    publish_text(&destination, "one");
    expect_text("a/c/d/file", "one");
    cr_expect_eq(mode_of("a/c/d") & 07777, 0750);
    (void)snprintf(path, sizeof(path), "%s/e/f/file", dir);
    publish_text(&destination, "two");
    expect_text("e/f/file", "two");
    cr_assert_eq(symlink("e", "link"), 0);
    (void)strcpy(path, "link/g/file");
    publish_text(&destination, "three");
    expect_text("e/g/file", "three");
    (void)strcpy(path, "e/g/file/h/file");
    expect_refusal(&destination, FLAME_ERR_IO, "Not a directory");
}

Test(publish_spot, below_a_root_is_below_a_root)
{
    char root[512];
    char path[1024];
    struct fl_destination destination = {
        .path = path, .root = root, .durability = FLAME_DURABILITY_FULL};

    cr_assert_eq(mkdir("root", 0755), 0);
    cr_assert_eq(mkdir("root/sub", 0755), 0);
    cr_assert_eq(symlink("root", "alias"), 0);
    (void)snprintf(root, sizeof(root), "%s//root/./", dir);
    (void)snprintf(path, sizeof(path), "%s/root//sub/one", dir);
    publish_text(&destination, "one");
    expect_text("root/sub/one", "one");
    (void)strcpy(path, "root/two");
    publish_text(&destination, "two");
    expect_text("root/two", "two");
    (void)snprintf(root, sizeof(root), "%s/alias", dir);
    (void)strcpy(path, "root/sub/three");
    publish_text(&destination, "three");
    (void)snprintf(path, sizeof(path), "%s/alias/sub/four", dir);
    publish_text(&destination, "four");
    cr_expect_eq(count_entries("root/sub"), 3);
}

Test(publish_spot, a_root_may_be_the_file_systems)
{
    char path[512];
    struct fl_destination destination = {
        .path = path, .root = "/", .durability = FLAME_DURABILITY_FULL};

    (void)snprintf(path, sizeof(path), "%s/file", dir);
    publish_text(&destination, "hello");
    expect_text("file", "hello");
}

Test(publish_spot, nothing_leaves_a_root)
{
    static const char *const paths[] = {"outside",          "root/../outside",  "rootless/file",
                                        "root/sub/../../x", "root/sub/../file", "root"};
    char root[512];

    (void)snprintf(root, sizeof(root), "%s/root", dir);
    cr_assert_eq(mkdir("root", 0755), 0);
    cr_assert_eq(mkdir("root/sub", 0755), 0);
    cr_assert_eq(mkdir("rootless", 0755), 0);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct fl_destination destination = {.path = paths[i],
                                             .root = root,
                                             .flags = FL_PUBLISH_CREATE_DIRS,
                                             .durability = FLAME_DURABILITY_FULL};

        expect_refusal(&destination, FLAME_ERR_UNSAFE_NAME, "is not below the root");
    }
    cr_expect_eq(count_entries("root/sub") + count_entries("rootless"), 0);
}

Test(publish_spot, a_symbolic_link_below_a_root_leads_nowhere)
{
    static const char *const paths[] = {"root/link/file", "root/link/new/file",
                                        "root/new/../link/file", "root/inner/file"};
    char root[512];

    (void)snprintf(root, sizeof(root), "%s/root", dir);
    cr_assert_eq(mkdir("root", 0755), 0);
    cr_assert_eq(mkdir("outside", 0755), 0);
    cr_assert_eq(mkdir("root/sub", 0755), 0);
    cr_assert_eq(symlink("../outside", "root/link"), 0);
    cr_assert_eq(symlink("sub", "root/inner"), 0);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct fl_destination destination = {.path = paths[i],
                                             .root = root,
                                             .flags = FL_PUBLISH_CREATE_DIRS,
                                             .durability = FLAME_DURABILITY_FULL};

        expect_refusal(&destination, FLAME_ERR_UNSAFE_NAME, paths[i]);
    }
    cr_expect_eq(count_entries("outside") + count_entries("root/sub"), 0);
}

Test(publish_spot, parents_made_below_a_root_follow_no_link)
{
    char root[512];
    struct fl_destination destination = {.path = "root/made/link/sub/file",
                                         .root = root,
                                         .flags = FL_PUBLISH_CREATE_DIRS,
                                         .durability = FLAME_DURABILITY_FULL};

    (void)snprintf(root, sizeof(root), "%s/root", dir);
    cr_assert_eq(mkdir("root", 0755), 0);
    publish_text(&destination, "hello");
    expect_text("root/made/link/sub/file", "hello");
    cr_assert_eq(mkdir("outside", 0755), 0);
    cr_assert_eq(mkdir("root/other", 0755), 0);
    cr_assert_eq(symlink("../../outside", "root/other/link"), 0);
    destination.path = "root/other/link/sub/file";
    expect_refusal(&destination, FLAME_ERR_UNSAFE_NAME, "symbolic link");
    cr_expect_eq(count_entries("outside"), 0);
}

Test(publish_spot, a_directory_that_everybody_writes_is_refused_below_a_root_only)
{
    char root[512];
    struct fl_destination destination = {
        .path = "root/shared/file", .root = root, .durability = FLAME_DURABILITY_FULL};

    (void)snprintf(root, sizeof(root), "%s/root", dir);
    cr_assert_eq(mkdir("root", 0755), 0);
    cr_assert_eq(mkdir("root/shared", 0755), 0);
    cr_assert_eq(chmod("root/shared", 0777), 0);
    expect_refusal(&destination, FLAME_ERR_UNSAFE_NAME, "may be written by everybody");
    cr_assert_eq(chmod("root/shared", 01777), 0);
    publish_text(&destination, "sticky");
    cr_assert_eq(chmod("root/shared", 0777), 0);
    destination.root = NULL;
    publish_text(&destination, "no root");
    expect_text("root/shared/file", "no root");
}

Test(publish_spot, a_missing_root_is_named)
{
    struct fl_destination destination = {
        .path = "file", .root = "/nonexistent-root", .durability = FLAME_DURABILITY_FULL};

    expect_refusal(&destination, FLAME_ERR_IO, "cannot open the root '/nonexistent-root'");
}

Test(publish_spot, a_directory_swapped_meanwhile_catches_nothing)
{
    struct fl_destination destination = to("sub/file");
    struct fl_publish *publish;

    cr_assert_eq(mkdir("sub", 0755), 0);
    cr_assert_eq(mkdir("trap", 0755), 0);
    publish = opened_with(&destination, "hello");
    cr_assert_eq(rename("sub", "moved"), 0);
    cr_assert_eq(symlink("trap", "sub"), 0);
    commit(publish);
    expect_text("moved/file", "hello");
    cr_expect_eq(count_entries("trap"), 0);
}

Test(publish_spot, a_directory_removed_meanwhile_fails_the_commit)
{
    struct fl_destination destination = to("sub/file");
    struct fl_publish *publish;

    cr_assert_eq(mkdir("sub", 0755), 0);
    publish = opened(&destination);
    cr_assert_eq(rmdir("sub"), 0);
    expect_commit_refusal(publish, FLAME_ERR_IO, "cannot put 'sub/file' in place");
}

/* Root writes everywhere: these are tests of an ordinary user. */
static void become_ordinary(void)
{
    cr_assert_eq(chmod(dir, 0777), 0);
    if (geteuid() == 0) {
        cr_assert_eq(setegid(65534), 0);
        cr_assert_eq(seteuid(65534), 0);
    }
}

Test(publish_spot, a_directory_that_we_may_not_write_is_refused_before_any_byte)
{
    struct fl_destination destination = to("locked/file");

    become_ordinary();
    cr_assert_eq(mkdir("locked", 0555), 0);
    expect_refusal(&destination, FLAME_ERR_IO, "Permission denied");
}

Test(publish_spot, a_directory_that_we_may_not_read_still_takes_a_file)
{
    struct fl_destination destination = to("blind/file");

    become_ordinary();
    cr_assert_eq(mkdir("blind", 0300), 0);
    publish_text(&destination, "one");
    publish_text(&destination, "two");
    cr_assert_eq(chmod("blind", 0700), 0);
    expect_text("blind/file", "two");
    cr_expect_eq(count_entries("blind"), 1);
}

/* Swap a directory below the root with a link that leads out of it, as fast as it goes. */
static void *swap(void *running)
{
    while (atomic_load((atomic_bool *)running))
        (void)renameat2(AT_FDCWD, "root/sub", AT_FDCWD, "root/link", RENAME_EXCHANGE);
    return NULL;
}

#define OUTCOMES_WANTED 200

Test(publish_spot, a_link_swapped_in_at_any_moment_leads_nowhere)
{
    char root[512];
    char path[64];
    struct fl_destination destination = {.path = path,
                                         .root = root,
                                         .flags = FL_PUBLISH_CREATE_DIRS,
                                         .durability = FLAME_DURABILITY_NONE};
    atomic_bool running = true;
    int outcomes[2] = {0, 0};
    pthread_t thread;

    (void)snprintf(root, sizeof(root), "%s/root", dir);
    cr_assert_eq(mkdir("root", 0755) + mkdir("root/sub", 0755) + mkdir("outside", 0755), 0);
    cr_assert_eq(symlink("../outside", "root/link"), 0);
    cr_assert_eq(pthread_create(&thread, NULL, swap, &running), 0);
    for (int i = 0; outcomes[0] < OUTCOMES_WANTED || outcomes[1] < OUTCOMES_WANTED; i++) {
        struct fl_publish *publish = NULL;
        int32_t status;

        (void)snprintf(path, sizeof(path), "root/sub/%d/file", i);
        status = fl_publish_open(&destination, &publish, NULL);
        outcomes[status == FLAME_OK]++;
        if (status == FLAME_OK)
            commit(publish);
    }
    atomic_store(&running, false);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_eq(count_entries("outside"), 0);
}
