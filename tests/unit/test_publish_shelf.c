/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/beside.h"
#include "publish/lock.h"
#include "publish_fixture.h"

#include <fcntl.h>

TestSuite(publish_shelf, .init = enter_temp_dir, .fini = leave_temp_dir, .timeout = 60);

static const uint8_t key[FL_LOCK_KEY_BYTES] = {7};

static struct fl_lock *held(struct fl_shelf *shelf, const char *path)
{
    struct fl_destination destination = to(path);
    struct fl_publish *publish = opened(&destination);
    struct fl_lock *lock = NULL;
    bool is_made = false;

    cr_assert_eq(fl_lock_open(publish, key, &lock, NULL), FLAME_OK);
    fl_lock_shelve(lock, shelf);
    cr_assert_eq(fl_lock_try(lock, &is_made, NULL), FLAME_OK);
    cr_assert_not(is_made);
    fl_publish_free(publish);
    return lock;
}

static void lock_name(const char *path, char *out)
{
    char hash[FL_BESIDE_HASH_SIZE];

    fl_beside_hash(path, hash);
    fl_beside_name(FL_BESIDE_LOCK, hash, "", out);
}

Test(publish_shelf, who_is_alone_leaves_nothing)
{
    struct fl_shelf shelf;

    fl_shelf_init(&shelf);
    fl_lock_close(held(&shelf, "a"), false);
    cr_expect_eq(count_entries("."), 0);
    fl_shelf_done(&shelf);
}

Test(publish_shelf, the_last_one_takes_all_away)
{
    struct fl_shelf shelf;
    struct fl_lock *first, *second;

    fl_shelf_init(&shelf);
    first = held(&shelf, "a");
    second = held(&shelf, "b");
    fl_lock_close(first, true);
    cr_expect_eq(count_entries("."), 2, "the first waits on the shelf");
    fl_lock_close(second, false);
    cr_expect_eq(count_entries("."), 0);
    fl_shelf_done(&shelf);
}

Test(publish_shelf, a_shelved_lock_is_free_and_its_note_is_not_believed_by_who_comes_late)
{
    struct fl_shelf shelf;
    struct fl_destination destination = to("a");
    struct fl_lock *first, *second;

    fl_shelf_init(&shelf);
    first = held(&shelf, "a");
    second = held(&shelf, "b");
    publish_text(&destination, "made");
    fl_lock_close(first, true);
    fl_lock_close(held(&shelf, "a"), false); /* held() expects is_made to be false */
    fl_lock_close(second, false);
    cr_expect_eq(count_entries("."), 1, "the file itself");
    fl_shelf_done(&shelf);
}

Test(publish_shelf, what_another_holds_by_then_keeps_its_name)
{
    struct fl_shelf shelf;
    struct fl_lock *first, *second;
    char name[FL_BESIDE_NAME_SIZE];
    int fd;

    fl_shelf_init(&shelf);
    first = held(&shelf, "a");
    second = held(&shelf, "b");
    fl_lock_close(first, false);
    lock_name("a", name);
    fd = fl_beside_open(AT_FDCWD, name, 0);
    cr_assert_eq(fl_beside_lock(fd), 0);
    fl_lock_close(second, false);
    cr_expect_eq(count_entries("."), 1);
    (void)close(fd);
    fl_shelf_done(&shelf);
}

Test(publish_shelf, a_full_shelf_refuses_and_the_name_goes_at_once)
{
    struct fl_shelf shelf;
    int dir_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t taken = 0;

    fl_shelf_init(&shelf);
    fl_shelf_enter(&shelf);
    fl_shelf_enter(&shelf);
    while (taken <= FL_SHELF_NAMES && fl_shelf_put(&shelf, dir_fd, ".flame-lock-0123456789abcdef"))
        taken++;
    cr_expect_eq(taken, (uint32_t)FL_SHELF_NAMES);
    fl_lock_close(held(&shelf, "a"), false);
    cr_expect_eq(count_entries("."), 0);
    fl_shelf_leave(&shelf);
    fl_shelf_leave(&shelf);
    fl_shelf_done(&shelf);
    (void)close(dir_fd);
}
