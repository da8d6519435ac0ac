/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/transfer.h"

#include "request/secret.h"
#include "transfer/body.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fl_transfer_reset(struct flame_transfer *transfer)
{
    fl_object_done(&transfer->object);
    fl_pairs_done(&transfer->metadata, false);
    transfer->said = FLAME_INIT(flame_error);
    transfer->refusal = FLAME_INIT(flame_error);
    transfer->is_reported = false;
    transfer->is_prepared = false;
    transfer->has_enough = false;
    free(transfer->cursor);
    transfer->cursor = NULL;
    transfer->is_finished = false;
    transfer->proof = FLAME_PROOF_NONE;
    atomic_store(&transfer->total, 0);
    atomic_store(&transfer->received, 0);
    atomic_store(&transfer->lends_source, false);
}

void fl_transfer_done(struct flame_transfer *transfer)
{
    fl_transfer_reset(transfer);
}

int32_t fl_transfer_refuse(struct flame_transfer *transfer, int32_t status, const char *format, ...)
{
    char message[sizeof(transfer->refusal.message)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    (void)fl_fail(&transfer->refusal, status, "%s", message);
    return transfer->refusal.status;
}

int32_t fl_transfer_wanted(struct flame_transfer *transfer)
{
    if (transfer->refusal.status != FLAME_OK)
        return transfer->refusal.status;
    return fl_watch_status(transfer->watch);
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static bool is_known_failure(int32_t status)
{
    return status >= FLAME_FIRST_FAILURE && status <= FLAME_ERR_INTERNAL;
}

static int32_t plugin_fault(struct flame_error *err, const char *what, int32_t number)
{
    return fl_fail(err, FLAME_ERR_PLUGIN, "the plugin %s (%d)", what, number);
}

/* The plugin's own failure, in its own words. */
static int32_t take_failure(const struct flame_transfer *transfer, int32_t returned,
                            struct flame_error *err)
{
    int32_t status = transfer->said.status != FLAME_OK ? transfer->said.status : returned;

    if (!is_known_failure(status))
        return plugin_fault(err, "failed with an unknown status", status);
    *err = transfer->said;
    if (status == FLAME_ERR_IO)
        err->flags |= FLAME_ERROR_SOURCE; /* ours are refusals: a plugin reads, it never writes */
    if (transfer->said.status == FLAME_OK)
        return fl_fail(err, status, "%s (the plugin gave no reason)", flame_status_text(status));
    return status;
}

/* As many bytes as were announced? */
static int32_t judge_announced(const struct flame_transfer *transfer, struct flame_error *err)
{
    uint64_t received = transfer->received;
    uint64_t announced = 0;

    if (!fl_body_size(&transfer->object, &announced) || received == announced)
        return FLAME_OK;
    if (received < announced)
        return fl_fail(err, FLAME_ERR_TRUNCATED, "only %" PRIu64 " of %" PRIu64 " bytes came",
                       received, announced);
    return fl_fail(err, FLAME_ERR_PROTOCOL, "%" PRIu64 " bytes came instead of %" PRIu64, received,
                   announced);
}

/* All that was asked for, to the end or a part from the middle? (A first part may be the whole.) */
static int32_t judge_extent(const struct flame_transfer *transfer, struct flame_error *err)
{
    uint64_t received = transfer->received;
    uint64_t whole = transfer->base + received;

    if (transfer->length != 0 && transfer->offset != 0 && received < transfer->length)
        return fl_fail(err, FLAME_ERR_TRUNCATED,
                       "only %" PRIu64 " of the %" PRIu64 " bytes that were asked for came",
                       received, transfer->length);
    if (transfer->length != 0)
        return FLAME_OK;
    if (whole < transfer->total)
        return fl_fail(err, FLAME_ERR_TRUNCATED, "the body ends at byte %" PRIu64 " of %" PRIu64,
                       whole, transfer->total);
    if (transfer->bound_size != UINT64_MAX && whole != transfer->bound_size)
        return fl_fail(err, FLAME_ERR_CHANGED,
                       "%" PRIu64 " bytes instead of the %" PRIu64 " that were promised", whole,
                       transfer->bound_size);
    return FLAME_OK;
}

bool fl_transfer_is_complete(const struct flame_transfer *transfer)
{
    return transfer->is_finished &&
           (transfer->proof == FLAME_PROOF_COMPLETE || transfer->proof == FLAME_PROOF_VERIFIED);
}

/* OK of a fetch: is it the whole body? */
static int32_t judge_body(const struct flame_transfer *transfer, struct flame_error *err)
{
    bool is_proven = fl_transfer_is_complete(transfer);
    int32_t status = judge_announced(transfer, err);

    if (status == FLAME_OK)
        status = judge_extent(transfer, err);
    if (status != FLAME_OK)
        return status;
    if (is_proven || transfer->has_digest ||
        (transfer->task->said.flags & FLAME_TASK_ALLOW_UNPROVEN))
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_UNPROVEN,
                   "nothing proves that these %" PRIu64 " bytes are all; give a digest",
                   transfer->received);
}

static int32_t judge_redirect(const struct flame_transfer *transfer, struct flame_error *err)
{
    if (!transfer->object.url)
        return plugin_fault(err, "redirects to nowhere", FLAME_REDIRECT);
    if (transfer->received > 0)
        return plugin_fault(err, "redirects after the first byte", FLAME_REDIRECT);
    return FLAME_REDIRECT;
}

/* OK of a store: was all of the source sent? What the peer made of it is judged elsewhere. */
static int32_t judge_sent(const struct flame_transfer *transfer, struct flame_error *err)
{
    if (!fl_source_is_spent(transfer->source))
        return plugin_fault(err, "reports success before all was sent", FLAME_OK);
    return FLAME_OK;
}

static int32_t judge_success(const struct flame_transfer *transfer, struct flame_error *err)
{
    if (transfer->sink)
        return judge_body(transfer, err);
    return transfer->source ? judge_sent(transfer, err) : FLAME_OK;
}

static int32_t judge_outcome(const struct flame_transfer *transfer, int32_t returned,
                             struct flame_error *err)
{
    bool was_conditional =
        transfer->task->verb == FLAME_FETCH || transfer->task->verb == FLAME_STAT;

    if (returned == FLAME_OK && transfer->said.status == FLAME_OK)
        return judge_success(transfer, err);
    if (returned == FLAME_REDIRECT)
        return judge_redirect(transfer, err);
    if (returned == FLAME_NOT_MODIFIED && was_conditional && transfer->is_conditional)
        return FLAME_NOT_MODIFIED;
    if (returned > FLAME_OK && returned < FLAME_FIRST_FAILURE)
        return plugin_fault(err, "answers what was not asked", returned);
    return take_failure(transfer, returned, err);
}

static bool is_retryable(const struct flame_error *err)
{
    if (err->flags & (FLAME_ERROR_RETRYABLE | FL_ERROR_RETRYABLE_SAID))
        return (err->flags & FLAME_ERROR_RETRYABLE) != 0;
    return flame_status_retryable(err->status) != 0;
}

static void complete_error(const struct flame_transfer *transfer, struct flame_error *err)
{
    bool retryable = is_retryable(err);

    err->flags &= ~(FL_ERROR_RETRYABLE_SAID | FLAME_ERROR_RETRYABLE);
    err->flags |= retryable ? FLAME_ERROR_RETRYABLE : 0;
    err->phase = atomic_load(&transfer->watch->phase);
    (void)snprintf(err->plugin, sizeof(err->plugin), "%s", fl_plugin_id(transfer->hop->plugin));
    fl_secret_redact(transfer->task, transfer->config, err->message);
}

int32_t fl_transfer_judge(struct flame_transfer *transfer, int32_t returned,
                          struct flame_error *err)
{
    int32_t reason = fl_watch_status(transfer->watch);
    bool has_failed = returned < FLAME_OK || returned >= FLAME_FIRST_FAILURE;
    int32_t status;

    if (returned == FLAME_OK)
        (void)fl_body_prepare(transfer); /* an empty body that nobody reported */
    if (transfer->refusal.status != FLAME_OK) {
        *err = transfer->refusal;
        status = err->status;
    } else if (reason == FLAME_ERR_CANCELLED || (reason != FLAME_OK && has_failed)) {
        status = fl_watch_explain(transfer->watch, err);
    } else {
        status = judge_outcome(transfer, returned, err);
    }
    if (status >= FLAME_FIRST_FAILURE || status < FLAME_OK)
        complete_error(transfer, err);
    return status;
}
