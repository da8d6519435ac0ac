/* SPDX-License-Identifier: Apache-2.0 */
/* One task on its way, from the caller's struct to its end. run.c tells the story:
 *
 *   retry.c     attempts, pauses, sources: which try comes next
 *   attempt.c   one try: the plugin's slot, redirects
 *   held.c      the bytes that are there already, and whether a body continues them
 *   output.c    the destination: lock, sink, verification, publish
 *   parts.c     one body in several parts at once
 *   checksum.c  the digest from a file of checksums
 *   store.c     what is special where something is sent, removed or listed
 *   result.c    what the caller gets
 *
 * All of it happens on one thread of the core (parts.c has helpers); others read the atomics of
 * `watch`, `transfer` and `shown` for the progress. */
#ifndef FL_RUN_RUN_H
#define FL_RUN_RUN_H

#include "publish/lock.h"
#include "publish/partial.h"
#include "publish/publish.h"
#include "run/engine.h"
#include "transfer/exchange.h"

/* What the bytes in the sink are the beginning of. */
struct fl_held {
    char *validator; /* a strong one; or NULL */
    char *place;     /* where it was said: what it is unique for; or NULL */
    uint64_t total;  /* UINT64_MAX = not known */
    struct fl_partial partial;
    bool is_kept;     /* the file has its partial's name */
    uint64_t resumed; /* bytes of an earlier run */
};

struct fl_retry {
    uint32_t tries;      /* failed ones at the present source */
    uint32_t attempts;   /* of all, the present one included */
    uint32_t source;     /* 0 = url, 1 = the first mirror, ... */
    bool is_fresh;       /* go past caches: a digest did not match */
    uint64_t started_ns; /* the first attempt */
};

/* What those who show progress may read at any time. */
struct fl_shown {
    _Atomic uint64_t resumed;
    _Atomic uint64_t in_parts; /* body bytes that came in parts beside the transfer */
    atomic_bool is_over;       /* the last byte was shown: there is no way back */
    atomic_uint attempt;
    atomic_uint source;
    atomic_uint redirects;
};

struct fl_run {
    struct fl_engine *engine;
    struct fl_setup *setup;
    const struct flame_task *said; /* the caller's struct; `task.said` is our copy */
    uint32_t verb;
    struct fl_watch *above; /* of the task for whose sake this one is; or NULL */
    struct fl_task task;
    struct fl_hop hop;
    struct fl_watch watch;
    struct flame_transfer transfer;
    struct fl_exchange *exchange; /* where callbacks are served; NULL = there are none */
    struct fl_pace pace;
    struct fl_retry retry;
    struct fl_held held;
    struct fl_digest expected; /* the task's, a checksum file's, or what a redirect bound */
    const char *digest_from;   /* who says so; static, or NULL */
    struct fl_digest advice;   /* what the peer's header says; NONE = nothing */
    uint64_t bound_size;       /* what a redirect promised; UINT64_MAX = nothing */

    struct fl_lock *lock;       /* to a path; or NULL */
    struct fl_publish *publish; /* to a path; or NULL */
    int spool_fd;               /* spooled; else -1 */
    struct fl_sink *sink;
    struct fl_digest actual; /* of the bytes written; NONE = not asked for */
    struct fl_source source; /* store; fd -1 = there is none */
    uint64_t listed;         /* entries told */
    uint64_t transferred;    /* body bytes of the attempts that are over */
    uint32_t redirects;      /* of the last trail */
    uint32_t connections;    /* parts at once */
    bool has_no_parts;       /* they were tried, or make no sense */
    bool is_cached;          /* the destination was right already */
    bool is_joined;          /* another process made it */
    uint64_t cached_size;    /* of that file */
    uint64_t size;           /* of what was fetched or stored */
    struct flame_result result;
    bool is_published;
    struct fl_shown shown;
    _Atomic uint64_t waits_until_ns; /* the next try; 0 = at work */
};

/* ---- run.c ---- */

/* Prepare: fl_run_end() it, unless this fails. The clocks start. Fails with IO, NO_MEMORY. */
int32_t fl_run_begin(struct fl_run *run, struct flame_cancel *token,
                     struct flame_error *err) FL_CHECK;
/* Do it. Returns OK, NOT_MODIFIED or a failure, whose error is complete. */
int32_t fl_run_do(struct fl_run *run, struct flame_error *err) FL_CHECK;
void fl_run_end(struct fl_run *run);

/* ---- retry.c ---- */

/* Try, at one source after another, until it is done or hopeless. fetch: the bytes are in the sink
 * and have the digest they should have. */
int32_t fl_retry_all(struct fl_run *run, struct flame_error *err) FL_CHECK;

/* Is it about the place that was asked, so that asking otherwise or elsewhere may do better? */
bool fl_failure_is_of_source(const struct flame_error *reason);

/* Tell the caller what happens, if he wants to hear it. */
void fl_run_tell(struct fl_run *run, struct flame_event *event);

/* Somebody was told "not before" by the origin of the present hop: wait until then. Fails with
 * CANCELLED, TIMEOUT. */
int32_t fl_retry_be_patient(struct fl_run *run, struct flame_error *err) FL_CHECK;

/* Pause before a further try at the same source, if one may be made. false: it may not. */
bool fl_retry_pause(struct fl_run *run, const struct flame_error *reason);

