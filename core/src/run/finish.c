/* SPDX-License-Identifier: Apache-2.0 */
/* The last words over a fetch: is it right, may it be published, publish it. */
#include "run/run.h"

#include <fcntl.h>
#include <stdio.h>

static int32_t compare(const struct fl_digest *actual, const struct fl_digest *expected,
                       struct flame_error *err)
{
    char actual_text[FL_DIGEST_TEXT_MAX];
    char expected_text[FL_DIGEST_TEXT_MAX];

    if (fl_digest_equal(actual, expected))
        return FLAME_OK;
    fl_digest_format(actual, actual_text);
    fl_digest_format(expected, expected_text);
    return fl_fail(err, FLAME_ERR_DIGEST, "the bytes have %s instead of %s", actual_text,
                   expected_text);
}

static int32_t check(struct fl_run *run, struct flame_error *err)
{
    int32_t status = fl_sink_finish(run->sink, &run->actual, err);

    run->size = fl_sink_size(run->sink);
    if (status != FLAME_OK)
        return status;
    if (run->expected.kind != FL_DIGEST_NONE)
        return compare(&run->actual, &run->expected, err);
    if (run->advice.kind != FL_DIGEST_NONE && run->advice.kind == run->actual.kind) {
        run->digest_from = "header";
        return compare(&run->actual, &run->advice, err);
    }
    return FLAME_OK;
}

int32_t fl_output_check_digest(struct fl_run *run, struct flame_error *err)
{
    int32_t status = check(run, err);

    if (status != FLAME_OK)
        err->phase = FLAME_PHASE_VERIFY;
    return status;
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

/* What kept the caller from judging is no judgement. */
static bool is_no_verdict(int32_t status)
{
    return status == FLAME_ERR_CANCELLED || status == FLAME_ERR_IO ||
           status == FLAME_ERR_UNSUPPORTED || status == FLAME_ERR_NO_MEMORY;
}

static int32_t ask_verify(struct fl_run *run, struct flame_error *err)
{
    struct verification verification = {.said = &run->task.said, .size = fl_sink_size(run->sink)};
    fl_auto_fd int fd = -1;
    int32_t status;

    if (!run->task.said.verify)
        return FLAME_OK;
    fd = reopen_for_reading(run->publish ? fl_publish_fd(run->publish) : run->spool_fd);
    if (fd < 0)
        return fl_fail_errno(err, errno, "cannot open the file for its verification");
    verification.fd = fd;
    verification.err = FLAME_INIT(flame_error);
    status = fl_exchange_ask(run->exchange, call_verify, &verification);
    if (status == FLAME_OK)
        return FLAME_OK;
    verification.err.message[sizeof(verification.err.message) - 1] = '\0';
    if (verification.err.message[0])
        return fl_fail(err, is_no_verdict(status) ? status : FLAME_ERR_SIGNATURE, "%s",
                       verification.err.message);
    if (is_no_verdict(status))
        return fl_fail(err, status, "%s", flame_status_text(status));
    return fl_fail(err, FLAME_ERR_SIGNATURE, "the caller's check refused the bytes");
}

static int32_t publish(struct fl_run *run, struct flame_error *err)
{
    const struct flame_object *object = &run->transfer.object;
    bool has_time = (object->flags & FLAME_OBJECT_MTIME) != 0 &&
                    (run->task.said.flags & FLAME_TASK_REMOTE_TIME) != 0;

    if (run->publish)
        return fl_publish_commit(run->publish, has_time ? &object->mtime_ns : NULL, err);
    return run->spool_fd >= 0 ? fl_output_drain(run, err) : FLAME_OK;
}

/* `total` = all: the last that is shown says that every byte is there. */
static int32_t show_all(void *data)
{
    struct fl_run *run = data;
    struct flame_progress now;

    fl_progress_read(run, &now);
    now.phase = FLAME_PHASE_VERIFY;
    atomic_store(&run->shown.is_over, true);
    return run->task.said.progress(run->task.said.data, &now) == 0 ? FLAME_OK : FLAME_ERR_CANCELLED;
}

static int32_t ask_caller(struct fl_run *run, struct flame_error *err)
{
    if (run->exchange && run->task.said.progress &&
        fl_exchange_ask(run->exchange, show_all, run) != FLAME_OK)
        fl_watch_raise(&run->watch, FLAME_ERR_CANCELLED);
    return ask_verify(run, err);
}

int32_t fl_output_complete(struct fl_run *run, struct flame_error *err)
{
    int32_t status = ask_caller(run, err);

    if (status != FLAME_OK)
        err->phase = FLAME_PHASE_VERIFY;
    else if (fl_watch_status(&run->watch) == FLAME_ERR_CANCELLED)
        status = fl_watch_explain(&run->watch, err);
    if (status == FLAME_OK)
        status = fl_result_prepare(run, err); /* nothing may fail behind the publish */
    if (status != FLAME_OK)
        return status;
    status = publish(run, err);
    run->is_published = status == FLAME_OK;
    if (status != FLAME_OK)
        err->phase = FLAME_PHASE_PUBLISH;
    return status;
}
