/* SPDX-License-Identifier: Apache-2.0 */
/* One task on its way, from the caller's struct to the published file. run.c tells the story;
 * attempt.c is the part with plugins, output.c the part with files.
 *
 * All of it happens on one thread of the core; the caller's thread only serves its callbacks, and
 * reads the atomics of `watch` and `transfer` for the progress. */
#ifndef FL_RUN_RUN_H
#define FL_RUN_RUN_H

#include "publish/publish.h"
#include "run/flame.h"
#include "transfer/exchange.h"

struct fl_run {
    struct flame *flame;
    const struct flame_task *said; /* the caller's struct; `task.said` is our copy */
    uint32_t verb;
    struct fl_task task;
    struct fl_hop hop;
    struct fl_watch watch;
    struct flame_transfer transfer;
    struct fl_exchange exchange;
    struct fl_digest expected; /* the task's, or what a redirect bound */
    uint64_t bound_size;       /* what a redirect promised; UINT64_MAX = nothing */

    struct fl_publish *publish; /* to a path */
    int spool_fd;               /* spooled; else -1 */
    struct fl_sink *sink;
    struct fl_digest actual;       /* of the bytes written; NONE = not asked for */
    struct fl_result_owner *owner; /* of the result's texts: made before anything is published */

    struct fl_pool_job job;
    int32_t status;
    struct flame_error err;
    bool is_cached;              /* the destination was right already */
    uint64_t cached_size;        /* of that file */
    struct flame_progress shown; /* the last progress that the caller saw */
};

/* attempt.c: load the plugin, run its slot, follow redirects. OK: the bytes are in the sink. */
int32_t fl_attempt(struct fl_run *run, struct flame_error *err) FL_CHECK;

/* output.c, in order: */
/* Judge and open the destination. Fails as fl_publish_open() does. */
int32_t fl_output_open(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* Is the expected digest that of the file at the destination? Sets is_cached. */
int32_t fl_output_check_current(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* A fresh sink on the still empty destination. */
int32_t fl_output_begin(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* All bytes are there: digest, the caller's verify, a last look at the cancel token. */
int32_t fl_output_verify(struct fl_run *run, struct flame_error *err) FL_CHECK;
/* Publish or hand over. After it nothing can fail any more. */
int32_t fl_output_publish(struct fl_run *run, struct flame_error *err) FL_CHECK;
void fl_output_done(struct fl_run *run);

/* result.c: all that the result needs memory for; then the result, which takes that over. */
int32_t fl_result_prepare(struct fl_run *run, struct flame_error *err) FL_CHECK;
void fl_result_give(struct fl_run *run, struct flame_result *out);
void fl_result_free(struct fl_result_owner *owner);

/* progress.c: about ten times a second on the caller's thread; `final` once for the last byte. */
void fl_progress_show(struct fl_run *run, bool final);

#endif
