/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"
#include "skip.h"
#include "transfer/source.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static struct scratch scratch;
static struct fl_source source;
static struct flame_error err;
static int cancel_fd;
static char buffer[64];
static uint64_t size;

static void set_up(void)
{
    scratch_open(&scratch);
    err = FLAME_INIT(flame_error);
    source = (struct fl_source){.fd = -1};
    cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void tear_down(void)
{
    fl_source_close(&source);
    fl_source_close(&source); /* twice is no harm */
    (void)close(cancel_fd);
    scratch_close(&scratch);
}

#define SOURCE_TEST(name) Test(source, name, .init = set_up, .fini = tear_down, .timeout = 60)

static int32_t read_at(uint64_t offset, uint64_t capacity)
{
    struct fl_source_place place = {.offset = offset, .cancel_fd = cancel_fd};

    size = 0;
    err = FLAME_INIT(flame_error);
    return fl_source_read(&source, &place, buffer, capacity, &size, &err);
}

static const char *open_file(const char *bytes)
{
    const char *path = scratch_write(&scratch, "source", bytes, strlen(bytes));

    cr_assert_eq(fl_source_open(path, -1, &source, &err), FLAME_OK, "%s", err.message);
    return path;
}

static void expect_bytes(uint64_t offset, uint64_t capacity, const char *expected)
{
    cr_expect_eq(read_at(offset, capacity), FLAME_OK, "%s", err.message);
    cr_assert_eq(size, strlen(expected));
    cr_expect_eq(memcmp(buffer, expected, size), 0);
}

SOURCE_TEST(a_file_is_read_to_its_end_and_again)
{
    uint64_t whole = 0;

    (void)open_file("hello");
    cr_expect(fl_source_size(&source, &whole));
    cr_expect_eq(whole, 5);
    cr_expect_not(fl_source_is_spent(&source));
    expect_bytes(0, 3, "hel");
    expect_bytes(3, 3, "lo");
    expect_bytes(5, 3, "");
    cr_expect(fl_source_is_spent(&source));
    expect_bytes(1, 2, "el"); /* back */
    cr_expect(fl_source_is_spent(&source), "what was read stays read");
    cr_expect(fl_source_rewind(&source));
    cr_expect_not(fl_source_is_spent(&source));
    expect_bytes(100, 3, "");
    cr_expect_eq(fl_source_check(&source, &err), FLAME_OK);
}

SOURCE_TEST(an_empty_file_is_spent_from_the_beginning)
{
    (void)open_file("");
    cr_expect(fl_source_is_spent(&source));
    expect_bytes(0, 3, "");
}

SOURCE_TEST(a_descriptor_of_a_file_is_read_from_its_beginning_and_left_open)
{
    int fd = open(scratch_write(&scratch, "source", "hello", 5), O_RDONLY | O_CLOEXEC);

    cr_assert_eq(lseek(fd, 3, SEEK_SET), 3);
    cr_assert_eq(fl_source_open(NULL, fd, &source, &err), FLAME_OK, "%s", err.message);
    expect_bytes(0, 9, "hello");
    cr_expect_eq(lseek(fd, 0, SEEK_CUR), 3, "its position is the caller's");
    fl_source_close(&source);
    cr_expect_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    (void)close(fd);
}

SOURCE_TEST(the_plugin_gets_a_descriptor_of_its_own)
{
    int fd;

    (void)open_file("hello");
    fd = fl_source_fd(&source);
    cr_assert_geq(fd, 0);
    cr_expect_neq(fd, source.fd);
    cr_expect(fl_source_is_spent(&source), "what was given away counts as read");
    (void)close(fd);
    expect_bytes(0, 9, "hello");
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void expect_refused(const char *path, const char *message)
{
    struct fl_source untouched = {.fd = 4711};

    err = FLAME_INIT(flame_error);
    cr_expect_eq(fl_source_open(path, -1, &untouched, &err), FLAME_ERR_IO, "%s", path);
    cr_expect(err.flags & FLAME_ERROR_SOURCE);
    cr_expect_not_null(strstr(err.message, message), "%s", err.message);
    cr_expect_eq(untouched.fd, 4711);
}

SOURCE_TEST(what_is_no_regular_file_is_refused_at_once)
{
    const char *fifo = scratch_path(&scratch, "fifo");
    const char *link = scratch_path(&scratch, "link");

    cr_assert_eq(mkfifo(fifo, 0600), 0);
    cr_assert_eq(symlink(scratch_write(&scratch, "file", "x", 1), link), 0);
    expect_refused(fifo, "fifo");
    expect_refused(link, "symbolic link");
    expect_refused(scratch.dir, "directory");
    expect_refused("/dev/zero", "device");
    expect_refused(scratch_path(&scratch, "missing"), "cannot open the source");
    cr_expect_eq(err.errno_code, ENOENT);
}

SOURCE_TEST(a_descriptor_that_is_none_is_refused)
{
    cr_expect_eq(fl_source_open(NULL, 9999, &source, &err), FLAME_ERR_IO);
    cr_expect_eq(err.errno_code, EBADF);
}

/* ---- files that change ----------------------------------------------------------------------- */

static void change(const char *path, const char *bytes)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    cr_assert_eq(pwrite(fd, bytes, strlen(bytes), 0), (ssize_t)strlen(bytes));
    (void)close(fd);
}

SOURCE_TEST(a_growing_file_gives_no_last_byte)
{
    const char *path = open_file("hello");

    expect_bytes(0, 3, "hel");
    change(path, "hello world");
    cr_expect_eq(read_at(3, 64), FLAME_ERR_CHANGED);
    cr_expect_eq(fl_source_check(&source, &err), FLAME_ERR_CHANGED);
}

SOURCE_TEST(a_shrinking_file_is_noticed)
{
    const char *path = open_file("hello");

    cr_assert_eq(truncate(path, 2), 0);
    cr_expect_eq(read_at(2, 2), FLAME_ERR_CHANGED);
    cr_expect_eq(read_at(0, 5), FLAME_OK);
    cr_expect_eq(size, 2);
    cr_expect_eq(read_at(2, 3), FLAME_ERR_CHANGED);
}

SOURCE_TEST(a_file_that_was_rewritten_in_place_is_noticed)
{
    const char *path = open_file("hello");
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    expect_bytes(0, 3, "hel");
    change(path, "HELLO");
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0); /* whatever the clock's tick */
    cr_expect_eq(read_at(3, 2), FLAME_ERR_CHANGED);
}

