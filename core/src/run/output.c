/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SLOW_TO_FORGET (64u << 20)

/* ---- opening --------------------------------------------------------------------------------- */

static int32_t open_publish(struct fl_run *run, struct flame_error *err)
{
    const struct flame_task *said = &run->task.said;
    struct fl_destination destination = {
        .path = said->path,
        .root = run->task.dest_root,
        .durability = run->task.durability,
        .space_reserve = run->task.space_reserve,
    };

    if (said->flags & FLAME_TASK_KEEP)
        destination.flags |= FL_PUBLISH_KEEP;
    if (said->flags & FLAME_TASK_CREATE_DIRS)
        destination.flags |= FL_PUBLISH_CREATE_DIRS;
    return fl_publish_open(&destination, &run->publish, err);
}

/* A file without a name, for bytes that may not leave before they are verified. */
static int32_t open_spool(struct fl_run *run, struct flame_error *err)
{
    const char *place = secure_getenv("TMPDIR");

    if (!place || !*place)
        place = "/tmp";
    run->spool_fd = open(place, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (run->spool_fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        fl_auto_free char *name = fl_format("%s/.flame-spool-XXXXXX", place);

        if (!name)
            return fl_fail_memory(err);
        run->spool_fd = mkostemp(name, O_CLOEXEC);
        if (run->spool_fd >= 0)
            (void)unlink(name);
    }
    if (run->spool_fd < 0)
        return fl_fail_errno(err, errno, "cannot make a spool file in '%s'", place);
    return FLAME_OK;
}

int32_t fl_output_open(struct fl_run *run, struct flame_error *err)
{
    if (run->task.said.path)
        return open_publish(run, err);
    if (run->task.said.flags & FLAME_TASK_SPOOL)
        return open_spool(run, err);
    return FLAME_OK;
}

static int32_t is_wanted(void *data)
{
    struct fl_run *run = data;

    return fl_watch_status(&run->watch);
}

/* ---- what is there already ------------------------------------------------------------------- */

int32_t fl_output_check_current(struct fl_run *run, struct flame_error *err)
{
    struct fl_digest current;
    struct stat facts;
    fl_auto_fd int fd = -1;
    int32_t status;

    if (!run->publish || run->expected.kind == FL_DIGEST_NONE ||
        (run->task.said.flags & FLAME_TASK_REPLACE))
        return FLAME_OK;
    fd = fl_publish_open_current(run->publish);
    if (fd < 0 || fstat(fd, &facts) != 0)
        return FLAME_OK;
    status = fl_digest_file(fd, run->expected.kind, is_wanted, run, &current, NULL);
    if (fl_watch_status(&run->watch) != FLAME_OK)
        return fl_watch_explain(&run->watch, err);
    if (status != FLAME_OK || !fl_digest_equal(&current, &run->expected))
        return FLAME_OK; /* what cannot be read is fetched again */
    run->actual = current;
    run->is_cached = true;
    run->cached_size = (uint64_t)facts.st_size;
    return FLAME_OK;
}

/* ---- the sink -------------------------------------------------------------------------------- */

struct offer {
    const struct flame_task *said;
    const void *bytes;
    size_t size;
};

static int32_t call_write(void *data)
{
    const struct offer *offer = data;

    return offer->said->write(offer->said->data, offer->bytes, offer->size);
}

static int32_t deliver(void *data, const void *bytes, size_t size, struct flame_error *err)
{
    struct fl_run *run = data;
    struct offer offer = {.said = &run->task.said, .bytes = bytes, .size = size};

    if (fl_exchange_ask(&run->exchange, call_write, &offer) == 0)
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_CANCELLED, "the caller takes no more bytes");
}

static int32_t open_sink(struct fl_run *run, int fd, bool is_stream, enum fl_digest_kind digest,
                         struct flame_error *err)
{
    struct fl_sink_options options = {
        .fd = fd,
        .is_stream = is_stream,
        .write_early = run->publish && run->task.durability != FLAME_DURABILITY_NONE,
        .digest = digest,
        .deliver = deliver,
        .wanted = is_wanted,
        .cancel_fd = run->watch.cancel_fd,
        .data = run,
    };

    fl_sink_free(run->sink);
    run->sink = NULL;
    return fl_sink_open(&options, &run->sink, err);
}

static int caller_fd(const struct fl_run *run)
{
    return run->task.said.flags & FLAME_TASK_FD ? run->task.said.fd : -1;
}

int32_t fl_output_begin(struct fl_run *run, struct flame_error *err)
{
    if (run->publish)
        return open_sink(run, fl_publish_fd(run->publish), false, run->expected.kind, err);
    if (run->spool_fd >= 0)
        return open_sink(run, run->spool_fd, false, run->expected.kind, err);
    return open_sink(run, caller_fd(run), true, run->expected.kind, err);
}

/* ---- the last words -------------------------------------------------------------------------- */

