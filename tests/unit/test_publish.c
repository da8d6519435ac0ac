/* SPDX-License-Identifier: Apache-2.0 */
#include "publish_fixture.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>

TestSuite(publish, .init = enter_temp_dir, .fini = leave_temp_dir, .timeout = 60);

Test(publish, a_new_file_appears_whole_at_commit_and_not_before)
{
    struct fl_destination destination = to("new");
    struct fl_publish *publish = opened_with(&destination, "hello");

    cr_expect_eq(count_entries("."), 0);
    commit(publish);
    expect_text("new", "hello");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish, an_old_file_stays_until_commit_and_is_then_replaced)
{
    struct fl_destination destination = to("file");
    struct fl_publish *publish;

    put_file("file", "old");
    publish = opened_with(&destination, "new");
    expect_text("file", "old");
    commit(publish);
    expect_text("file", "new");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish, a_reader_of_the_old_file_keeps_the_old_bytes)
{
    struct fl_destination destination = to("file");
    char found[8] = "";
    int reader;

    put_file("file", "old");
    reader = open("file", O_RDONLY | O_CLOEXEC);
    publish_text(&destination, "new");
    cr_expect_eq(read(reader, found, sizeof(found)), 3);
    cr_expect_str_eq(found, "old");
    (void)close(reader);
}

Test(publish, an_abandoned_file_leaves_nothing_and_the_old_one_stays)
{
    struct fl_destination destination = to("file");

    put_file("file", "old");
    fl_publish_free(opened_with(&destination, "new"));
    fl_publish_free(NULL);
    expect_text("file", "old");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish, every_durability_publishes)
{
    static const uint32_t levels[] = {FLAME_DURABILITY_FULL, FLAME_DURABILITY_FILE,
                                      FLAME_DURABILITY_NONE};

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        struct fl_destination destination = {.path = "file", .durability = levels[i]};

        publish_text(&destination, "hello");
        expect_text("file", "hello");
        cr_assert_eq(unlink("file"), 0);
    }
}

Test(publish, the_descriptor_is_private_empty_and_for_both_ways)
{
    struct fl_destination destination = to("file");
    struct fl_publish *publish = opened(&destination);
    int fd = fl_publish_fd(publish);
    struct stat found;

    cr_assert_eq(fstat(fd, &found), 0);
    cr_expect(found.st_nlink == 0 || (found.st_mode & 07777) == 0600, "who could open it?");
    cr_expect_eq(found.st_size, 0);
    cr_expect_eq(lseek(fd, 0, SEEK_CUR), 0);
    cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    cr_expect_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    fl_publish_free(publish);
}

Test(publish, the_mode_is_that_of_any_new_file)
{
    static const mode_t masks[] = {0, 022, 027, 077, 0777};

    for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
        struct fl_destination destination = to("file");

        (void)umask(masks[i]);
        publish_text(&destination, "hello");
        cr_expect_eq(mode_of("file") & 07777, 0666 & ~masks[i]);
        cr_expect_eq(umask(masks[i]), masks[i]);
        cr_assert_eq(unlink("file"), 0);
    }
}

Test(publish, the_time_is_set_when_it_is_given)
{
    static const int64_t times_ns[] = {0, 1234567890123456789, -1500000000};
    struct fl_destination destination = to("file");

    for (size_t i = 0; i < sizeof(times_ns) / sizeof(times_ns[0]); i++) {
        struct fl_publish *publish = opened(&destination);
        struct flame_error err = FLAME_INIT(flame_error);
        struct stat found;

        cr_assert_eq(fl_publish_commit(publish, &times_ns[i], &err), FLAME_OK, "%s", err.message);
        fl_publish_free(publish);
        cr_assert_eq(stat("file", &found), 0);
        cr_expect_eq(found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec, times_ns[i]);
    }
}

