/* SPDX-License-Identifier: Apache-2.0 */
/* Others at the same destination. */
#include "run/run.h"

#include "base/clock.h"
#include "request/key.h"

#include <sys/stat.h>

#define PAUSE_MIN_NS (5 * FL_NS_PER_MS)
#define PAUSE_MAX_NS (80 * FL_NS_PER_MS)

static void tell_locked(struct fl_run *run)
{
    struct flame_event event = FLAME_INIT(flame_event);

    event.kind = FLAME_EVENT_LOCKED;
    fl_run_tell(run, &event);
}

/* The other has made what we were to make: take it, if it is what we want. */
static int32_t take_made(struct fl_run *run, struct flame_error *err)
{
    struct stat facts;
    fl_auto_fd int fd = fl_publish_open_current(run->publish);
    int32_t status = FLAME_OK;

    if (fd < 0 || fstat(fd, &facts) != 0 || run->task.said.verify)
        return FLAME_OK; /* who verifies has the last word over bytes of its own */
    if (run->expected.kind != FL_DIGEST_NONE)
        status = fl_output_check_current(run, err);
    run->is_joined = run->expected.kind == FL_DIGEST_NONE || run->is_cached;
    run->cached_size = (uint64_t)facts.st_size;
    return status;
}

static int32_t fail_locked(const struct fl_run *run, struct flame_error *err)
{
    return fl_fail(err, FLAME_ERR_LOCKED,
                   "another process has been at work on '%s' for more than %u ms",
                   run->task.said.path, run->task.lock_ms);
}

/* Being locked by another is no failure yet: of that nothing is told. */
static int32_t try_once(struct fl_run *run, bool *is_made, struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);
    int32_t status = fl_lock_try(run->lock, is_made, &reason);

    if (status != FLAME_OK && status != FLAME_ERR_LOCKED)
        *err = reason;
    return status;
}

/* Until it is ours, or made by the one who had it. */
static int32_t wait_for_lock(struct fl_run *run, struct flame_error *err)
{
    uint64_t began_ns = fl_now_ns();
    uint64_t pause_ns = PAUSE_MIN_NS;
    bool is_made = false;
    bool has_waited;
    int32_t status = try_once(run, &is_made, err);

    has_waited = status == FLAME_ERR_LOCKED;
    if (has_waited)
        tell_locked(run);
    while (status == FLAME_ERR_LOCKED) {
        uint64_t now_ns = fl_now_ns();

        if (run->task.lock_ms != UINT32_MAX && now_ns - began_ns > run->task.lock_ms * FL_NS_PER_MS)
            return fail_locked(run, err);
        if (fl_watch_sleep(&run->watch, now_ns + pause_ns) != FLAME_OK)
            return fl_watch_explain(&run->watch, err);
        pause_ns = pause_ns < PAUSE_MAX_NS ? 2 * pause_ns : PAUSE_MAX_NS;
        status = try_once(run, &is_made, err);
    }
    if (status == FLAME_OK && is_made)
        status = take_made(run, err);
    if (status == FLAME_OK && is_made && !run->is_joined)
        return wait_for_lock(run, err); /* what was made is not what we want: our turn */
    if (status == FLAME_OK && !is_made && has_waited)
        status = fl_output_check_current(run, err);
    return status;
}

static void go_without_lock(struct fl_run *run, const struct flame_error *reason)
{
    fl_host_log(&run->setup->core, FLAME_LOG_INFO, "no lock beside the destination: %s",
                reason->message[0] ? reason->message : "not supported there");
    fl_lock_close(run->lock, false);
    run->lock = NULL;
}

int32_t fl_output_lock(struct fl_run *run, struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);
    uint8_t key[FL_KEY_BYTES];
    int32_t status;

    if (!run->publish || (run->task.said.flags & FLAME_TASK_NO_LOCK))
        return FLAME_OK;
    fl_task_key(&run->task, run->setup->config, key);
    status = fl_lock_open(run->publish, key, &run->lock, &reason);
    if (status == FLAME_OK)
        fl_lock_shelve(run->lock, &run->engine->shelf);
    if (status == FLAME_OK)
        status = wait_for_lock(run, &reason);
    if (status == FLAME_ERR_UNSUPPORTED) {
        go_without_lock(run, &reason);
        return FLAME_OK;
    }
    if (status != FLAME_OK)
        *err = reason;
    return status;
}
