/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/clock.h"

/* ---- telling --------------------------------------------------------------------------------- */

struct news {
    const struct flame_task *said;
    const struct flame_event *event;
};

static int32_t call_event(void *data)
{
    const struct news *news = data;

    news->said->event(news->said->data, news->event);
    return FLAME_OK;
}

void fl_run_tell(struct fl_run *run, struct flame_event *event)
{
    struct news news = {.said = &run->task.said, .event = event};

    if (run->exchange && run->task.said.event)
        (void)fl_exchange_ask(run->exchange, call_event, &news);
}

static void tell_of_try(struct fl_run *run, uint32_t kind, const struct flame_error *reason,
                        uint32_t wait_ms)
{
    struct flame_event event = FLAME_INIT(flame_event);
    const char *url =
        run->retry.source == 0 ? run->task.url.text : run->task.said.mirrors[run->retry.source - 1];
    fl_auto_free char *to = fl_url_redact(url);
    fl_auto_free char *from = run->hop.url.text ? fl_url_redact(run->hop.url.text) : NULL;

    event.kind = kind;
    event.from = from;
    event.to = to;
    event.reason = reason;
    event.attempt = run->retry.attempts + 1;
    event.wait_ms = wait_ms;
    if (kind == FLAME_EVENT_MIRROR)
        fl_host_log(&run->setup->core, FLAME_LOG_INFO, "%s: another source is tried, %s",
                    reason->message, to ? to : "");
    else
        fl_host_log(&run->setup->core, FLAME_LOG_INFO, "%s: attempt %u in %u ms", reason->message,
                    event.attempt, wait_ms);
    fl_run_tell(run, &event);
}

/* ---- what a failure means -------------------------------------------------------------------- */

/* Is it about the place that was asked, so that another place may do better? */
bool fl_failure_is_of_source(const struct flame_error *reason)
{
    switch (reason->status) {
    case FLAME_ERR_INVALID:
    case FLAME_ERR_EXISTS:
    case FLAME_ERR_SIGNATURE:
    case FLAME_ERR_CANCELLED:
    case FLAME_ERR_UNSAFE_NAME:
    case FLAME_ERR_LOCKED:
    case FLAME_ERR_NO_SPACE:
    case FLAME_ERR_NO_MEMORY:
    case FLAME_ERR_DURABILITY_UNKNOWN:
    case FLAME_ERR_INTERNAL:
        return false;
    case FLAME_ERR_IO:
        return (reason->flags & FLAME_ERROR_SOURCE) != 0;
    default:
        return true;
    }
}

/* The peer could not continue what we hold, before it sent a byte: it has another version now, or
 * cannot do ranges as it says. Asked for from the beginning it may well deliver. */
static bool is_refused_rest(const struct fl_run *run, const struct flame_error *reason)
{
    bool is_about_range = reason->status == FLAME_ERR_CHANGED ||
                          reason->status == FLAME_ERR_RANGE || reason->status == FLAME_ERR_PROTOCOL;

    return run->verb == FLAME_FETCH && is_about_range &&
           (run->transfer.offset > 0 || fl_output_is_committed(run)) &&
           atomic_load(&run->transfer.received) == 0;
}

static bool has_next_source(const struct fl_run *run)
{
    const char *const *mirrors = run->task.said.mirrors;

    return run->verb == FLAME_FETCH && mirrors && mirrors[run->retry.source];
}

/* ---- pauses ---------------------------------------------------------------------------------- */

static uint32_t choose_pause_ms(struct fl_run *run, const struct flame_error *reason)
{
    uint32_t pause_ms = fl_pause_ms(run->task.retry.delay_ms, run->retry.tries);
    uint32_t wished_ms;

    if (!(reason->flags & FLAME_ERROR_RETRY_AFTER))
        return pause_ms;
    wished_ms = fl_pause_wished_ms(reason->retry_after_ms);
    fl_patience_note(&run->engine->patience, run->hop.url.origin,
                     fl_now_ns() + wished_ms * FL_NS_PER_MS);
    return wished_ms;
}

static bool has_time_for(const struct fl_run *run, uint32_t pause_ms)
{
    uint64_t spent_ns = fl_now_ns() - run->retry.started_ns;

    return run->task.retry.max_ms == UINT32_MAX ||
           spent_ns + pause_ms * FL_NS_PER_MS <= run->task.retry.max_ms * FL_NS_PER_MS;
}

static int32_t sleep_until(struct fl_run *run, uint64_t until_ns)
{
    int32_t status;

    atomic_store(&run->waits_until_ns, until_ns);
    status = fl_watch_sleep(&run->watch, until_ns);
    atomic_store(&run->waits_until_ns, 0);
    return status;
}

