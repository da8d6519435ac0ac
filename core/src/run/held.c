/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/text.h"
#include "request/repr_digest.h"
#include "transfer/body.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PARTIAL_MIN_BYTES (8u << 20) /* less is sooner fetched again than looked after */

static bool has_digest(const struct fl_run *run)
{
    return run->expected.kind != FL_DIGEST_NONE;
}

/* ---- remembering ----------------------------------------------------------------------------- */

/* From now on the digest alone vouches for the whole. */
static void forget_validator(struct fl_held *held)
{
    free(held->validator);
    free(held->place);
    held->validator = held->place = NULL;
}

static void forget_version(struct fl_held *held)
{
    forget_validator(held);
    held->total = UINT64_MAX;
}

void fl_held_done(struct fl_held *held)
{
    forget_version(held);
}

/* An etag tells versions of one resource apart, not resources: many are made of time and size. So
 * it is held to where it was said: the url that was asked for, and the origin and path that it led
 * to (a redirect's query may be a signature, new each time). NULL = no memory. */
static char *present_place(const struct fl_run *run)
{
    const struct fl_url *hop = &run->hop.url;
    const char *source =
        run->retry.source == 0 ? run->task.url.text : run->task.said.mirrors[run->retry.source - 1];
    char text[FL_DIGEST_TEXT_MAX];
    struct fl_digest digest;
    struct fl_hash hash;

    fl_hash_init(&hash, FL_DIGEST_SHA256);
    fl_hash_update(&hash, source, strlen(source) + 1);
    fl_hash_update(&hash, hop->path, strlen(hop->path));
    fl_hash_final(&hash, &digest);
    fl_digest_format(&digest, text);
    return fl_format("%s %s", hop->origin, text);
}

static bool is_same_place(const struct fl_run *run)
{
    fl_auto_free char *now = run->held.validator ? present_place(run) : NULL;

    return now && strcmp(run->held.place, now) == 0;
}

/* Without memory nothing is remembered: then a further try begins at 0. */
static void remember_version(struct fl_run *run, const struct flame_object *object)
{
    struct fl_held *held = &run->held;

    forget_version(held);
    if (object->flags & FLAME_OBJECT_SIZE)
        held->total = object->total_size;
    if (!(object->flags & FLAME_OBJECT_STRONG) || !object->validator)
        return;
    held->validator = strdup(object->validator);
    held->place = present_place(run);
    if (!held->validator || !held->place)
        forget_version(held);
}

/* ---- beginning again ------------------------------------------------------------------------- */

static void tell_restart(struct fl_run *run)
{
    struct flame_event event = FLAME_INIT(flame_event);
    fl_auto_free char *to = run->hop.url.text ? fl_url_redact(run->hop.url.text) : NULL;

    event.kind = FLAME_EVENT_RESTART;
    event.to = to;
    event.offset = fl_sink_size(run->sink);
    fl_run_tell(run, &event);
}

static int32_t cut_file(struct fl_run *run, struct flame_error *err)
{
    if (run->publish)
        return fl_publish_restart(run->publish, err);
    if (run->spool_fd >= 0 && TEMP_FAILURE_RETRY(ftruncate(run->spool_fd, 0)) != 0)
        return fl_fail_errno(err, errno, "cannot cut the spool file");
    return FLAME_OK;
}

int32_t fl_held_drop(struct fl_run *run, struct flame_error *err)
{
    int32_t status;

    if (!run->sink || fl_sink_size(run->sink) == 0)
        return FLAME_OK;
    if (fl_output_is_committed(run))
        return fl_fail(err, FLAME_ERR_CHANGED,
                       "the peer cannot go on at byte %" PRIu64 ", and what came before has left",
                       fl_sink_size(run->sink));
    tell_restart(run);
    forget_version(&run->held);
    run->held.resumed = 0;
    run->held.is_kept = false;
    atomic_store(&run->shown.resumed, 0);
    atomic_store(&run->shown.in_parts, 0);
    status = fl_sink_restart(run->sink, err);
    return status == FLAME_OK ? cut_file(run, err) : status;
}

/* ---- what an earlier run left ---------------------------------------------------------------- */

static bool is_of_this_task(const struct fl_run *run, const struct fl_partial *partial)
{
    char expected[FL_DIGEST_TEXT_MAX] = "";

    if (has_digest(run))
        fl_digest_format(&run->expected, expected);
    if (partial->digest[0] && expected[0])
        return strcmp(partial->digest, expected) == 0;
    return partial->validator[0] != '\0';
}