Test(publish, keep_refuses_whatever_has_the_name)
{
    struct fl_destination destination = to("file");

    destination.flags = FL_PUBLISH_KEEP;
    publish_text(&destination, "first");
    expect_refusal(&destination, FLAME_ERR_EXISTS, "'file' already exists");
    cr_assert_eq(unlink("file"), 0);
    cr_assert_eq(symlink("nowhere", "file"), 0);
    expect_refusal(&destination, FLAME_ERR_EXISTS, "'file' already exists");
}

Test(publish, keep_never_replaces_what_came_meanwhile)
{
    struct fl_destination destination = to("file");
    struct fl_publish *publish;

    destination.flags = FL_PUBLISH_KEEP;
    publish = opened_with(&destination, "ours");
    put_file("file", "theirs");
    expect_commit_refusal(publish, FLAME_ERR_EXISTS, "'file' already exists");
    expect_text("file", "theirs");
    cr_expect_eq(count_entries("."), 1);
}

Test(publish, a_symbolic_link_is_replaced_itself)
{
    struct fl_destination destination = to("link");

    put_file("target", "target");
    cr_assert_eq(symlink("target", "link"), 0);
    publish_text(&destination, "new");
    cr_expect(S_ISREG(mode_of("link")));
    expect_text("link", "new");
    expect_text("target", "target");
    cr_assert_eq(unlink("link"), 0);
    cr_assert_eq(symlink("nowhere", "link"), 0);
    publish_text(&destination, "new");
    expect_text("link", "new");
    cr_expect_eq(access("nowhere", F_OK), -1);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(fd);
}

Test(publish, what_no_file_may_replace_is_refused_by_its_kind)
{
    static const struct {
        const char *path;
        const char *message;
    } cases[] = {{"directory", "'directory' is a directory"},
                 {"fifo", "'fifo' is a fifo"},
                 {"socket", "'socket' is a socket"},
                 {"/dev/null", "'/dev/null' is a device"}};

    cr_assert_eq(mkdir("directory", 0755), 0);
    cr_assert_eq(mkfifo("fifo", 0644), 0);
    make_socket("socket");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fl_destination destination = to(cases[i].path);

        expect_refusal(&destination, FLAME_ERR_IO, cases[i].message);
        destination.flags = FL_PUBLISH_KEEP;
        expect_refusal(&destination, FLAME_ERR_IO, cases[i].message);
    }
    cr_expect_eq(count_entries("."), 3);
}

Test(publish, a_fifo_that_came_meanwhile_is_not_replaced)
{
    struct fl_destination destination = to("fifo");
    struct fl_publish *publish = opened(&destination);

    cr_assert_eq(mkfifo("fifo", 0644), 0);
    expect_commit_refusal(publish, FLAME_ERR_IO, "'fifo' is a fifo");
    cr_expect(S_ISFIFO(mode_of("fifo")));
    cr_expect_eq(count_entries("."), 1);
}

Test(publish, the_current_file_can_be_read)
{
    struct fl_destination destination = to("file");
    struct fl_publish *publish;
    char found[8] = "";
    int fd;

    put_file("file", "old");
    publish = opened(&destination);
    fd = fl_publish_open_current(publish);
    cr_assert_geq(fd, 0);
    cr_expect_eq(read(fd, found, sizeof(found)), 3);
    cr_expect_str_eq(found, "old");
    cr_expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    (void)close(fd);
    fl_publish_free(publish);
}

Test(publish, there_is_no_current_file_where_none_is_regular)
{
    struct fl_destination destination = to("file");
    struct fl_publish *publish = opened(&destination);

    cr_expect_eq(fl_publish_open_current(publish), -1);
    put_file("target", "target");
    cr_assert_eq(symlink("target", "file"), 0);
    cr_expect_eq(fl_publish_open_current(publish), -1);
    cr_assert_eq(unlink("file"), 0);
    cr_assert_eq(mkfifo("file", 0644), 0);
    cr_expect_eq(fl_publish_open_current(publish), -1);
    fl_publish_free(publish);
}

