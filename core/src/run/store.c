/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "request/repr_digest.h"

#include <inttypes.h>

int32_t fl_store_open(struct fl_run *run, struct flame_error *err)
{
    const struct flame_task *said = &run->task.said;
    uint64_t limit = run->task.limits.max_bytes;
    uint64_t size = 0;
    int32_t status = fl_source_open(said->path, said->fd, &run->source, err);

    if (status == FLAME_OK && fl_source_size(&run->source, &size) && size > limit)
        status = fl_fail(err, FLAME_ERR_LIMIT,
                         "%" PRIu64 " bytes are more than the limit of %" PRIu64, size, limit);
    return status;
}

/* ---- the outcome ----------------------------------------------------------------------------- */

/* Was it all sent, so that the peer may have done it although nobody heard of it? */
bool fl_store_may_be_done(const struct fl_run *run, const struct flame_error *reason)
{
    bool was_stopped = reason->status == FLAME_ERR_TIMEOUT || reason->status == FLAME_ERR_CANCELLED;

    if (!was_stopped)
        return false;
    if (run->verb == FLAME_STORE)
        return reason->phase >= FLAME_PHASE_FINISH && fl_source_is_spent(&run->source);
    return run->verb == FLAME_REMOVE && reason->phase >= FLAME_PHASE_WAIT;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static int32_t unsupported(const struct fl_run *run, const char *what, struct flame_error *err)
{
    return fl_fail(err, FLAME_ERR_UNSUPPORTED, "plugin '%s' cannot %s",
                   fl_plugin_id(run->hop.plugin), what);
}

static int32_t ask_condition(struct fl_run *run, uint64_t caps, struct flame_request *request,
                             struct flame_error *err)
{
    const struct flame_task *said = &run->task.said;

    if (run->verb == FLAME_STORE && (said->flags & FLAME_TASK_KEEP)) {
        request->condition = FLAME_WHEN_ABSENT;
        return caps & FLAME_CAN_STORE_ABSENT ? FLAME_OK : unsupported(run, "create only", err);
    }
    if (!said->validator)
        return FLAME_OK;
    request->condition = FLAME_WHEN_SAME;
    request->validator = said->validator;
    return caps & FLAME_CAN_STORE_SAME ? FLAME_OK : unsupported(run, "insist on one version", err);
}

static int32_t ask_store(struct fl_run *run, uint64_t caps, struct flame_request *request,
                         struct flame_error *err)
{
    if (!fl_source_rewind(&run->source))
        return fl_fail(err, FLAME_ERR_UNSUPPORTED, "a stream cannot be sent a second time");
    if (fl_source_size(&run->source, &request->source_size))
        request->flags |= FLAME_REQUEST_SOURCE_SIZE;
    else if (!(caps & FLAME_CAN_STORE_STREAM))
        return unsupported(run, "store what has no known size", err);
    if (run->task.said.flags & FLAME_TASK_CREATE_DIRS)
        request->flags |= FLAME_REQUEST_CREATE_DIRS;
    atomic_store(&run->transfer.total, request->source_size);
    return ask_condition(run, caps, request, err);
}

int32_t fl_store_ask(struct fl_run *run, uint64_t caps, struct flame_request *request,
                     struct flame_error *err)
{
    const struct flame_task *said = &run->task.said;

    if (run->verb == FLAME_STORE)
        return ask_store(run, caps, request, err);
    if (run->verb == FLAME_LIST) {
        request->cursor = said->cursor;
        request->max_entries =
            run->task.max_entries < UINT32_MAX ? (uint32_t)run->task.max_entries : 0;
        return FLAME_OK;
    }
    if (said->flags & FLAME_TASK_PREFIX) {
        request->flags |= FLAME_REQUEST_PREFIX;
        if (!(caps & FLAME_CAN_REMOVE_PREFIX))
            return unsupported(run, "remove by prefix", err);
    }
    return ask_condition(run, caps, request, err);
}

/* ---- again? ---------------------------------------------------------------------------------- */

/* The peer has said no, or never heard of it. */
static bool is_certainly_not_done(const struct flame_error *reason)
{
    return reason->phase < FLAME_PHASE_WAIT ||
           (reason->flags & (FLAME_ERROR_HAS_HTTP | FLAME_ERROR_HAS_GRPC)) != 0;
}

bool fl_store_may_repeat(const struct fl_run *run, const struct flame_error *reason)
{
    const struct flame_task *said = &run->task.said;
    bool is_conditional = said->validator || (said->flags & FLAME_TASK_KEEP);

    if (reason->status == FLAME_ERR_UNKNOWN_OUTCOME || reason->status == FLAME_ERR_CHANGED)
        return false; /* neither the source nor the version that is gone will come back */
    switch (run->verb) {
    case FLAME_LIST:
        return run->listed == 0;
    case FLAME_STORE:
        return (run->source.is_file || run->source.position == 0) &&
               (!is_conditional || is_certainly_not_done(reason));
    default:
        return is_certainly_not_done(reason);
    }
}

/* ---- was it done? ---------------------------------------------------------------------------- */

/* What the peer has there now. */
static int32_t look(struct fl_run *run, struct flame_result *result, struct flame_error *err)
{
    const char *named = run->verb == FLAME_STORE ? run->transfer.object.url : NULL;
    struct flame_task task = FLAME_INIT(flame_task);
    fl_auto_free char *url = NULL;

    if (named && fl_url_resolve(&run->hop.url, named, &url, NULL) == FLAME_OK)
        task.url = url;
    else
        task.url = run->hop.url.text;
    (void)fl_watch_rearm(&run->watch); /* a clock of the attempt that is over stops no look */
    return fl_child_run(run, FLAME_STAT, &task, result, err);
}

int32_t fl_store_look_first(struct fl_run *run, struct flame_error *err)
{
    struct flame_error ignored = FLAME_INIT(flame_error);
    struct flame_task task = FLAME_INIT(flame_task);

    if (!(run->task.said.flags & FLAME_TASK_KEEP))
        return FLAME_OK;
    task.url = run->task.url.text;
    if (fl_child_run(run, FLAME_STAT, &task, NULL, &ignored) != FLAME_OK)
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_EXISTS, "something is there already");
}

