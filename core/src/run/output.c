/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SLOW_TO_FORGET (64u << 20) /* bytes */
#define DURABLE_STEP (64u << 20)   /* bytes between two notes of what is on the disk */

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

static struct fl_stop stop_of(struct fl_run *run)
{
    return (struct fl_stop){.wanted = is_wanted, .data = run};
}

int32_t fl_output_check_current(struct fl_run *run, struct flame_error *err)
{
    struct fl_stop stop = stop_of(run);
    struct fl_digest current;
    struct stat facts;
    fl_auto_fd int fd = -1;
    int32_t status;

    if (!run->publish || run->expected.kind == FL_DIGEST_NONE || run->task.said.verify ||
        (run->task.said.flags & FLAME_TASK_REPLACE))
        return FLAME_OK;
    fd = fl_publish_open_current(run->publish);
    if (fd < 0 || fstat(fd, &facts) != 0)
        return FLAME_OK;
    status = fl_digest_file(fd, run->expected.kind, &stop, &current, NULL);
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

    if (fl_exchange_ask(run->exchange, call_write, &offer) == 0)
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_CANCELLED, "the caller takes no more bytes");
}

/* On the thread that writes: what is on the disk now need not be fetched again after a power cut.
 */
static void advance(void *data, uint64_t written)
{
    struct fl_run *run = data;
    struct flame_error ignored = FLAME_INIT(flame_error);

    if (run->held.is_kept)
        (void)!fl_publish_advance(run->publish, &run->held.partial, written, &ignored);
}

static int32_t open_sink(struct fl_run *run, int fd, bool is_stream, enum fl_digest_kind digest,
                         struct flame_error *err)
{
    bool is_durable = run->task.durability != FLAME_DURABILITY_NONE;
    struct fl_sink_options options = {
        .fd = fd,
        .is_stream = is_stream,
        .write_early = run->publish && is_durable,
        .digest = digest,
        .milestone = run->publish && is_durable ? advance : NULL,
        .milestone_bytes = DURABLE_STEP,
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

static bool is_stream(const struct fl_run *run)
{
    return !run->publish && run->spool_fd < 0;
}

int32_t fl_output_begin(struct fl_run *run, struct flame_error *err)
{
    enum fl_digest_kind kind = run->expected.kind;
    int32_t status = FLAME_OK;
    int fd;

    if (is_stream(run))
        return open_sink(run, caller_fd(run), true, kind, err);
    if (run->lock && !(run->task.said.flags & FLAME_TASK_NO_RESUME))
        status = fl_held_find(run, err);
    if (status != FLAME_OK)
        return status;
    fd = run->publish ? fl_publish_fd(run->publish) : run->spool_fd;
    status = open_sink(run, fd, false, kind, err);
    return status == FLAME_OK ? fl_held_adopt(run, err) : status;
}

bool fl_output_is_committed(const struct fl_run *run)
{
    return run->sink && is_stream(run) && fl_sink_size(run->sink) > 0;
}

int32_t fl_output_drain(struct fl_run *run, struct flame_error *err)
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

/* A reference more, for part_later(). NULL where none can be had: then the last one is closed here.
 */
static struct parting *hold_on(const struct fl_run *run)
{
    struct parting *parting = malloc(sizeof(*parting));

    if (!parting)
        return NULL;
    parting->fd =
        fcntl(run->publish ? fl_publish_fd(run->publish) : run->spool_fd, F_DUPFD_CLOEXEC, 0);
    parting->job = (struct fl_pool_job){.body = part, .data = parting, .lane = ""};
    if (parting->fd >= 0)
        return parting;
    free(parting);
    return NULL;
}

/* The kernel takes 0.1 s to forget 1 GiB that was not written to the disk yet (measured): too long
 * for somebody who has cancelled. A thread of the pool waits for it instead; it must be the last to
 * close, so it begins when all other references are gone. */
static void part_later(struct fl_run *run, struct parting *parting)
{
    if (parting && fl_pool_submit(run->engine->pool, &parting->job, NULL) != FLAME_OK)
        part(parting);
}

/* The partial is left or removed while the lock is still held. */
bool fl_output_done(struct fl_run *run, int32_t status)
{
    bool is_large = run->sink && fl_sink_size(run->sink) >= SLOW_TO_FORGET;
    bool leaves = run->sink && fl_held_leave(run, status);
    struct parting *parting = is_large && status >= FLAME_FIRST_FAILURE ? hold_on(run) : NULL;

    fl_sink_free(run->sink);
    fl_publish_free(run->publish);
    fl_lock_close(run->lock, run->is_published);
    if (run->spool_fd >= 0)
        (void)close(run->spool_fd);
    part_later(run, parting);
    run->sink = NULL;
    run->publish = NULL;
    run->lock = NULL;
    run->spool_fd = -1;
    return leaves;
}
