/* SPDX-License-Identifier: Apache-2.0 */
/* Publishes one file, for the fault tests. The markers are system calls that a tracer sees and
 * nobody else: what happens between them is what is tested.
 *
 * publish_driver [-k] [-c] [-e] [-p] [-t] [-d full|file|none] [-l LETTER] [-r ROOT] BYTES PATH
 *   -k keep  -c make parents  -e announce the size  -t set a time
 *   -p halfway print "half" and wait for a line
 * Prints "STATUS message" and exits with the status's exit code. */
#include "publish/publish.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES 65536

struct job {
    struct fl_destination destination;
    uint64_t bytes;
    char letter;
    bool announce, pause, set_time;
};

static void mark(const char *text)
{
    (void)!write(-1, text, strlen(text));
}

static int32_t write_all(int fd, const char *data, size_t size, struct flame_error *err)
{
    while (size > 0) {
        ssize_t written = TEMP_FAILURE_RETRY(write(fd, data, size));

        if (written < 0)
            return fl_fail_errno(err, errno, "cannot write");
        data += written;
        size -= (size_t)written;
    }
    return FLAME_OK;
}

static void wait_for_line(void)
{
    char c = '\0';

    (void)!write(STDOUT_FILENO, "half\n", 5);
    while (c != '\n' && read(STDIN_FILENO, &c, 1) == 1)
        continue;
}

/* LETTER BYTES times, the last one a line end. */
static int32_t fill(int fd, const struct job *job, struct flame_error *err)
{
    static char chunk[CHUNK_BYTES];
    int32_t status = FLAME_OK;

    memset(chunk, job->letter, sizeof(chunk));
    for (uint64_t done = 0; done < job->bytes && status == FLAME_OK;) {
        size_t size = job->bytes - done < CHUNK_BYTES ? (size_t)(job->bytes - done) : CHUNK_BYTES;

        if (job->pause && done <= job->bytes / 2 && done + size > job->bytes / 2)
            wait_for_line();
        done += size;
        if (done == job->bytes)
            chunk[size - 1] = '\n';
        status = write_all(fd, chunk, size, err);
    }
    return status;
}

static int32_t publish_file(const struct job *job, struct flame_error *err)
{
    int64_t mtime_ns = 1000000000;
    struct fl_publish *publish = NULL;
    int32_t status = fl_publish_open(&job->destination, &publish, err);

    if (status == FLAME_OK && job->announce)
        status = fl_publish_expect(publish, job->bytes, err);
    if (status == FLAME_OK)
        status = fill(fl_publish_fd(publish), job, err);
    if (status == FLAME_OK)
        status = fl_publish_commit(publish, job->set_time ? &mtime_ns : NULL, err);
    if (status == FLAME_OK)
        mark("acknowledged");
    fl_publish_free(publish);
    return status;
}

static uint32_t durability(const char *word)
{
    if (strcmp(word, "file") == 0)
        return FLAME_DURABILITY_FILE;
    return strcmp(word, "none") == 0 ? FLAME_DURABILITY_NONE : FLAME_DURABILITY_FULL;
}

static bool parse(int argc, char **argv, struct job *job)
{
    int option;

    while ((option = getopt(argc, argv, "kceptd:l:r:")) != -1) {
        switch (option) {
        case 'k':
            job->destination.flags |= FL_PUBLISH_KEEP;
            break;
        case 'c':
            job->destination.flags |= FL_PUBLISH_CREATE_DIRS;
            break;
        case 'e':
            job->announce = true;
            break;
        case 'p':
            job->pause = true;
            break;
        case 't':
            job->set_time = true;
            break;
        case 'd':
            job->destination.durability = durability(optarg);
            break;
        case 'l':
            job->letter = optarg[0];
            break;
        case 'r':
            job->destination.root = optarg;
            break;
        default:
            return false;
        }
    }
    if (argc != optind + 2)
        return false;
    job->bytes = strtoull(argv[optind], NULL, 10);
    job->destination.path = argv[optind + 1];
    return true;
}

int main(int argc, char **argv)
{
    struct job job = {.letter = 'n', .destination = {.durability = FLAME_DURABILITY_FULL}};
    struct flame_error err = FLAME_INIT(flame_error);
    int32_t status;

    if (!parse(argc, argv, &job))
        return 2;
    mark("begin");
    status = publish_file(&job, &err);
    mark("end");
    printf("%s %s\n", flame_status_name(status), err.message);
    return flame_exit_code(&err);
}
