/* SPDX-License-Identifier: Apache-2.0 */
/* Makes one file with a partial that survives, for the fault tests. What is to be made: byte I of
 * version V is (I * 131 + I / 256 * 17 + V) % 255 + 1, so no two versions agree anywhere and no
 * byte is 0. The version is the validator's only letter.
 *
 * partial_driver make [-v VERSION] [-a STEP] [-s STOP] [-w] [-n] BYTES PATH
 *   take over what is there or begin anew, write to the end, commit
 *   -a advance after every STEP bytes  -s stop there and leave it  -w wait for a line when stopping
 *   -n lock or no lock, go on
 * partial_driver look PATH: take over what is there, leave it, print "LEFT VERSION USABLE DURABLE"
 * partial_driver boot PATH: make its state that of another boot
 * Each checks what it takes over and says "SPLICE OFFSET" (exit 99) if a byte is wrong; else prints
 * "STATUS message" and exits with the status's exit code. */
#include "publish/lock.h"
#include "publish/object.h"
#include "publish/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES 20000

struct job {
    struct fl_destination destination;
    const char *mode;
    uint64_t bytes, step, stop;
    char version;
    bool wait, lockless;
    struct fl_publish *publish;
    struct fl_lock *lock;
    struct fl_partial partial;
    uint64_t at; /* bytes that are there */
};

static void mark(const char *text)
{
    (void)!write(-1, text, strlen(text));
}

static char truth(uint64_t offset, char version)
{
    return (char)((offset * 131 + offset / 256 * 17 + (uint64_t)version) % 255 + 1);
}

static void check(const struct job *job)
{
    static char chunk[CHUNK_BYTES];
    int fd = fl_publish_fd(job->publish);

    for (uint64_t at = 0; at < job->at;) {
        ssize_t size = pread(fd, chunk, sizeof(chunk), (off_t)at);

        for (ssize_t i = 0; i < size; i++, at++) {
            if (chunk[i] == truth(at, job->partial.validator[0]))
                continue;
            printf("SPLICE %llu of %llu\n", (unsigned long long)at, (unsigned long long)job->at);
            exit(99);
        }
        if (size <= 0)
            exit(98);
    }
}

static int32_t lock(struct job *job, struct flame_error *err)
{
    static const uint8_t key[FL_LOCK_KEY_BYTES];
    bool is_made;
    int32_t status = fl_lock_open(job->publish, key, &job->lock, err);

    if (status == FLAME_OK)
        status = fl_lock_try(job->lock, &is_made, err);
    if (!job->lockless || status == FLAME_OK)
        return status;
    fl_error_reset(err);
    return FLAME_OK;
}

/* What is there, if it is of our version; else from the beginning. */
static int32_t begin(struct job *job, struct flame_error *err)
{
    int32_t status = fl_publish_adopt(job->publish, &job->partial, &job->at, err);

    if (status == FLAME_OK) {
        check(job);
        if (job->partial.validator[0] == job->version)
            return FLAME_OK;
        status = fl_publish_restart(job->publish, err);
    } else if (status == FLAME_ERR_NOT_FOUND) {
        fl_error_reset(err);
        status = FLAME_OK;
    }
    job->at = 0;
    job->partial =
        (struct fl_partial){.validator = {job->version}, .total = job->bytes, .prefix = UINT64_MAX};
    if (status == FLAME_OK && fl_publish_keep(job->publish, &job->partial, err) != FLAME_OK)
        fl_error_reset(err);
    return status;
}

static int32_t write_chunk(struct job *job, uint64_t end, struct flame_error *err)
{
    static char chunk[CHUNK_BYTES];
    size_t size = end - job->at < CHUNK_BYTES ? (size_t)(end - job->at) : CHUNK_BYTES;
    ssize_t written;

    for (size_t i = 0; i < size; i++)
        chunk[i] = truth(job->at + i, job->version);
    written = TEMP_FAILURE_RETRY(write(fl_publish_fd(job->publish), chunk, size));
    if (written < 0)
        return fl_fail_errno(err, errno, "cannot write");
    job->at += (uint64_t)written;
    return FLAME_OK;
}

