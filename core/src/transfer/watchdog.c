/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/watchdog.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#define SPARE_FDS 16

struct fl_watchdog {
    pthread_mutex_t lock; /* guards all below */
    struct fl_watch *first;
    size_t count;
    bool is_running;
    bool stopping;
    pthread_t thread;
    uint64_t asleep_until_ns; /* when the thread looks again by itself; 0 = it is awake */
    int wake_fd;
    struct pollfd *polled; /* the thread's: wake_fd, then the tokens */
    size_t capacity;
    int spare_fds[SPARE_FDS]; /* for the next watches: event descriptors that nobody raised */
    size_t spares;
};

int32_t fl_watchdog_open(struct fl_watchdog **out, struct flame_error *err)
{
    fl_auto_free struct fl_watchdog *watchdog = calloc(1, sizeof(*watchdog));

    if (!watchdog)
        return fl_fail_memory(err);
    watchdog->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watchdog->wake_fd < 0)
        return fl_fail_errno(err, errno, "cannot make an event descriptor");
    (void)pthread_mutex_init(&watchdog->lock, NULL);
    *out = fl_take(watchdog);
    return FLAME_OK;
}

void fl_watchdog_wake(struct fl_watchdog *watchdog)
{
    static const uint64_t one = 1;

    while (write(watchdog->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

static bool is_too_slow(struct fl_watch *watch, uint64_t now)
{
    const struct fl_limits *limits = &watch->limits;
    uint64_t bytes = atomic_load(&watch->wire_bytes);
    bool is_measured = atomic_load(&watch->phase) == FLAME_PHASE_BODY && bytes > 0 &&
                       atomic_load(&watch->busy) == 0 && limits->rate_floor != UINT64_MAX;
    uint64_t elapsed = now - watch->window_since_ns;
    bool is_slow;

    if (is_measured && watch->window_since_ns != 0 &&
        elapsed < limits->rate_window_ms * FL_NS_PER_MS)
        return false;
    is_slow = is_measured && watch->window_since_ns != 0 && bytes >= watch->window_bytes &&
              (double)(bytes - watch->window_bytes) * (double)FL_NS_PER_S <
                  (double)limits->rate_floor * (double)elapsed;
    watch->window_since_ns = is_measured ? now : 0;
    watch->window_bytes = bytes;
    return is_slow;
}

static void check(struct fl_watch *watch, uint64_t now)
{
    enum fl_clock clock = FL_CLOCK_NONE;

    if (fl_watch_status(watch) != FLAME_OK)
        return;
    if (now >= fl_watch_deadline(watch, &clock))
        atomic_store(&watch->expired, (int)clock);
    else if (is_too_slow(watch, now))
        atomic_store(&watch->expired, FL_CLOCK_RATE);
    else
        return;
    fl_watch_raise(watch, FLAME_ERR_TIMEOUT);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When to look again. A clock that starts while we sleep runs out no sooner than its limit from
 * now, so sleeping for the shortest limit can never be late for it. */
static uint64_t next_look(const struct fl_watch *watch, uint64_t now)
{
    const struct fl_limits *limits = &watch->limits;
    enum fl_clock clock;
    uint64_t shortest = least(limits->connect_ms, limits->first_byte_ms);

    shortest = least(least(shortest, limits->stall_ms), limits->rate_window_ms);
    if (shortest == UINT32_MAX)
        return fl_watch_deadline(watch, &clock);
    return least(fl_watch_deadline(watch, &clock), now + shortest * FL_NS_PER_MS);
}

static bool make_room(struct fl_watchdog *watchdog)
{
    size_t need = watchdog->count + 1;
    struct pollfd *grown;

    if (watchdog->capacity >= need)
        return true;
    grown = realloc(watchdog->polled, need * 2 * sizeof(*grown));
    if (!grown)
        return false;
    watchdog->polled = grown;
    watchdog->capacity = need * 2;
    return true;
}

#define BLIND_MS 50 /* without memory for the poll set: how often to look at the tokens */

/* Check all, fill the poll set, say how long to sleep. */
static size_t look_around(struct fl_watchdog *watchdog, int *timeout_ms)
{
    uint64_t now = fl_now_ns();
    bool has_room = make_room(watchdog);
    uint64_t next = has_room ? UINT64_MAX : now + BLIND_MS * FL_NS_PER_MS;
    size_t used = has_room ? 1 : 0;

    for (struct fl_watch *watch = watchdog->first; watch; watch = watch->next) {
        watch->is_polled = false;
        check(watch, now);
        if (atomic_load(&watch->reason) != FLAME_OK)
            continue;
        next = least(next, next_look(watch, now));
        watch->is_polled = watch->token && has_room;
        if (watch->is_polled)
            watchdog->polled[used++] = (struct pollfd){.fd = watch->token->fd, .events = POLLIN};
    }
    watchdog->asleep_until_ns = next;
    if (has_room)
        watchdog->polled[0] = (struct pollfd){.fd = watchdog->wake_fd, .events = POLLIN};
    if (next == UINT64_MAX)
        *timeout_ms = -1;
    else
        *timeout_ms = next <= now ? 0 : (int)least((next - now) / FL_NS_PER_MS + 1, INT32_MAX);
    return used;
}

static void *watch_all(void *data)
{
    struct fl_watchdog *watchdog = data;
    uint64_t ignored;

    (void)pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stopping) {
        int timeout_ms = 0;
        size_t used = look_around(watchdog, &timeout_ms);

        (void)pthread_mutex_unlock(&watchdog->lock);
        (void)poll(watchdog->polled, used, timeout_ms);
        while (read(watchdog->wake_fd, &ignored, sizeof(ignored)) > 0)
            continue;
        (void)pthread_mutex_lock(&watchdog->lock);
        watchdog->asleep_until_ns = 0;
    }
    (void)pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

/* Is somebody there already through whom the thread sees that token? */
static bool is_polled(const struct fl_watchdog *watchdog, const struct flame_cancel *token)
{
    const struct fl_watch *watch = watchdog->first;

    while (watch && (watch->token != token || !watch->is_polled))
        watch = watch->next;
    return watch != NULL;
}

/* What the thread would see too late if it went on sleeping. When it is awake, it looks at all
 * before it sleeps. */
static bool is_urgent(const struct fl_watchdog *watchdog, const struct fl_watch *watch)
{
    return watchdog->asleep_until_ns != 0 &&
           (next_look(watch, fl_now_ns()) < watchdog->asleep_until_ns ||
            (watch->token && !is_polled(watchdog, watch->token)));
}

/* Something of the watch has changed. Called with the lock held. */
static void wake_in_time(struct fl_watchdog *watchdog, const struct fl_watch *watch)
{
    if (is_urgent(watchdog, watch))
        fl_watchdog_wake(watchdog);
}

static int32_t add_locked(struct fl_watchdog *watchdog, struct fl_watch *watch,
                          struct flame_error *err)
{
    int failed = 0;

    if (!watchdog->is_running)
        failed = fl_thread_start(&watchdog->thread, "flame-watch", watch_all, watchdog);
    if (failed)
        return fl_fail_errno(err, failed, "cannot start a thread");
    watchdog->is_running = true;
    watch->next = watchdog->first;
    watchdog->first = watch;
    watchdog->count++;
    return FLAME_OK;
}

int32_t fl_watchdog_add(struct fl_watchdog *watchdog, struct fl_watch *watch,
                        struct flame_error *err)
{
    int32_t status;

    (void)pthread_mutex_lock(&watchdog->lock);
    status = add_locked(watchdog, watch, err);
    if (status == FLAME_OK)
        wake_in_time(watchdog, watch);
    (void)pthread_mutex_unlock(&watchdog->lock);
    return status;
}

void fl_watch_limit(struct fl_watchdog *watchdog, struct fl_watch *watch,
                    const struct fl_limits *limits)
{
    (void)pthread_mutex_lock(&watchdog->lock);
    watch->limits = *limits;
    wake_in_time(watchdog, watch);
    (void)pthread_mutex_unlock(&watchdog->lock);
}

void fl_watch_backdate(struct fl_watch *watch, uint64_t started_ns)
{
    struct fl_watchdog *watchdog = watch->watchdog;

    (void)pthread_mutex_lock(&watchdog->lock);
    watch->started_ns = started_ns;
    wake_in_time(watchdog, watch);
    (void)pthread_mutex_unlock(&watchdog->lock);
}

int fl_watchdog_take_fd(struct fl_watchdog *watchdog)
{
    int fd = -1;

    (void)pthread_mutex_lock(&watchdog->lock);
    if (watchdog->spares > 0)
        fd = watchdog->spare_fds[--watchdog->spares];
    (void)pthread_mutex_unlock(&watchdog->lock);
    return fd >= 0 ? fd : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void fl_watchdog_give_fd(struct fl_watchdog *watchdog, int fd)
{
    bool is_kept;

    (void)pthread_mutex_lock(&watchdog->lock);
    is_kept = watchdog->spares < SPARE_FDS;
    if (is_kept)
        watchdog->spare_fds[watchdog->spares++] = fd;
    (void)pthread_mutex_unlock(&watchdog->lock);
    if (!is_kept)
        (void)close(fd);
}

void fl_watchdog_remove(struct fl_watchdog *watchdog, struct fl_watch *watch)
{
    (void)pthread_mutex_lock(&watchdog->lock);
    for (struct fl_watch **at = &watchdog->first; *at; at = &(*at)->next) {
        if (*at != watch)
            continue;
        *at = watch->next;
        watchdog->count--;
        break;
    }
    (void)pthread_mutex_unlock(&watchdog->lock);
}

void fl_watchdog_close(struct fl_watchdog *watchdog)
{
    if (!watchdog)
        return;
    (void)pthread_mutex_lock(&watchdog->lock);
    watchdog->stopping = true;
    (void)pthread_mutex_unlock(&watchdog->lock);
    if (watchdog->is_running) {
        fl_watchdog_wake(watchdog);
        (void)pthread_join(watchdog->thread, NULL);
    }
    while (watchdog->spares > 0)
        (void)close(watchdog->spare_fds[--watchdog->spares]);
    (void)close(watchdog->wake_fd);
    (void)pthread_mutex_destroy(&watchdog->lock);
    free(watchdog->polled);
    free(watchdog);
}
