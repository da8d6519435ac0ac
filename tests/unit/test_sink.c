/* SPDX-License-Identifier: Apache-2.0 */
#include "sink/sink.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

static int32_t always(void *data)
{
    (void)data;
    return FLAME_OK;
}

static int32_t never(void *data)
{
    (void)data;
    return FLAME_ERR_CANCELLED;
}

static int temporary(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    cr_assert_geq(fd, 0);
    return fd;
}

static struct fl_sink *open_sink(int fd, enum fl_digest_kind kind, int32_t (*wanted)(void *))
{
    struct fl_sink_options options = {.fd = fd, .digest = kind, .wanted = wanted, .cancel_fd = -1};
    struct fl_sink *sink = NULL;

    cr_assert_eq(fl_sink_open(&options, &sink, NULL), FLAME_OK);
    return sink;
}

static unsigned char pattern(uint64_t at)
{
    return (unsigned char)(at * 131 + (at >> 9));
}

static char *patterned(size_t size)
{
    char *bytes = malloc(size ? size : 1);

    cr_assert_not_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)pattern(i);
    return bytes;
}

static void expect_file(int fd, size_t size)
{
    char *expected = patterned(size);
    char *got = malloc(size + 1);

    cr_assert_eq(pread(fd, got, size + 1, 0), (ssize_t)size);
    cr_expect_eq(memcmp(got, expected, size), 0);
    free(expected);
    free(got);
}

static struct fl_digest digest_of(size_t size)
{
    struct fl_digest digest;
    struct fl_hash hash;
    char *bytes = patterned(size);

    fl_hash_init(&hash, FL_DIGEST_SHA256);
    fl_hash_update(&hash, bytes, size);
    fl_hash_final(&hash, &digest);
    free(bytes);
    return digest;
}

static int32_t write_in_steps(struct fl_sink *sink, size_t size, size_t step)
{
    char *bytes = patterned(size);
    int32_t status = FLAME_OK;

    for (size_t at = 0; at < size && status == FLAME_OK; at += step) {
        struct flame_slice slice = {bytes + at, size - at < step ? size - at : step};

        status = fl_sink_write(sink, &slice, 1, NULL);
    }
    free(bytes);
    return status;
}

static const size_t sizes[] = {0,
                               1,
                               65535,
                               65536,
                               65537,
                               FL_SINK_CHUNK - 1,
                               FL_SINK_CHUNK,
                               FL_SINK_CHUNK + 1,
                               9 * FL_SINK_CHUNK + 17};
static const size_t steps[] = {1000, 16384, FL_SINK_CHUNK, 3 * FL_SINK_CHUNK};

static void write_and_check(size_t size, size_t step, enum fl_digest_kind kind)
{
    int fd = temporary();
    struct fl_sink *sink = open_sink(fd, kind, always);
    struct fl_digest digest;
    struct fl_digest expected = digest_of(size);

    cr_expect_eq(write_in_steps(sink, size, step), FLAME_OK);
    cr_expect_eq(fl_sink_size(sink), size);
    cr_expect_eq(fl_sink_finish(sink, &digest, NULL), FLAME_OK);
    expect_file(fd, size);
    cr_expect_eq(digest.kind, kind);
    if (kind != FL_DIGEST_NONE)
        cr_expect(fl_digest_equal(&digest, &expected), "%zu in %zu", size, step);
    fl_sink_free(sink);
    close(fd);
}

Test(sink, what_was_hashed_is_what_was_written)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (size_t j = 0; j < sizeof(steps) / sizeof(*steps); j++)
            write_and_check(sizes[i], steps[j], FL_DIGEST_SHA256);
}

Test(sink, writes_the_same_without_a_digest)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (size_t j = 0; j < sizeof(steps) / sizeof(*steps); j++)
            write_and_check(sizes[i], steps[j], FL_DIGEST_NONE);
}

Test(sink, a_promise_of_too_few_bytes_does_no_harm)
{
    int fd = temporary();
    struct fl_sink *sink = open_sink(fd, FL_DIGEST_SHA256, always);
    struct fl_digest expected = digest_of(300000);
    struct fl_digest digest;

    fl_sink_expect(sink, 10);
    cr_expect_eq(write_in_steps(sink, 300000, 7777), FLAME_OK);
    cr_expect_eq(fl_sink_finish(sink, &digest, NULL), FLAME_OK);
    cr_expect(fl_digest_equal(&digest, &expected));
    expect_file(fd, 300000);
    fl_sink_free(sink);
    close(fd);
}

static void copy_and_check(enum fl_digest_kind kind, uint64_t offset)
{
    const size_t size = 5 * FL_SINK_CHUNK + 3;
    int source = temporary();
    int fd = temporary();
    struct fl_sink *sink = open_sink(fd, kind, always);
    struct fl_digest expected = digest_of(size);
    struct fl_digest digest;
    char *bytes = patterned(size);
    uint64_t copied = 0;

    cr_assert_eq(pwrite(source, bytes, size, (off_t)offset), (ssize_t)size);
    cr_expect_eq(fl_sink_copy(sink, source, offset, size + 100, &copied, NULL), FLAME_OK);
    cr_expect_eq(copied, size);
    cr_expect_eq(fl_sink_finish(sink, &digest, NULL), FLAME_OK);
    if (kind != FL_DIGEST_NONE)
        cr_expect(fl_digest_equal(&digest, &expected));
    expect_file(fd, size);
    free(bytes);
    fl_sink_free(sink);
    close(fd);
    close(source);
}