static int32_t expect_room(uint64_t reserve, uint64_t size)
{
    struct fl_destination destination = to("file");
    struct fl_publish *publish;
    int32_t status;

    destination.space_reserve = reserve;
    publish = opened(&destination);
    status = fl_publish_expect(publish, size, NULL);
    fl_publish_free(publish);
    return status;
}

Test(publish, what_does_not_fit_is_refused_and_takes_nothing)
{
    struct fl_destination destination = to("file");
    struct fl_publish *publish = opened(&destination);
    struct flame_error err = FLAME_INIT(flame_error);
    struct stat found;

    cr_expect_eq(fl_publish_expect(publish, UINT64_MAX, &err), FLAME_ERR_NO_SPACE);
    cr_expect_not_null(strstr(err.message, "needs 18446744073709551615 bytes"), "%s", err.message);
    cr_expect_eq(fl_publish_expect(publish, (uint64_t)1 << 50, NULL), FLAME_ERR_NO_SPACE);
    cr_assert_eq(fstat(fl_publish_fd(publish), &found), 0);
    cr_expect_eq(found.st_blocks, 0);
    cr_expect_eq(found.st_size, 0);
    fl_publish_free(publish);
}

Test(publish, the_reserve_stays_free)
{
    struct statvfs fs;

    cr_assert_eq(statvfs(".", &fs), 0);
    cr_expect_eq(expect_room(0, 4096), FLAME_OK);
    cr_expect_eq(expect_room((uint64_t)fs.f_bavail * fs.f_frsize * 2, 4096), FLAME_ERR_NO_SPACE);
    cr_expect_eq(expect_room(UINT64_MAX, 1), FLAME_ERR_NO_SPACE);
    cr_expect_eq(expect_room(UINT64_MAX, 0), FLAME_OK);
}

Test(publish, what_is_written_already_needs_no_room)
{
    struct fl_destination destination = to("file");
    struct fl_publish *publish;
    char block[4096] = "x";

    destination.space_reserve = UINT64_MAX;
    publish = opened(&destination);
    cr_assert_eq(write(fl_publish_fd(publish), block, sizeof(block)), (ssize_t)sizeof(block));
    cr_assert_eq(fsync(fl_publish_fd(publish)), 0);
    cr_expect_eq(fl_publish_expect(publish, sizeof(block), NULL), FLAME_OK);
    cr_expect_eq(fl_publish_expect(publish, 1 << 20, NULL), FLAME_ERR_NO_SPACE);
    fl_publish_free(publish);
}

#define RACERS 16
#define ROUNDS 25

static void *race(void *text)
{
    struct fl_destination destination = {.path = "file", .durability = FLAME_DURABILITY_NONE};

    for (int i = 0; i < ROUNDS; i++)
        publish_text(&destination, text);
    return NULL;
}

Test(publish, many_threads_to_one_name_all_succeed_and_the_file_is_one_of_theirs)
{
    static char texts[RACERS][16];
    pthread_t threads[RACERS];
    struct stat found;

    for (int i = 0; i < RACERS; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "thread %02d", i);
        cr_assert_eq(pthread_create(&threads[i], NULL, race, texts[i]), 0);
    }
    for (int i = 0; i < RACERS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_assert_eq(stat("file", &found), 0);
    cr_expect_eq(found.st_size, 9);
    cr_expect_eq(count_entries("."), 1);
}

Test(publish, no_descriptor_is_left_open)
{
    struct fl_destination good = to("a/b/file");
    struct fl_destination bad = to("none/file");
    int before = count_entries("/proc/self/fd");

    good.flags = FL_PUBLISH_CREATE_DIRS;
    publish_text(&good, "hello");
    expect_refusal(&bad, FLAME_ERR_IO, "No such file");
    fl_publish_free(opened(&good));
    cr_expect_eq(count_entries("/proc/self/fd"), before);
}