/* The digest of the source is the one that the peer states. */
static bool is_proven_by_digest(const struct fl_run *run, const struct flame_result *there)
{
    const char *field = fl_list_get(there->metadata, FLAME_META_REPR_DIGEST);
    struct fl_digest stated = {.kind = FL_DIGEST_NONE};
    struct fl_digest ours;

    return field && run->source.is_file && fl_repr_digest_parse(field, &stated) &&
           fl_digest_file(run->source.fd, stated.kind, NULL, &ours, NULL) == FLAME_OK &&
           fl_digest_equal(&stated, &ours);
}

static int32_t fail_unknown(struct flame_error *err, const char *what)
{
    fl_error_reset(err);
    return fl_fail(err, FLAME_ERR_UNKNOWN_OUTCOME, "%s", what);
}

/* The peer has confirmed; where it can be asked, what it has must agree. */
static int32_t judge_confirmed(const struct fl_run *run, int32_t looked,
                               const struct flame_result *there, struct flame_error *err)
{
    if (looked == FLAME_ERR_NOT_FOUND)
        return fail_unknown(err, "the peer says that it is stored, and then that it is not there");
    if (looked == FLAME_OK && (there->flags & FLAME_RESULT_SIZE) && there->size != run->size)
        return fl_fail(err, FLAME_ERR_UNKNOWN_OUTCOME,
                       "the peer has %" PRIu64 " bytes there instead of the %" PRIu64 " sent",
                       there->size, run->size);
    return FLAME_OK;
}

static int32_t confirm_store(struct fl_run *run, struct flame_error *err)
{
    struct flame_error ignored = FLAME_INIT(flame_error);
    struct flame_result there = FLAME_INIT(flame_result);
    bool is_confirmed = fl_transfer_is_complete(&run->transfer);
    int32_t status = fl_source_check(&run->source, err);
    int32_t looked;

    run->size = run->source.position;
    if (status != FLAME_OK || (is_confirmed && run->transfer.proof == FLAME_PROOF_VERIFIED))
        return status;
    looked = look(run, &there, &ignored);
    if (is_confirmed)
        status = judge_confirmed(run, looked, &there, err);
    else if (looked != FLAME_OK || !is_proven_by_digest(run, &there))
        status = fail_unknown(err, "the peer has not confirmed that it was stored");
    flame_result_done(&there);
    return status;
}

static int32_t confirm_remove(struct fl_run *run, struct flame_error *err)
{
    struct flame_error ignored = FLAME_INIT(flame_error);
    struct flame_result there = FLAME_INIT(flame_result);
    int32_t looked;

    if (fl_transfer_is_complete(&run->transfer))
        return FLAME_OK;
    looked = look(run, &there, &ignored);
    flame_result_done(&there);
    if (looked == FLAME_ERR_NOT_FOUND)
        return FLAME_OK;
    return fail_unknown(err, "the peer has not confirmed that it was removed");
}

int32_t fl_store_confirm(struct fl_run *run, struct flame_error *err)
{
    if (run->verb == FLAME_STORE)
        return confirm_store(run, err);
    return run->verb == FLAME_REMOVE ? confirm_remove(run, err) : FLAME_OK;
}

/* ---- lists ----------------------------------------------------------------------------------- */

struct told {
    const struct flame_task *said;
    const struct flame_result *entry;
};

static int32_t call_entry(void *data)
{
    const struct told *told = data;

    return told->said->entry(told->said->data, told->entry);
}

int32_t fl_store_listed(void *data, const struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_run *run = data;
    struct flame_result entry = FLAME_INIT(flame_result);
    struct told told = {.said = &run->task.said, .entry = &entry};
    int32_t status = fl_result_entry(run, transfer, &entry, err);
    int32_t answer;

    if (status != FLAME_OK)
        return status;
    answer = fl_exchange_ask(run->exchange, call_entry, &told);
    flame_result_done(&entry);
    run->listed++;
    return answer != 0 || run->listed >= run->task.max_entries ? FLAME_ENOUGH : FLAME_OK;
}