Test(sink, copies_a_file_up_to_its_end)
{
    copy_and_check(FL_DIGEST_NONE, 0);
    copy_and_check(FL_DIGEST_NONE, 4099);
    copy_and_check(FL_DIGEST_SHA256, 0);
    copy_and_check(FL_DIGEST_SHA256, 4099);
}

Test(sink, copies_between_file_systems)
{
    int source = memfd_create("source", MFD_CLOEXEC);
    int fd = temporary();
    struct fl_sink *sink = open_sink(fd, FL_DIGEST_NONE, always);
    char *bytes = patterned(200000);
    uint64_t copied = 0;

    cr_assert_eq(write(source, bytes, 200000), 200000);
    cr_expect_eq(fl_sink_copy(sink, source, 0, 200000, &copied, NULL), FLAME_OK);
    cr_expect_eq(copied, 200000);
    expect_file(fd, 200000);
    free(bytes);
    fl_sink_free(sink);
    close(fd);
    close(source);
}

Test(sink, refuses_to_copy_from_what_is_no_regular_file)
{
    int fd = temporary();
    struct fl_sink *sink = open_sink(fd, FL_DIGEST_NONE, always);
    uint64_t copied = 0;
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_expect_eq(fl_sink_copy(sink, ends[0], 0, 10, &copied, NULL), FLAME_ERR_UNSUPPORTED);
    fl_sink_free(sink);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

Test(sink, a_copy_that_nobody_wants_stops)
{
    int source = temporary();
    int fd = temporary();
    struct fl_sink *sink = open_sink(fd, FL_DIGEST_NONE, never);
    uint64_t copied = 0;

    cr_assert_eq(ftruncate(source, 1 << 20), 0);
    cr_expect_eq(fl_sink_copy(sink, source, 0, 1 << 20, &copied, NULL), FLAME_ERR_CANCELLED);
    fl_sink_free(sink);
    close(source);
    close(fd);
}

Test(sink, a_full_device_is_no_space)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct fl_sink *sink = open_sink(fd, FL_DIGEST_SHA256, always);
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_slice slice = {"x", 1};
    struct fl_digest digest;

    cr_expect_eq(fl_sink_write(sink, &slice, 1, &err), FLAME_OK);
    cr_expect_eq(fl_sink_finish(sink, &digest, &err), FLAME_ERR_NO_SPACE);
    fl_sink_free(sink);
    close(fd);
}

struct reader {
    int fd;
    size_t got;
};

static void *read_slowly(void *data)
{
    struct reader *reader = data;
    char bytes[3001];
    ssize_t size;

    while ((size = read(reader->fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < size; i++)
            if ((unsigned char)bytes[i] != pattern(reader->got + (size_t)i))
                return data;
        reader->got += (size_t)size;
    }
    return NULL;
}

Test(sink, a_pipe_gets_every_byte_in_order)
{
    const size_t size = 3 * FL_SINK_CHUNK + 5;
    struct fl_sink_options options = {
        .is_stream = true, .wanted = always, .cancel_fd = eventfd(0, EFD_CLOEXEC)};
    struct fl_sink *sink = NULL;
    struct fl_digest digest;
    struct reader reader = {0};
    pthread_t thread;
    void *wrong = NULL;
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    reader.fd = ends[0];
    options.fd = ends[1];
    cr_assert_eq(pthread_create(&thread, NULL, read_slowly, &reader), 0);
    cr_assert_eq(fl_sink_open(&options, &sink, NULL), FLAME_OK);
    cr_expect_eq(write_in_steps(sink, size, 16384), FLAME_OK);
    cr_expect_eq(fl_sink_finish(sink, &digest, NULL), FLAME_OK);
    close(ends[1]);
    pthread_join(thread, &wrong);
    cr_expect_null(wrong);
    cr_expect_eq(reader.got, size);
    fl_sink_free(sink);
    close(ends[0]);
    close(options.cancel_fd);
}

static int32_t once_cancelled(void *data)
{
    uint64_t count;
    int fd = *(int *)data;

    return read(fd, &count, sizeof(count)) > 0 ? FLAME_ERR_CANCELLED : FLAME_OK;
}

static void *cancel_soon(void *data)
{
    uint64_t one = 1;

    usleep(20000);
    return write(*(int *)data, &one, sizeof(one)) < 0 ? data : NULL;
}

Test(sink, a_pipe_that_nobody_reads_can_be_cancelled, .timeout = 10)
{
    int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct fl_sink_options options = {
        .is_stream = true, .wanted = once_cancelled, .cancel_fd = cancel_fd, .data = &cancel_fd};
    struct fl_sink *sink = NULL;
    pthread_t thread;
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    options.fd = ends[1];
    cr_assert_eq(fl_sink_open(&options, &sink, NULL), FLAME_OK);
    cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, &cancel_fd), 0);
    cr_expect_eq(write_in_steps(sink, 2 * FL_SINK_CHUNK, FL_SINK_CHUNK), FLAME_ERR_CANCELLED);
    pthread_join(thread, NULL);
    fl_sink_free(sink);
    close(ends[0]);
    close(ends[1]);
    close(cancel_fd);
}
