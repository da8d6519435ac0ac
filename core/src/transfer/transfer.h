/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer: one call of one slot of one plugin, and what came of it.
 *
 * The plugin sees it through the host table (host.h) only. It collects what the plugin states and
 * takes its bytes; it refuses what the task does not want; and when the slot has returned, it is
 * judged (fl_transfer_judge): never by the plugin's word alone.
 *
 * The plugin's calls for one transfer come one after another, on any thread; the atomics are read
 * by those who show progress. */
#ifndef FL_TRANSFER_TRANSFER_H
#define FL_TRANSFER_TRANSFER_H

#include "request/hop.h"
#include "sink/sink.h"
#include "transfer/pace.h"
#include "transfer/source.h"
#include "transfer/watch.h"

#define FL_METADATA_MAX 64         /* pairs */
#define FL_METADATA_NAME_MAX 64    /* bytes */
#define FL_METADATA_VALUE_MAX 2048 /* bytes */

/* A flag of struct flame_error that never leaves the core: the plugin said whether to retry. */
#define FL_ERROR_RETRYABLE_SAID 0x80000000u

struct flame_transfer;

/* Who hears what the plugin reports. Both may be NULL. */
struct fl_listener {
    /* fetch: the body that is about to come; zero if the plugin reported nothing. Decides whether
     * it fits what is there already: fails with CHANGED, LIMIT, NO_SPACE, PROTOCOL, ... */
    int32_t (*reported)(void *data, const struct flame_transfer *transfer, struct flame_error *err);
    /* list: one entry with its metadata. ENOUGH: no further one; or a failure. */
    int32_t (*listed)(void *data, const struct flame_transfer *transfer, struct flame_error *err);
    void *data;
};

/* What the host refused, and why, is kept apart from what the plugin says. */
struct flame_transfer {
    const struct fl_task *task;
    const struct fl_hop *hop;
    const struct fl_config *config;
    struct fl_watch *watch;
    struct fl_sink *sink;     /* fetch; else NULL */
    struct fl_source *source; /* store; else NULL */
    struct fl_pace *paces[2]; /* of the task and of the context; NULL = none */
    struct fl_listener listener;
    _Atomic uint64_t *also_counted; /* body bytes are added here too; or NULL */
    uint64_t offset;                /* fetch: asked for from here on */
    uint64_t length;                /* fetch: so many bytes; 0 = to the end */
    uint64_t bound_size; /* what a redirect promised of the target; UINT64_MAX = nothing */
    bool is_conditional; /* fetch, stat: NOT_MODIFIED is an answer */
    bool has_digest;     /* one is expected, so that it decides what the body is worth */

    struct flame_error said;    /* the plugin's error handle */
    struct flame_error refusal; /* the host's; its status is the verdict, OK = none */
    struct flame_object object; /* reported; strings owned */
    bool is_reported;
    bool is_prepared; /* sizes judged, listener told */
    bool has_enough;  /* list: no further entry */
    struct fl_pairs metadata;
    char *cursor; /* list: where it stopped, or NULL */
    bool is_finished;
    uint32_t proof;
    _Atomic uint64_t base;     /* bytes held before this body */
    _Atomic uint64_t received; /* body bytes of this attempt, or those sent */
    atomic_bool lends_source;  /* the plugin has a descriptor of it: only it knows what was sent */
    _Atomic uint64_t total;    /* of the whole object; 0 = unknown */
};

/* Forget what an earlier attempt stated; what the host has set stays. */
void fl_transfer_reset(struct flame_transfer *transfer);
void fl_transfer_done(struct flame_transfer *transfer);

/* The host refuses: note why, once, and return the status that the plugin shall return. */
int32_t fl_transfer_refuse(struct flame_transfer *transfer, int32_t status, const char *format, ...)
    FL_PRINTF(3, 4);

/* Still wanted? OK, or the verdict, CANCELLED, TIMEOUT. */
int32_t fl_transfer_wanted(struct flame_transfer *transfer);

/* Has the plugin said what proves that this was all? */
bool fl_transfer_is_complete(const struct flame_transfer *transfer);

/* What a slot's return value is worth, after all the plugin has stated and the host has seen.
 * Returns OK, NOT_MODIFIED, REDIRECT (object.url says where), or a failure with the reason in
 * `err`, complete with phase and details, secrets removed. */
int32_t fl_transfer_judge(struct flame_transfer *transfer, int32_t returned,
                          struct flame_error *err) FL_CHECK;

#endif