/* ---- attempt.c ---- */

/* One try: load the plugin, run its slot, follow redirects. */
int32_t fl_attempt(struct fl_run *run, struct flame_error *err) FL_CHECK;

/* ---- held.c ---- */

/* What an earlier run left at the destination becomes the file that is written, if it is of this
 * task. With the lock held, before there is a sink. */
int32_t fl_held_find(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* The sink goes on behind it. */
int32_t fl_held_adopt(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* What to ask of a plugin with these `caps` at the present hop: request and transfer are filled. */
void fl_held_ask(struct fl_run *run, uint64_t caps, struct flame_request *request);
/* The listener of a fetch: drops the bytes that what comes does not go on from. Fails with CHANGED
 * when they have left already, or are of another version. */
int32_t fl_held_reported(void *data, const struct flame_transfer *transfer,
                         struct flame_error *err) FL_CHECK;
/* The bytes are worth nothing: begin again. Fails with CHANGED when they have left already. */
int32_t fl_held_drop(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* The file ends here for now: note in its state what is there. Returns whether a later run can go
 * on from it. */
bool fl_held_leave(struct fl_run *run, int32_t status);
void fl_held_done(struct fl_held *held);

/* ---- output.c, in order ---- */

/* Judge and open the destination. Fails as fl_publish_open() does. */
int32_t fl_output_open(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* Is the expected digest that of the file at the destination? Sets is_cached. */
int32_t fl_output_check_current(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* Wait for other processes that make the same. Sets is_joined (and is_cached) when one has. Fails
 * with LOCKED, CANCELLED, TIMEOUT. */
int32_t fl_output_lock(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* The sink, empty. */
int32_t fl_output_begin(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* Have bytes left that nobody can take back? */
bool fl_output_is_committed(const struct fl_run *run);
/* All bytes are there: finish the digest and compare it. Fails with DIGEST. */
int32_t fl_output_check_digest(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* What was spooled goes where it was meant to go. */
int32_t fl_output_drain(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* The caller's verify, the result, then publish or hand over. */
int32_t fl_output_complete(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* Close all of it. Returns whether something was left that a later run can go on from. */
bool fl_output_done(struct fl_run *run, int32_t status);

/* ---- parts.c ---- */

/* May this fetch be done in parts? */
bool fl_parts_wanted(const struct fl_run *run, uint64_t caps);
/* The first part has come: fetch the rest, several parts at a time. After a failure the sink has
 * what is contiguous, and the rest can be fetched in one. */
int32_t fl_parts_fetch_rest(struct fl_run *run, struct flame_error *err) FL_CHECK;

/* ---- checksum.c ---- */

/* Fetch the task's file of checksums and find the digest in it. */
int32_t fl_checksum_settle(struct fl_run *run, struct flame_error *err) FL_CHECK;

/* ---- child.c ---- */

/* A task of the core's own for the sake of another: the same setup, cancel token, clocks and
 * retries; headers and secrets only if its url is at the other's origin. `result` may be NULL. */
int32_t fl_child_run(struct fl_run *parent, uint32_t verb, struct flame_task *task,
                     struct flame_result *result, struct flame_error *err) FL_CHECK;

/* ---- store.c ---- */

int32_t fl_store_open(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* The request of a store, a remove or a list. Fails with UNSUPPORTED. */
int32_t fl_store_ask(struct fl_run *run, uint64_t caps, struct flame_request *request,
                     struct flame_error *err) FL_CHECK;
/* May the verb be tried again after this failure without doing anything twice? */
bool fl_store_may_repeat(const struct fl_run *run, const struct flame_error *reason);
/* The clocks or the caller have stopped it when the peer may have done it already: UNKNOWN_OUTCOME.
 */
bool fl_store_may_be_done(const struct fl_run *run, const struct flame_error *reason);
/* create only: is something there already? Not every peer knows conditions. Fails with EXISTS. */
int32_t fl_store_look_first(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* The slot has said OK: was it stored? Fails with UNKNOWN_OUTCOME, CHANGED. */
int32_t fl_store_confirm(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* The listener of a list. */
int32_t fl_store_listed(void *data, const struct flame_transfer *transfer, struct flame_error *err);

/* ---- result.c ---- */

/* Make run->result of what is known, with strings of its own. Fails with NO_MEMORY. */
int32_t fl_result_prepare(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* One entry of a list: the object just reported. Fails with NO_MEMORY. */
int32_t fl_result_entry(const struct fl_run *run, const struct flame_transfer *transfer,
                        struct flame_result *out, struct flame_error *err) FL_CHECK;
/* A copy with strings of its own, of full size. Fails with NO_MEMORY. */
int32_t fl_result_copy(const struct flame_result *from, struct flame_result *to,
                       struct flame_error *err) FL_CHECK;
/* Is the caller's struct large enough to own what it gets? INVALID. NULL is. */
int32_t fl_result_check(const struct flame_result *said, struct flame_error *err) FL_CHECK;
/* Move to the caller's struct, which may be shorter, or NULL; `from` is empty after it. */
void fl_result_give(struct flame_result *from, struct flame_result *to);

/* ---- progress.c ---- */

/* Where it stands now. Any thread, while the run lives. */
void fl_progress_read(const struct fl_run *run, struct flame_progress *out);

#endif