static void tell_resume(struct fl_run *run, uint64_t size)
{
    struct flame_event event = FLAME_INIT(flame_event);
    fl_auto_free char *to = fl_url_redact(run->task.url.text);

    event.kind = FLAME_EVENT_RESUME;
    event.to = to;
    event.offset = size;
    fl_run_tell(run, &event);
}

static void take_over(struct fl_run *run, const struct fl_partial *partial, uint64_t usable)
{
    struct fl_held *held = &run->held;

    /* The last byte is asked for in any case: that the peer has it proves the version. */
    if (partial->total > 0 && usable >= partial->total)
        usable = partial->total - 1;
    held->partial = *partial;
    held->is_kept = true;
    held->total = partial->total > 0 ? partial->total : UINT64_MAX;
    held->resumed = usable;
    if (!partial->validator[0])
        return;
    held->validator = strdup(partial->validator);
    held->place = strdup(partial->origin);
    if (!held->validator || !held->place)
        forget_version(held);
}

int32_t fl_held_find(struct fl_run *run, struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);
    struct fl_partial partial;
    uint64_t usable = 0;
    int32_t status = fl_publish_adopt(run->publish, &partial, &usable, &reason);

    if (status == FLAME_OK && !is_of_this_task(run, &partial))
        return fl_publish_restart(run->publish, err);
    if (status == FLAME_OK)
        take_over(run, &partial, usable);
    else if (status != FLAME_ERR_NOT_FOUND)
        fl_host_log(&run->setup->core, FLAME_LOG_WARN, "%s", reason.message);
    return FLAME_OK;
}

int32_t fl_held_adopt(struct fl_run *run, struct flame_error *err)
{
    uint64_t size = run->held.resumed;
    int32_t status;

    if (size == 0)
        return FLAME_OK;
    atomic_store(&run->shown.resumed, size);
    status = fl_sink_adopt(run->sink, size, err);
    if (status == FLAME_OK)
        tell_resume(run, size);
    return status;
}

/* ---- asking for the rest --------------------------------------------------------------------- */

/* Can a plugin with these caps, at this hop, go on from what is there? */
static bool can_continue(const struct fl_run *run, uint64_t caps)
{
    if (!(caps & FLAME_CAN_RANGE))
        return false;
    return ((caps & FLAME_CAN_SAME) && is_same_place(run)) ||
           (has_digest(run) && !fl_output_is_committed(run));
}

static void ask_for_rest(struct fl_run *run, uint64_t caps, struct flame_request *request)
{
    request->offset = fl_sink_size(run->sink);
    if (!(caps & FLAME_CAN_SAME) || !is_same_place(run))
        return;
    request->validator = run->held.validator;
    request->condition = FLAME_WHEN_SAME;
}

/* Who cannot go on is asked for the whole; what is held is dropped only when the whole comes, for
 * the answer may be a redirect to where the rest is. */
void fl_held_ask(struct fl_run *run, uint64_t caps, struct flame_request *request)
{
    bool is_empty = fl_sink_size(run->sink) == 0;

    if (!is_empty && can_continue(run, caps))
        ask_for_rest(run, caps, request);
    else if (is_empty && fl_parts_wanted(run, caps))
        request->length = run->task.part_min_size;
    run->transfer.offset = request->offset;
    run->transfer.length = request->length;
    atomic_store(&run->transfer.base, request->offset);
}

/* ---- what is about to come ------------------------------------------------------------------- */

static bool has_advice(const struct flame_transfer *transfer, struct fl_digest *advice)
{
    const char *field = fl_pairs_get(&transfer->metadata, FLAME_META_REPR_DIGEST);

    return field && fl_repr_digest_parse(field, advice);
}

/* Than what was said of the same version before. */
static bool states_another_digest(const struct fl_run *run, const struct flame_transfer *transfer)
{
    struct fl_digest stated;

    return run->advice.kind != FL_DIGEST_NONE && has_advice(transfer, &stated) &&
           stated.kind == run->advice.kind && !fl_digest_equal(&stated, &run->advice);
}

/* The body goes on where we stopped: is it the rest of the same version? */
static int32_t judge_rest(struct fl_run *run, const struct flame_transfer *transfer,
                          struct flame_error *err)
{
    struct fl_held *held = &run->held;
    const struct flame_object *object = &transfer->object;
    bool is_comparable =
        (object->flags & FLAME_OBJECT_STRONG) && object->validator && is_same_place(run);
    bool has_total = held->total != UINT64_MAX && (object->flags & FLAME_OBJECT_SIZE);

