/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/watch.h"

#include "base/clock.h"
#include "transfer/watchdog.h"

#include <errno.h>
#include <poll.h>

/* The watchdog sees it from here on: it is whole before. */
static int32_t start(struct fl_watch *watch, struct flame_error *err)
{
    uint64_t now = fl_now_ns();
    int32_t status;

    watch->started_ns = now;
    atomic_init(&watch->active_ns, now);
    atomic_init(&watch->source_since_ns, now);
    watch->cancel_fd = fl_watchdog_take_fd(watch->watchdog);
    if (watch->cancel_fd < 0)
        return fl_fail_errno(err, errno, "cannot make an event descriptor");
    status = fl_watchdog_add(watch->watchdog, watch, err);
    if (status == FLAME_OK)
        return FLAME_OK;
    (void)close(watch->cancel_fd);
    watch->cancel_fd = -1;
    return status;
}

static struct fl_limits no_limits(void)
{
    return (struct fl_limits){
        .max_bytes = UINT64_MAX,
        .rate_floor = UINT64_MAX,
        .rate_window_ms = UINT32_MAX,
        .connect_ms = UINT32_MAX,
        .first_byte_ms = UINT32_MAX,
        .stall_ms = UINT32_MAX,
        .total_ms = UINT32_MAX,
        .source_ms = UINT32_MAX,
        .max_redirects = UINT32_MAX,
    };
}

int32_t fl_watch_start(struct fl_watchdog *watchdog, struct fl_watch *watch,
                       struct flame_cancel *token, struct flame_error *err)
{
    *watch = (struct fl_watch){.watchdog = watchdog, .limits = no_limits(), .token = token};
    return start(watch, err);
}

int32_t fl_watch_start_below(struct fl_watch *parent, struct fl_watch *watch,
                             struct flame_error *err)
{
    *watch = (struct fl_watch){.watchdog = parent->watchdog,
                               .parent = parent,
                               .limits = no_limits(),
                               .token = parent->token};
    return start(watch, err);
}

int32_t fl_watch_start_part(struct fl_watch *parent, struct fl_watch *watch,
                            struct flame_error *err)
{
    struct fl_limits limits = parent->limits;
    int32_t status = fl_watch_start_below(parent, watch, err);

    limits.total_ms = limits.source_ms = UINT32_MAX; /* the parent's to watch */
    if (status == FLAME_OK)
        fl_watch_limit(parent->watchdog, watch, &limits);
    return status;
}

void fl_watch_stop(struct fl_watchdog *watchdog, struct fl_watch *watch)
{
    fl_watchdog_remove(watchdog, watch);
    if (watch->cancel_fd >= 0 && atomic_load(&watch->reason) == FLAME_OK)
        fl_watchdog_give_fd(watchdog, watch->cancel_fd);
    else if (watch->cancel_fd >= 0)
        (void)close(watch->cancel_fd);
    watch->cancel_fd = -1;
}

