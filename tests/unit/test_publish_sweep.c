/* SPDX-License-Identifier: Apache-2.0 */
#include "partial_fixture.h"
#include "publish/lock.h"
#include "publish/sweep.h"

#include <sys/file.h>
#include <time.h>

TestSuite(publish_sweep, .init = enter_temp_dir, .fini = leave_temp_dir, .timeout = 60);

#define HOUR 3600
#define HIDDEN_TMP ".flame-tmp-0123456789abcdef"
#define HIDDEN_NEW ".flame-new-fedcba9876543210"

struct report {
    int count;
    uint64_t bytes;
    char names[1024];
};

static void note(void *data, const char *name, uint64_t size)
{
    struct report *report = data;

    report->count++;
    report->bytes += size;
    (void)strcat(strcat(report->names, name), " ");
}

static struct report swept(uint64_t min_age_s)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct report report = {.count = 0};

    cr_assert_eq(fl_sweep(".", min_age_s, note, &report, &err), FLAME_OK, "%s", err.message);
    return report;
}

static void age(const char *name, time_t seconds)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};

    cr_assert_eq(utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW), 0, "%s", name);
}

static void put_old(const char *name, const char *text)
{
    put_file(name, text);
    age(name, 2 * HOUR);
}

static void leave_old_partial(void)
{
    leave(kept_with("v1", "hello"));
    age(PART, 2 * HOUR);
    age(STATE, 2 * HOUR);
}

Test(publish_sweep, old_litter_of_every_kind_goes_and_is_told)
{
    char lock_told[FL_BESIDE_NAME_SIZE + 1];
    struct report report;

    (void)snprintf(lock_told, sizeof(lock_told), "%s ", lock_name());
    put_old(HIDDEN_TMP, "12345");
    put_old(HIDDEN_NEW, "123");
    put_old(lock_name(), "1");
    leave_old_partial();
    report = swept(HOUR);
    cr_expect_eq(report.count, 5, "%s", report.names);
    cr_expect_not_null(strstr(report.names, HIDDEN_TMP " "));
    cr_expect_not_null(strstr(report.names, HIDDEN_NEW " "));
    cr_expect_not_null(strstr(report.names, lock_told));
    cr_expect_not_null(strstr(report.names, PART " "));
    cr_expect_not_null(strstr(report.names, STATE " "));
    cr_expect_gt(report.bytes, 14);
    cr_expect_eq(count_entries("."), 0);
    cr_expect_eq(fl_sweep(".", 0, NULL, NULL, NULL), FLAME_OK);
}

Test(publish_sweep, what_is_young_stays)
{
    put_file(HIDDEN_TMP, "12345");
    put_file(HIDDEN_NEW, "123");
    put_file(lock_name(), "1");
    leave(kept_with("v1", "hello"));
    cr_expect_eq(swept(HOUR).count, 0);
    cr_expect_eq(count_entries("."), 5);
    age(PART, 2 * HOUR);
    cr_expect_eq(swept(HOUR).count, 0, "its state is young");
    age(PART, 0);
    age(STATE, 2 * HOUR);
    cr_expect_eq(swept(HOUR).count, 0, "its bytes are young");
    age(HIDDEN_TMP, -HOUR);
    cr_expect_eq(swept(UINT64_MAX).count, 0);
    cr_expect_eq(swept(0).count, 4, "all but what is of the future");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish_sweep, half_a_partial_goes_alone)
{
    leave_old_partial();
    cr_assert_eq(unlink(PART), 0);
    cr_expect_eq(swept(HOUR).count, 1);
    leave_old_partial();
    cr_assert_eq(unlink(STATE), 0);
    cr_expect_eq(swept(HOUR).count, 1);
    cr_expect_eq(count_entries("."), 0);
}

Test(publish_sweep, no_other_name_is_touched)
{
    static const char *const names[] = {"file",
                                        ".flame-tmp-0123456789abcde",
                                        ".flame-tmp-0123456789abcdef0",
                                        ".flame-tmp-0123456789ABCDEF",
                                        ".flame-tmp-0123456789abcdeg",
                                        ".flame-tmp-0123456789abcdef.",
                                        ".flame-old-0123456789abcdef",
                                        ".flame-part-0123456789abcdef.stat",
                                        ".flame-part-0123456789abcdef.state2",
                                        ".flame-lock-0123456789abcdef",
                                        ".flame-lock-0123456789abcdef.state",
                                        ".flame-lock-4294967294",
                                        "flame-tmp-0123456789abcdef",
                                        ".flame-",
                                        ".flame-tmp",
                                        ".flame-tmp-",
                                        "x.flame-tmp-0123456789abcdef",
                                        ".flame-tmp_0123456789abcdef",
                                        ".flame-part-",
                                        ".flame-lock-"};
    size_t count = sizeof(names) / sizeof(names[0]);

    for (size_t i = 0; i < count; i++)
        put_old(names[i], "mine");
    cr_expect_eq(swept(0).count, 0);
    cr_expect_eq(count_entries("."), (int)count);
}