    if (is_comparable && strcmp(held->validator, object->validator) != 0)
        return fl_fail(err, FLAME_ERR_CHANGED, "the object is another version now");
    if (has_total && held->total != object->total_size)
        return fl_fail(err, FLAME_ERR_CHANGED, "the object has another size now");
    if (!has_digest(run) && states_another_digest(run, transfer))
        return fl_fail(err, FLAME_ERR_CHANGED, "the object has another digest now");
    if (!is_comparable && !has_digest(run))
        return fl_fail(err, FLAME_ERR_CHANGED,
                       "nothing shows that the object is still the same version");
    if (!is_comparable)
        forget_validator(held);
    return FLAME_OK;
}

/* Where the rest ends is where the whole ends, whichever of them told. */
static void settle_total(struct fl_run *run, const struct flame_object *object)
{
    struct fl_held *held = &run->held;

    if (object->flags & FLAME_OBJECT_SIZE)
        held->total = object->total_size;
    else if (held->total != UINT64_MAX)
        atomic_store(&run->transfer.total, held->total);
}

/* What the peer says of the bytes is advice; it is compared all the same. What it says with the
 * first byte counts to the last. */
static int32_t take_advice(struct fl_run *run, const struct flame_transfer *transfer,
                           struct flame_error *err)
{
    if (fl_sink_size(run->sink) > 0)
        return FLAME_OK;
    run->advice.kind = FL_DIGEST_NONE;
    if (has_digest(run) || !has_advice(transfer, &run->advice))
        return FLAME_OK;
    return fl_sink_set_digest(run->sink, run->advice.kind, err);
}

static int32_t make_room(struct fl_run *run, uint64_t total, struct flame_error *err)
{
    return run->publish && total > 0 ? fl_publish_expect(run->publish, total, err) : FLAME_OK;
}

/* A kill shall not cost what came so far, if it can be gone on from and is worth it. */
static void keep_by_name(struct fl_run *run, uint64_t total)
{
    struct fl_held *held = &run->held;
    struct fl_partial *partial = &held->partial;
    struct flame_error ignored = FLAME_INIT(flame_error);

    if (!run->lock || !run->publish || (run->task.said.flags & FLAME_TASK_NO_RESUME) ||
        total < PARTIAL_MIN_BYTES || (!held->validator && !has_digest(run)))
        return;
    if (!held->is_kept)
        *partial = (struct fl_partial){.prefix = UINT64_MAX};
    (void)snprintf(partial->validator, sizeof(partial->validator), "%s",
                   held->validator ? held->validator : "");
    (void)snprintf(partial->origin, sizeof(partial->origin), "%s", held->place ? held->place : "");
    partial->digest[0] = '\0';
    if (has_digest(run))
        fl_digest_format(&run->expected, partial->digest);
    partial->total = total;
    held->is_kept = fl_publish_keep(run->publish, partial, &ignored) == FLAME_OK;
    if (!held->is_kept)
        fl_host_log(&run->setup->core, FLAME_LOG_WARN, "%s", ignored.message);
}

int32_t fl_held_reported(void *data, const struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_run *run = data;
    const struct flame_object *object = &transfer->object;
    bool goes_on = transfer->offset > 0 && object->offset == transfer->offset;
    int32_t status = goes_on ? judge_rest(run, transfer, err) : fl_held_drop(run, err);
    uint64_t total;

    if (status == FLAME_OK && goes_on)
        settle_total(run, object);
    total = atomic_load(&transfer->total);
    if (status == FLAME_OK)
        status = make_room(run, total, err);
    if (status != FLAME_OK)
        return status;
    if (object->offset == 0)
        remember_version(run, object);
    keep_by_name(run, total);
    return take_advice(run, transfer, err);
}

/* ---- leaving --------------------------------------------------------------------------------- */

/* What a later run may go on from. */
static bool is_worth_keeping(int32_t status)
{
    switch (status) {
    case FLAME_ERR_CANCELLED:
    case FLAME_ERR_TIMEOUT:
    case FLAME_ERR_NETWORK:
    case FLAME_ERR_TRUNCATED:
    case FLAME_ERR_BUSY:
    case FLAME_ERR_REMOTE:
    case FLAME_ERR_AUTH:
    case FLAME_ERR_TLS:
        return true;
    default:
        return false;
    }
}

bool fl_held_leave(struct fl_run *run, int32_t status)
{
    struct flame_error ignored = FLAME_INIT(flame_error);
    bool leaves = run->publish && run->held.is_kept && is_worth_keeping(status) &&
                  fl_sink_flush(run->sink, &ignored) == FLAME_OK && fl_sink_size(run->sink) > 0;

    if (run->publish)
        fl_publish_leave(run->publish, leaves);
    return leaves;
}