static void raise_flag(const struct fl_watch *watch)
{
    static const uint64_t one = 1;

    while (write(watch->cancel_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

void fl_watch_rewind(struct fl_watch *watch)
{
    atomic_store(&watch->active_ns, fl_now_ns());
    atomic_store(&watch->wire_bytes, 0);
    atomic_store(&watch->phase, FLAME_PHASE_START);
}

static void lower(const struct fl_watch *watch)
{
    uint64_t ignored;

    while (read(watch->cancel_fd, &ignored, sizeof(ignored)) < 0 && errno == EINTR)
        continue;
}

bool fl_watch_rearm(struct fl_watch *watch)
{
    int timeout = FLAME_ERR_TIMEOUT;
    int clock = atomic_load(&watch->expired);

    if (fl_watch_status(watch) == FLAME_ERR_TIMEOUT &&
        (clock == FL_CLOCK_TOTAL || clock == FL_CLOCK_SOURCE))
        return false;
    fl_watch_rewind(watch); /* first, or the clock would ring again at once */
    if (atomic_compare_exchange_strong(&watch->reason, &timeout, FLAME_OK)) {
        lower(watch);
        if (atomic_load(&watch->reason) != FLAME_OK)
            raise_flag(watch);             /* cancelled in between: what was lowered was that */
        fl_watchdog_wake(watch->watchdog); /* it does not look at clocks that have rung */
    }
    return fl_watch_status(watch) == FLAME_OK;
}

void fl_watch_next_source(struct fl_watch *watch)
{
    int timeout = FLAME_ERR_TIMEOUT;

    atomic_store(&watch->source_since_ns, fl_now_ns());
    if (atomic_load(&watch->expired) != FL_CLOCK_SOURCE)
        return;
    if (atomic_compare_exchange_strong(&watch->reason, &timeout, FLAME_OK))
        lower(watch);
    if (atomic_load(&watch->reason) != FLAME_OK)
        raise_flag(watch);
    fl_watchdog_wake(watch->watchdog);
}

int32_t fl_watch_sleep(struct fl_watch *watch, uint64_t until_ns)
{
    struct pollfd fd = {.fd = watch->cancel_fd, .events = POLLIN};

    fl_watch_enter(watch);
    while (fl_watch_status(watch) == FLAME_OK) {
        uint64_t now = fl_now_ns();

        if (now >= until_ns)
            break;
        (void)poll(&fd, 1, (int)((until_ns - now) / FL_NS_PER_MS % INT32_MAX) + 1);
    }
    fl_watch_leave(watch);
    return fl_watch_status(watch);
}

/* Phases that share a clock: it goes on when the phase changes within the group. */
static uint32_t clock_group(uint32_t phase)
{
    if (phase < FLAME_PHASE_RESOLVE)
        return 0;
    if (phase < FLAME_PHASE_WAIT)
        return 1;
    return phase < FLAME_PHASE_BODY ? 2 : 3;
}

void fl_watch_progress(struct fl_watch *watch, uint32_t phase, uint64_t wire_bytes)
{
    uint32_t before = atomic_load(&watch->phase);
    uint64_t now = fl_now_ns();

    atomic_store(&watch->active_ns, now);
    if (wire_bytes > 0)
        atomic_store(&watch->wire_bytes, wire_bytes);
    if (phase == before || phase > FLAME_PHASE_FINISH)
        return;
    if (clock_group(phase) != clock_group(before))
        atomic_store(&watch->clock_since_ns, now);
    atomic_store(&watch->phase, phase);
}

void fl_watch_enter(struct fl_watch *watch)
{
    atomic_fetch_add(&watch->busy, 1);
}

void fl_watch_leave(struct fl_watch *watch)
{
    atomic_store(&watch->active_ns, fl_now_ns());
    atomic_fetch_sub(&watch->busy, 1);
}

void fl_watch_raise(struct fl_watch *watch, int32_t reason)
{
    int before = atomic_load(&watch->reason);

    do {
        if (before == FLAME_ERR_CANCELLED || (before != FLAME_OK && reason != FLAME_ERR_CANCELLED))
            return;
    } while (!atomic_compare_exchange_weak(&watch->reason, &before, reason));
    raise_flag(watch);
    fl_watchdog_wake(watch->watchdog); /* for those whose parent this is */
}

int32_t fl_watch_status(struct fl_watch *watch)
{
    if (watch->token && atomic_load(&watch->token->is_set))
        fl_watch_raise(watch, FLAME_ERR_CANCELLED);
    if (watch->parent && atomic_load(&watch->parent->reason) != FLAME_OK)
        fl_watch_raise(watch, FLAME_ERR_CANCELLED);
    return atomic_load(&watch->reason);
}

static uint64_t after(uint64_t since_ns, uint32_t limit_ms)
{
    return limit_ms == UINT32_MAX ? UINT64_MAX : since_ns + limit_ms * FL_NS_PER_MS;
}

/* When the clock of the current phase runs out; *clock says which it is. */
static uint64_t phase_deadline(const struct fl_watch *watch, enum fl_clock *clock)
{
    uint32_t group = clock_group(atomic_load(&watch->phase));

    if (group == 1) {
        *clock = FL_CLOCK_CONNECT;
        return after(atomic_load(&watch->clock_since_ns), watch->limits.connect_ms);
    }
    if (group == 2) {
        *clock = FL_CLOCK_FIRST_BYTE;
        return after(atomic_load(&watch->clock_since_ns), watch->limits.first_byte_ms);
    }
    *clock = FL_CLOCK_STALL;
    if (atomic_load(&watch->busy) > 0)
        return UINT64_MAX;
    return after(atomic_load(&watch->active_ns), watch->limits.stall_ms);
}

uint64_t fl_watch_deadline(const struct fl_watch *watch, enum fl_clock *clock)
{
    uint64_t total = after(watch->started_ns, watch->limits.total_ms);
    uint64_t source = after(atomic_load(&watch->source_since_ns), watch->limits.source_ms);
    uint64_t phase = phase_deadline(watch, clock);

    if (phase < total && phase < source)
        return phase;
    *clock = source < total ? FL_CLOCK_SOURCE : FL_CLOCK_TOTAL;
    return source < total ? source : total;
}

int64_t fl_watch_left_ms(const struct fl_watch *watch)
{
    enum fl_clock clock;
    uint64_t deadline = fl_watch_deadline(watch, &clock);
    uint64_t now = fl_now_ns();

    if (atomic_load(&watch->reason) != FLAME_OK || deadline <= now)
        return 0;
    return deadline == UINT64_MAX ? INT64_MAX : (int64_t)((deadline - now) / FL_NS_PER_MS);
}

static int32_t explain_timeout(const struct fl_watch *watch, struct flame_error *err)
{
    const struct fl_limits *limits = &watch->limits;

    switch ((enum fl_clock)atomic_load(&watch->expired)) {
    case FL_CLOCK_CONNECT:
        return fl_fail(err, FLAME_ERR_TIMEOUT, "no connection within %u ms", limits->connect_ms);
    case FL_CLOCK_FIRST_BYTE:
        return fl_fail(err, FLAME_ERR_TIMEOUT, "no answer within %u ms", limits->first_byte_ms);
    case FL_CLOCK_STALL:
        return fl_fail(err, FLAME_ERR_TIMEOUT, "nothing came for %u ms", limits->stall_ms);
    case FL_CLOCK_RATE:
        return fl_fail(err, FLAME_ERR_TIMEOUT, "slower than %llu bytes a second for %u ms",
                       (unsigned long long)limits->rate_floor, limits->rate_window_ms);
    case FL_CLOCK_SOURCE:
        return fl_fail(err, FLAME_ERR_TIMEOUT, "this source was not done within %u ms",
                       limits->source_ms);
    case FL_CLOCK_TOTAL:
    case FL_CLOCK_NONE:
    default:
        return fl_fail(err, FLAME_ERR_TIMEOUT, "not done within %u ms", limits->total_ms);
    }
}

int32_t fl_watch_explain(const struct fl_watch *watch, struct flame_error *err)
{
    if (atomic_load(&watch->reason) == FLAME_ERR_TIMEOUT)
        return explain_timeout(watch, err);
    return fl_fail(err, FLAME_ERR_CANCELLED, "cancelled");
}
