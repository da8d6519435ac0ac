/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/lock.h"
#include "publish_fixture.h"

#include <fcntl.h>

TestSuite(publish_shelf, .init = enter_temp_dir, .fini = leave_temp_dir, .timeout = 60);

_Static_assert(FL_SHELF_DIRS == 64, "d64 is the first one too many");

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
    cr_expect_eq(count_entries("."), 1, "the second is at work");
    fl_lock_close(second, false);
    cr_expect_eq(count_entries("."), 0);
    fl_shelf_done(&shelf);
}

Test(publish_shelf, a_shelved_lock_is_free_and_tells_who_comes_late_nothing)
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

Test(publish_shelf, a_file_that_another_uses_by_then_keeps_its_name)
{
    struct fl_shelf shelf, other;
    struct fl_lock *first, *second, *third;

    fl_shelf_init(&shelf);
    fl_shelf_init(&other);
    first = held(&shelf, "a");
    second = held(&shelf, "b");
    fl_lock_close(first, false);
    third = held(&other, "a");
    fl_lock_close(second, false);
    cr_expect_eq(count_entries("."), 1);
    fl_lock_close(third, false);
    cr_expect_eq(count_entries("."), 0);
    fl_shelf_done(&shelf);
    fl_shelf_done(&other);
}

Test(publish_shelf, a_full_shelf_refuses_and_what_nobody_uses_goes_at_once)
{
    struct fl_shelf shelf;
    char name[16];

    fl_shelf_init(&shelf);
    fl_shelf_enter(&shelf);
    fl_shelf_enter(&shelf);
    for (int i = 0; i <= FL_SHELF_DIRS; i++) {
        int dir_fd;

        (void)snprintf(name, sizeof(name), "d%d", i);
        cr_assert_eq(mkdir(name, 0700), 0);
        dir_fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_expect_eq(fl_shelf_put(&shelf, dir_fd), i < FL_SHELF_DIRS);
        cr_expect_eq(fl_shelf_put(&shelf, dir_fd), i < FL_SHELF_DIRS, "once for all");
        (void)close(dir_fd);
    }
    fl_lock_close(held(&shelf, "d64/a"), false);
    cr_expect_eq(count_entries("d64"), 0);
    fl_lock_close(held(&shelf, "d0/a"), false);
    cr_expect_eq(count_entries("d0"), 1);
    fl_shelf_leave(&shelf);
    fl_shelf_leave(&shelf);
    cr_expect_eq(count_entries("d0"), 0);
    fl_shelf_done(&shelf);
}
