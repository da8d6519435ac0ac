/* SPDX-License-Identifier: Apache-2.0 */
/* Watches: the clocks of one running task, and the descriptor that tells its plugin to stop.
 *
 * One thread per context, the watchdog, looks at all watches: which clock runs depends on the phase
 * that the plugin has told (connect: RESOLVE to SECURE; first byte: WAIT; stall and rate floor:
 * BODY and FINISH; stall also before any phase was told; total: always). The stall clock stands
 * still while the host itself holds the plugin up (a slow disk). On expiry, or when the caller's
 * cancel token is set, the watchdog notes the reason and raises cancel_fd. Being cancelled is for
 * good; a clock that ran out in one attempt can be wound up for the next (fl_watch_rearm).
 *
 * The clocks are atomics, so that feeding them costs no lock; the list has one. Any thread. */
#ifndef FL_TRANSFER_WATCH_H
#define FL_TRANSFER_WATCH_H

#include "request/task.h"
#include "transfer/cancel.h"

#include <stdatomic.h>

enum fl_clock {
    FL_CLOCK_NONE = 0,
    FL_CLOCK_CONNECT,
    FL_CLOCK_FIRST_BYTE,
    FL_CLOCK_STALL,
    FL_CLOCK_RATE,
    FL_CLOCK_SOURCE,
    FL_CLOCK_TOTAL,
};

struct fl_watchdog;

struct fl_watch {
    struct fl_watch *next;
    struct fl_watchdog *watchdog;
    struct fl_watch *parent; /* its end is ours too; or NULL */
    struct fl_limits limits;
    struct flame_cancel *token; /* the caller's, or NULL */
    int cancel_fd;              /* eventfd, readable once raised */
    uint64_t started_ns;
    _Atomic uint64_t source_since_ns; /* the present source was turned to */
    atomic_int reason;                /* OK, CANCELLED or TIMEOUT: enum flame_status */
    atomic_int expired;               /* enum fl_clock */
    atomic_uint phase;                /* enum flame_phase */
    atomic_uint busy;                 /* the host is at work inside a call of the plugin */
    _Atomic uint64_t clock_since_ns;  /* the connect or first-byte clock runs since */
    _Atomic uint64_t active_ns;       /* last sign of life */
    _Atomic uint64_t wire_bytes;      /* as the plugin counts them; 0 = it does not */
    bool is_polled;                   /* the watchdog's: it sees the token */
    uint64_t window_since_ns;         /* the watchdog's: the rate is measured from here */
    uint64_t window_bytes;
};

/* Fails with NO_MEMORY, IO (descriptors). The thread starts with the first watch. */
int32_t fl_watchdog_open(struct fl_watchdog **out, struct flame_error *err) FL_CHECK;
void fl_watchdog_close(struct fl_watchdog *watchdog); /* no watch left; takes NULL */

/* Begin, with every limit off. `token` may be NULL. Fails with IO, NO_MEMORY. */
int32_t fl_watch_start(struct fl_watchdog *watchdog, struct fl_watch *watch,
                       struct flame_cancel *token, struct flame_error *err) FL_CHECK;
/* The limits are known. */
void fl_watch_limit(struct fl_watchdog *watchdog, struct fl_watch *watch,
                    const struct fl_limits *limits);
/* The task had begun earlier than its watch. */
void fl_watch_backdate(struct fl_watch *watch, uint64_t started_ns);
/* Begin for the sake of another: stopped with it (CANCELLED, whatever stops the other), and with
 * every limit off. `parent` stays until this one is stopped. */
int32_t fl_watch_start_below(struct fl_watch *parent, struct fl_watch *watch,
                             struct flame_error *err) FL_CHECK;
/* The same for a part of another's work, with the limits of that but for its total time. */
int32_t fl_watch_start_part(struct fl_watch *parent, struct fl_watch *watch,
                            struct flame_error *err) FL_CHECK;
void fl_watch_stop(struct fl_watchdog *watchdog, struct fl_watch *watch);

/* A new attempt begins: back to FLAME_PHASE_START, total and reason go on. */
void fl_watch_rewind(struct fl_watch *watch);

/* An attempt ended by a clock of its own: take the reason back, so that another one can be made.
 * false: there can be none, the task was cancelled or its time is over. */
bool fl_watch_rearm(struct fl_watch *watch);

/* Another source is turned to: its clock starts. */
void fl_watch_next_source(struct fl_watch *watch);

/* Sleep until `until_ns` of the monotonic clock, or until the task is no longer wanted; no clock
 * but those of source and task runs meanwhile. Returns fl_watch_status(). */
int32_t fl_watch_sleep(struct fl_watch *watch, uint64_t until_ns);

/* The plugin tells its phase and what the wire has carried (0: it does not count). */
void fl_watch_progress(struct fl_watch *watch, uint32_t phase, uint64_t wire_bytes);

/* Bracket the host's own work inside a plugin's call; leaving feeds the stall clock. */
void fl_watch_enter(struct fl_watch *watch);
void fl_watch_leave(struct fl_watch *watch);

/* Stop the task for a reason of the host's (a callback said no). The first reason stays, but that
 * being cancelled goes before a clock. */
void fl_watch_raise(struct fl_watch *watch, int32_t reason);

/* OK, CANCELLED or TIMEOUT. Sees a set token at once. */
int32_t fl_watch_status(struct fl_watch *watch);

/* Until the first of the clocks would expire; INT64_MAX = none runs. */
int64_t fl_watch_left_ms(const struct fl_watch *watch);

/* State why the watch was raised, and return that status. */
int32_t fl_watch_explain(const struct fl_watch *watch, struct flame_error *err);

#endif