static int32_t fill(struct job *job, uint64_t end, struct flame_error *err)
{
    uint64_t next = job->at + job->step;
    int32_t status = FLAME_OK;

    while (job->at < end && status == FLAME_OK) {
        status = write_chunk(job, end, err);
        if (job->step == 0 || job->at < next || status != FLAME_OK)
            continue;
        next = job->at + job->step;
        if (fl_publish_advance(job->publish, &job->partial, job->at, err) == FLAME_OK)
            mark("advanced");
        fl_error_reset(err);
    }
    return status;
}

static void wait_for_line(void)
{
    char c = '\0';

    (void)!write(STDOUT_FILENO, "stopped\n", 8);
    while (c != '\n' && read(STDIN_FILENO, &c, 1) == 1)
        continue;
}

static int32_t make(struct job *job, struct flame_error *err)
{
    int32_t status = begin(job, err);
    bool whole = job->stop >= job->bytes;

    if (status == FLAME_OK)
        status = fill(job, whole ? job->bytes : job->stop, err);
    if (job->wait)
        wait_for_line();
    if (status == FLAME_OK && whole)
        status = fl_publish_commit(job->publish, NULL, err);
    if (status == FLAME_OK && whole)
        mark("acknowledged");
    fl_publish_leave(job->publish, !whole);
    return status;
}

static int32_t look(struct job *job, struct flame_error *err)
{
    int32_t status = fl_publish_adopt(job->publish, &job->partial, &job->at, err);

    if (status != FLAME_OK)
        return status;
    check(job);
    printf("LEFT %c %llu %llu\n", job->partial.validator[0], (unsigned long long)job->at,
           (unsigned long long)job->partial.durable);
    fl_publish_leave(job->publish, true);
    return status;
}

static int32_t another_boot(const struct job *job)
{
    const char *name = job->publish->kept.state_name;
    fl_auto_fd int fd = openat(job->publish->spot.dir_fd, name, O_RDWR | O_CLOEXEC);
    struct fl_state state;

    if (fd < 0 || fl_state_read(fd, &state) != 0)
        return FLAME_ERR_NOT_FOUND;
    memcpy(state.boot, "another", sizeof("another"));
    return fl_state_write(fd, &state) == 0 && fsync(fd) == 0 ? FLAME_OK : FLAME_ERR_IO;
}

static int32_t work(struct job *job, struct flame_error *err)
{
    int32_t status = fl_publish_open(&job->destination, &job->publish, err);

    if (status == FLAME_OK)
        status = lock(job, err);
    if (status == FLAME_OK && strcmp(job->mode, "make") == 0)
        status = make(job, err);
    else if (status == FLAME_OK)
        status = strcmp(job->mode, "look") == 0 ? look(job, err) : another_boot(job);
    fl_publish_free(job->publish);
    fl_lock_close(job->lock, status == FLAME_OK && strcmp(job->mode, "make") == 0);
    return status;
}

static bool parse(int argc, char **argv, struct job *job)
{
    int option;

    while ((option = getopt(argc, argv, "v:a:s:wn")) != -1) {
        if (option == 'v')
            job->version = optarg[0];
        else if (option == 'a')
            job->step = strtoull(optarg, NULL, 10);
        else if (option == 's')
            job->stop = strtoull(optarg, NULL, 10);
        else if (option == 'w')
            job->wait = true;
        else if (option == 'n')
            job->lockless = true;
        else
            return false;
    }
    if (strcmp(job->mode, "make") == 0 && argc > optind)
        job->bytes = strtoull(argv[optind++], NULL, 10);
    job->destination.path = argv[optind];
    return argc == optind + 1;
}

int main(int argc, char **argv)
{
    struct job job = {
        .version = 'a', .stop = UINT64_MAX, .destination = {.durability = FLAME_DURABILITY_FULL}};
    struct flame_error err = FLAME_INIT(flame_error);
    int32_t status;

    if (argc < 3)
        return 2;
    job.mode = argv[1];
    if (!parse(argc - 1, argv + 1, &job))
        return 2;
    mark("begin");
    status = work(&job, &err);
    mark("end");
    printf("%s %s\n", flame_status_name(status), err.message);
    return flame_exit_code(&err);
}