static int32_t check_digest(struct fl_run *run, struct flame_error *err)
{
    char actual[FL_DIGEST_TEXT_MAX];
    char expected[FL_DIGEST_TEXT_MAX];

    if (run->expected.kind == FL_DIGEST_NONE || fl_digest_equal(&run->actual, &run->expected))
        return FLAME_OK;
    fl_digest_format(&run->actual, actual);
    fl_digest_format(&run->expected, expected);
    return fl_fail(err, FLAME_ERR_DIGEST, "the bytes have %s instead of %s", actual, expected);
}

struct verification {
    const struct flame_task *said;
    int fd;
    uint64_t size;
    struct flame_error err;
};

static int32_t call_verify(void *data)
{
    struct verification *verification = data;

    return verification->said->verify(verification->said->data, verification->fd,
                                      verification->size, &verification->err);
}

/* A descriptor of its own: read-only, and with a position that is not ours. */
static int reopen_for_reading(int fd)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int32_t ask_verify(struct fl_run *run, struct flame_error *err)
{
    struct verification verification = {.said = &run->task.said, .size = fl_sink_size(run->sink)};
    fl_auto_fd int fd = -1;

    if (!run->task.said.verify)
        return FLAME_OK;
    fd = reopen_for_reading(run->publish ? fl_publish_fd(run->publish) : run->spool_fd);
    if (fd < 0)
        return fl_fail_errno(err, errno, "cannot open the file for its verification");
    verification.fd = fd;
    verification.err = FLAME_INIT(flame_error);
    if (fl_exchange_ask(&run->exchange, call_verify, &verification) == FLAME_OK)
        return FLAME_OK;
    verification.err.message[sizeof(verification.err.message) - 1] = '\0';
    return fl_fail(err, FLAME_ERR_SIGNATURE, "%s",
                   verification.err.message[0] ? verification.err.message
                                               : "the caller's check refused the bytes");
}

/* What was spooled goes where it was meant to go. */
static int32_t drain(struct fl_run *run, struct flame_error *err)
{
    uint64_t size = fl_sink_size(run->sink);
    uint64_t copied = 0;
    struct fl_digest none;
    int32_t status = open_sink(run, caller_fd(run), true, FL_DIGEST_NONE, err);

    if (status == FLAME_OK)
        status = fl_sink_copy(run->sink, run->spool_fd, 0, size, &copied, err);
    if (status == FLAME_OK)
        status = fl_sink_finish(run->sink, &none, err);
    return status;
}

static int32_t publish(struct fl_run *run, struct flame_error *err)
{
    const struct flame_object *object = &run->transfer.object;
    bool has_time = (object->flags & FLAME_OBJECT_MTIME) != 0 &&
                    (run->task.said.flags & FLAME_TASK_REMOTE_TIME) != 0;

    if (run->publish)
        return fl_publish_commit(run->publish, has_time ? &object->mtime_ns : NULL, err);
    return run->spool_fd >= 0 ? drain(run, err) : FLAME_OK;
}

static int32_t show_all(void *data)
{
    fl_progress_show(data, true);
    return FLAME_OK;
}

static int32_t verify(struct fl_run *run, struct flame_error *err)
{
    int32_t status = fl_sink_finish(run->sink, &run->actual, err);

    if (status == FLAME_OK && run->task.said.progress)
        status = fl_exchange_ask(&run->exchange, show_all, run);
    if (status == FLAME_OK)
        status = check_digest(run, err);
    if (status == FLAME_OK)
        status = ask_verify(run, err);
    return status;
}

int32_t fl_output_verify(struct fl_run *run, struct flame_error *err)
{
    int32_t status = verify(run, err);

    if (status != FLAME_OK)
        err->phase = FLAME_PHASE_VERIFY;
    else if (fl_watch_status(&run->watch) == FLAME_ERR_CANCELLED)
        status = fl_watch_explain(&run->watch, err);
    return status;
}

int32_t fl_output_publish(struct fl_run *run, struct flame_error *err)
{
    int32_t status = publish(run, err);

    if (status != FLAME_OK)
        err->phase = FLAME_PHASE_PUBLISH;
    return status;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The last reference to an inode that nobody wants. */
struct parting {
    struct fl_pool_job job;
    int fd;
};

static void part(void *data)
{
    struct parting *parting = data;

    (void)close(parting->fd);
    free(parting);
}

/* The kernel takes 0.1 s to forget 1 GiB that was not written to the disk yet (measured): too long
 * for somebody who has cancelled. A thread of the pool waits for it instead. */
static void part_later(struct fl_run *run, int fd)
{
    struct parting *parting = fd >= 0 ? malloc(sizeof(*parting)) : NULL;

    if (!parting)
        return;
    parting->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    parting->job = (struct fl_pool_job){.body = part, .data = parting};
    if (parting->fd < 0)
        free(parting);
    else if (fl_pool_submit(run->flame->pool, &parting->job, NULL) != FLAME_OK)
        part(parting);
}

void fl_output_done(struct fl_run *run)
{
    bool is_large = run->sink && fl_sink_size(run->sink) >= SLOW_TO_FORGET;

    fl_sink_free(run->sink);
    if (is_large && run->status != FLAME_OK)
        part_later(run, run->publish ? fl_publish_fd(run->publish) : run->spool_fd);
    fl_publish_free(run->publish);
    if (run->spool_fd >= 0)
        (void)close(run->spool_fd);
}