bool fl_retry_pause(struct fl_run *run, const struct flame_error *reason)
{
    uint32_t pause_ms;

    run->retry.tries++;
    if (!(reason->flags & FLAME_ERROR_RETRYABLE) || run->retry.tries >= run->task.retry.attempts)
        return false;
    pause_ms = choose_pause_ms(run, reason);
    if (!has_time_for(run, pause_ms) || !fl_watch_rearm(&run->watch))
        return false;
    tell_of_try(run, FLAME_EVENT_RETRY, reason, pause_ms);
    return sleep_until(run, fl_now_ns() + pause_ms * FL_NS_PER_MS) == FLAME_OK;
}

/* ---- which try comes next -------------------------------------------------------------------- */

static bool turn_to_next_source(struct fl_run *run, const struct flame_error *reason)
{
    if (!has_next_source(run) || !fl_failure_is_of_source(reason))
        return false;
    fl_watch_next_source(&run->watch);
    if (!fl_watch_rearm(&run->watch))
        return false;
    run->retry.source++;
    run->retry.tries = 0;
    run->retry.is_fresh = false;
    tell_of_try(run, FLAME_EVENT_MIRROR, reason, 0);
    return true;
}

/* The bytes are wrong. A cache on the way would serve the same again: another source goes first,
 * and the only one is asked once more, past all caches. */
static bool try_other_bytes(struct fl_run *run, const struct flame_error *reason)
{
    struct flame_error ignored = FLAME_INIT(flame_error);

    if (fl_held_drop(run, &ignored) != FLAME_OK)
        return false;
    if (turn_to_next_source(run, reason))
        return true;
    if (run->retry.is_fresh || run->retry.source != 0 || !fl_watch_rearm(&run->watch))
        return false;
    run->retry.is_fresh = true;
    tell_of_try(run, FLAME_EVENT_RETRY, reason, 0);
    return true;
}

static bool begin_again(struct fl_run *run)
{
    struct flame_error ignored = FLAME_INIT(flame_error);

    return fl_held_drop(run, &ignored) == FLAME_OK && fl_watch_rearm(&run->watch);
}

/* What came is kept: a further try goes on behind it. Fails as writing does. */
static int32_t keep_what_came(struct fl_run *run, struct flame_error *err)
{
    if (run->verb != FLAME_FETCH || !run->sink)
        return FLAME_OK;
    return fl_sink_flush(run->sink, err);
}

static bool may_repeat(const struct fl_run *run, const struct flame_error *reason)
{
    if (run->verb == FLAME_FETCH)
        return !fl_output_is_committed(run) || run->held.validator;
    return run->verb == FLAME_STAT || fl_store_may_repeat(run, reason);
}

static bool may_go_on(struct fl_run *run, const struct flame_error *reason)
{
    if (fl_watch_status(&run->watch) == FLAME_ERR_CANCELLED || !may_repeat(run, reason))
        return false;
    if (is_refused_rest(run, reason))
        return begin_again(run);
    if (reason->status == FLAME_ERR_DIGEST)
        return try_other_bytes(run, reason);
    return fl_retry_pause(run, reason) || turn_to_next_source(run, reason);
}

int32_t fl_retry_be_patient(struct fl_run *run, struct flame_error *err)
{
    uint64_t until_ns = fl_patience_until(&run->engine->patience, run->hop.url.origin);

    if (until_ns <= fl_now_ns() || sleep_until(run, until_ns) == FLAME_OK)
        return FLAME_OK;
    return fl_watch_explain(&run->watch, err);
}

/* Cancelled or out of time between two tries: that is the end, whatever the last try said. */
static int32_t say_the_end(struct fl_run *run, int32_t status, struct flame_error *err)
{
    int32_t reason = fl_watch_status(&run->watch);

    if (reason == FLAME_OK || reason == status)
        return status;
    fl_error_reset(err);
    return fl_watch_explain(&run->watch, err);
}

int32_t fl_retry_all(struct fl_run *run, struct flame_error *err)
{
    for (;;) {
        struct flame_error kept = FLAME_INIT(flame_error);
        int32_t status;

        run->retry.attempts++;
        status = fl_attempt(run, err);
        if (status < FLAME_FIRST_FAILURE)
            return status;
        if (keep_what_came(run, &kept) != FLAME_OK) {
            *err = kept;
            return kept.status;
        }
        if (!may_go_on(run, err))
            return say_the_end(run, status, err);
        atomic_fetch_add(&run->engine->retries, 1);
        fl_error_reset(err);
    }
}