SOURCE_TEST(a_file_that_vanishes_is_noticed)
{
    const char *path = open_file("hello");

    expect_bytes(0, 3, "hel");
    cr_assert_eq(unlink(path), 0);
    cr_expect_eq(read_at(3, 2), FLAME_ERR_CHANGED);
}

SOURCE_TEST(a_file_without_a_name_from_the_start_is_fine)
{
    int fd = open(scratch.dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        skip_loudly("no files without a name here");
    cr_assert_eq(write(fd, "hello", 5), 5);
    cr_assert_eq(fl_source_open(NULL, fd, &source, &err), FLAME_OK);
    expect_bytes(0, 64, "hello");
    (void)close(fd);
}

/* ---- streams --------------------------------------------------------------------------------- */

SOURCE_TEST(a_stream_is_read_once_where_it_is)
{
    int ends[2];
    uint64_t whole = 4711;

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_eq(fl_source_open(NULL, ends[0], &source, &err), FLAME_OK);
    cr_expect_not(fl_source_size(&source, &whole));
    cr_expect_eq(whole, 4711);
    cr_expect_eq(fl_source_fd(&source), -1);
    cr_expect(fl_source_rewind(&source), "nothing was read yet");
    cr_assert_eq(write(ends[1], "hello", 5), 5);
    expect_bytes(0, 3, "hel");
    cr_expect_eq(read_at(0, 3), FLAME_ERR_UNSUPPORTED);
    cr_expect_eq(read_at(4, 3), FLAME_ERR_UNSUPPORTED);
    expect_bytes(3, 9, "lo");
    cr_expect_not(fl_source_is_spent(&source));
    (void)close(ends[1]);
    expect_bytes(5, 9, "");
    expect_bytes(5, 9, "");
    cr_expect(fl_source_is_spent(&source));
    cr_expect_not(fl_source_rewind(&source));
    cr_expect_eq(fl_source_check(&source, &err), FLAME_OK);
    (void)close(ends[0]);
}

SOURCE_TEST(an_empty_stream_that_has_ended_cannot_be_begun_again)
{
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    (void)close(ends[1]);
    cr_assert_eq(fl_source_open(NULL, ends[0], &source, &err), FLAME_OK);
    expect_bytes(0, 9, "");
    cr_expect(fl_source_is_spent(&source));
    cr_expect_not(fl_source_rewind(&source));
    (void)close(ends[0]);
}

static void *cancel_soon(void *data)
{
    (void)data;
    usleep(50000);
    (void)!write(cancel_fd, &(uint64_t){1}, sizeof(uint64_t));
    return NULL;
}

SOURCE_TEST(waiting_for_a_silent_stream_ends_when_nobody_wants_it)
{
    int ends[2];
    pthread_t thread;

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_eq(fl_source_open(NULL, ends[0], &source, &err), FLAME_OK);
    cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    cr_expect_eq(read_at(0, 9), FLAME_ERR_CANCELLED);
    (void)pthread_join(thread, NULL);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_expect_eq(read_at(0, 9), FLAME_ERR_CANCELLED, "for good, whatever came");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

SOURCE_TEST(a_socket_and_a_descriptor_that_does_not_block_are_streams)
{
    int ends[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    cr_assert_eq(fl_source_open(NULL, ends[0], &source, &err), FLAME_OK);
    cr_assert_eq(write(ends[1], "abc", 3), 3);
    expect_bytes(0, 9, "abc");
    (void)close(ends[1]);
    expect_bytes(3, 9, "");
    (void)close(ends[0]);
}