Test(publish_sweep, nothing_but_regular_files_of_ours_with_one_name_goes)
{
    put_old("victim", "precious");
    put_old("linked", "precious");
    cr_assert_eq(symlink("victim", HIDDEN_TMP), 0);
    cr_assert_eq(link("linked", HIDDEN_NEW), 0);
    cr_assert_eq(mkfifo(lock_name(), 0600), 0);
    cr_assert_eq(symlink("victim", PART), 0);
    cr_assert_eq(mkdir(STATE, 0700), 0);
    put_old(".flame-tmp-00000000000000aa", "theirs");
    if (getuid() == 0)
        cr_assert_eq(chown(".flame-tmp-00000000000000aa", 65534, 65534), 0);
    else
        cr_assert_eq(unlink(".flame-tmp-00000000000000aa"), 0);
    cr_expect_eq(swept(0).count, 0);
    expect_text("victim", "precious");
    expect_text("linked", "precious");
    cr_expect_eq(count_entries("."), getuid() == 0 ? 8 : 7);
}

Test(publish_sweep, what_is_being_written_stays)
{
    struct fl_publish *publish = kept_with("v1", "hello");
    int fd;

    age(PART, 2 * HOUR);
    age(STATE, 2 * HOUR);
    cr_expect_eq(swept(0).count, 0, "its inode is held, lock or no lock");
    cr_expect_eq(count_entries("."), 2);
    append(publish, " world");
    commit(publish);
    expect_text("file", "hello world");
    put_old(HIDDEN_TMP, "1");
    fd = open(HIDDEN_TMP, O_RDWR | O_CLOEXEC);
    cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    cr_expect_eq(swept(0).count, 0);
    cr_assert_eq(close(fd), 0);
    cr_expect_eq(swept(0).count, 1);
}

static struct fl_lock *held_lock(void)
{
    static const uint8_t key[FL_LOCK_KEY_BYTES];
    struct fl_publish *publish = opened_file();
    struct fl_lock *lock = NULL;
    bool is_made;

    cr_assert_eq(fl_lock_open(publish, key, &lock, NULL), FLAME_OK);
    cr_assert_eq(fl_lock_try(lock, &is_made, NULL), FLAME_OK);
    fl_publish_free(publish);
    return lock;
}

Test(publish_sweep, under_a_lock_of_another_everything_stays)
{
    struct fl_lock *lock = held_lock();

    leave_old_partial();
    age(lock_name(), 2 * HOUR);
    cr_expect_eq(swept(0).count, 0);
    cr_expect_eq(count_entries("."), 3);
    fl_lock_close(lock, false);
    cr_expect_eq(swept(0).count, 2);
    cr_expect_eq(count_entries("."), 0);
}

Test(publish_sweep, the_lock_of_another_destination_protects_its_file_only)
{
    struct fl_destination destination = to("other");
    struct fl_publish *publish = opened(&destination);
    static const uint8_t key[FL_LOCK_KEY_BYTES];
    struct fl_lock *lock = NULL;
    bool is_made;

    cr_assert_eq(fl_lock_open(publish, key, &lock, NULL), FLAME_OK);
    cr_assert_eq(fl_lock_try(lock, &is_made, NULL), FLAME_OK);
    fl_publish_free(publish);
    leave_old_partial();
    age(lock_name(), 2 * HOUR);
    cr_expect_eq(swept(HOUR).count, 2);
    cr_expect_eq(count_entries("."), 1);
    fl_lock_close(lock, false);
    cr_expect_eq(count_entries("."), 0);
}

Test(publish_sweep, a_hostile_lock_keeps_a_partial_and_stops_nothing)
{
    leave_old_partial();
    cr_assert_eq(mkfifo(lock_name(), 0600), 0);
    put_old(HIDDEN_TMP, "1");
    cr_expect_eq(swept(0).count, 1);
    cr_expect_eq(count_entries("."), 3);
}

Test(publish_sweep, a_directory_that_is_not_there_is_not_found_and_another_kind_an_error)
{
    struct flame_error err = FLAME_INIT(flame_error);

    cr_expect_eq(fl_sweep("none", 0, NULL, NULL, &err), FLAME_ERR_NOT_FOUND);
    cr_expect_str_eq(err.message, "there is no directory 'none'");
    put_file("file", "x");
    cr_expect_eq(fl_sweep("file", 0, NULL, NULL, NULL), FLAME_ERR_IO);
}
