/* SPDX-License-Identifier: Apache-2.0 */
/* A helper of a fetch in parts. */
#include "run/parts.h"

#include "base/clock.h"

#include <string.h>

static int32_t part_reported(void *data, const struct flame_transfer *transfer,
                             struct flame_error *err)
{
    const struct fl_held *held = &((const struct fl_helper *)data)->parts->run->held;
    const struct flame_object *object = &transfer->object;
    bool is_same = (object->flags & FLAME_OBJECT_STRONG) && object->validator &&
                   strcmp(object->validator, held->validator) == 0;

    if (object->offset != transfer->offset)
        return fl_fail(err, FLAME_ERR_CHANGED, "the peer no longer serves parts");
    if (!is_same || ((object->flags & FLAME_OBJECT_SIZE) && object->total_size != held->total))
        return fl_fail(err, FLAME_ERR_CHANGED, "the object is another version now");
    return FLAME_OK;
}

static int32_t helper_is_wanted(void *data)
{
    struct fl_helper *helper = data;

    return fl_watch_status(&helper->watch);
}

static int32_t open_part_sink(struct fl_helper *helper, struct fl_sink **out,
                              struct flame_error *err)
{
    const struct fl_run *run = helper->parts->run;
    struct fl_sink_options options = {
        .fd = run->publish ? fl_publish_fd(run->publish) : run->spool_fd,
        .write_early = run->publish && run->task.durability != FLAME_DURABILITY_NONE,
        .offset = helper->mine->begin,
        .wanted = helper_is_wanted,
        .cancel_fd = helper->watch.cancel_fd,
        .data = helper,
    };

    return fl_sink_open(&options, out, err);
}

static void set_up_part(struct fl_helper *helper, struct fl_sink *sink)
{
    struct fl_run *run = helper->parts->run;
    struct flame_transfer *transfer = &helper->transfer;

    fl_transfer_reset(transfer);
    transfer->task = &run->task;
    transfer->hop = &run->hop;
    transfer->config = run->setup->config;
    transfer->watch = &helper->watch;
    transfer->sink = sink;
    transfer->paces[0] = run->transfer.paces[0];
    transfer->paces[1] = run->transfer.paces[1];
    transfer->listener = (struct fl_listener){.reported = part_reported, .data = helper};
    transfer->also_counted = &run->shown.in_parts;
    transfer->offset = helper->mine->begin;
    transfer->length = helper->mine->end - helper->mine->begin;
    transfer->bound_size = UINT64_MAX;
    transfer->has_digest = run->expected.kind != FL_DIGEST_NONE;
    fl_watch_rewind(&helper->watch);
}

static int32_t call_fetch(struct fl_helper *helper, struct flame_error *err)
{
    struct fl_run *run = helper->parts->run;
    const struct flame_plugin *table = NULL;
    struct flame_instance *instance = NULL;
    struct flame_request request;
    int32_t status = fl_plugin_use(run->hop.plugin, &table, &instance, err);

    if (status != FLAME_OK)
        return status;
    fl_hop_request(&run->hop, &request);
    request.offset = helper->transfer.offset;
    request.length = helper->transfer.length;
    request.validator = run->held.validator;
    request.condition = FLAME_WHEN_SAME;
    request.attempt = run->retry.attempts;
    status = table->fetch(instance, &request, &helper->transfer, &helper->transfer.said);
    return fl_transfer_judge(&helper->transfer, status, err);
}

/* What came is written before anybody hears of it. */
static int32_t fetch_piece(struct fl_helper *helper, struct flame_error *err)
{
    struct flame_error late = FLAME_INIT(flame_error);
    struct fl_sink *sink = NULL;
    int32_t status = open_part_sink(helper, &sink, err);
    int32_t flushed;

    if (status != FLAME_OK)
        return status;
    set_up_part(helper, sink);
    status = call_fetch(helper, err);
    flushed = fl_sink_flush(sink, &late);
    if (status == FLAME_REDIRECT)
        status = fl_fail(err, FLAME_ERR_CHANGED, "the peer redirects a part of the body");
    if (flushed == FLAME_OK)
        fl_parts_advance(helper->parts, helper->mine, fl_sink_size(sink), status == FLAME_OK);
    else if (status == FLAME_OK)
        status = fl_fail(err, flushed, "%s", late.message);
    fl_sink_free(sink);
    return status;
}

/* ---- a helper -------------------------------------------------------------------------------- */

static bool may_try_again(struct fl_helper *helper, uint32_t tries,
                          const struct flame_error *reason)
{
    const struct fl_retry_limits *limits = &helper->parts->run->task.retry;
    uint64_t pause_ns = fl_pause_ms(limits->delay_ms, tries) * FL_NS_PER_MS;

    if (!(reason->flags & FLAME_ERROR_RETRYABLE) || tries >= limits->attempts ||
        reason->status == FLAME_ERR_CHANGED || reason->status == FLAME_ERR_BUSY ||
        !fl_watch_rearm(&helper->watch))
        return false;
    return fl_watch_sleep(&helper->watch, fl_now_ns() + pause_ns) == FLAME_OK;
}

static int32_t work_on_piece(struct fl_helper *helper, struct flame_error *err)
{
    for (uint32_t tries = 1;; tries++) {
        int32_t status = fetch_piece(helper, err);

        if (status == FLAME_OK || !may_try_again(helper, tries, err))
            return status;
        fl_error_reset(err);
    }
}

void *fl_helper_work(void *data)
{
    struct fl_helper *helper = data;
    struct fl_parts *parts = helper->parts;
    struct flame_error err = FLAME_INIT(flame_error);
    int32_t status = FLAME_OK;

    while (status == FLAME_OK && fl_parts_take(parts, helper->mine))
        status = work_on_piece(helper, &err);
    fl_parts_leave(parts, helper->mine, status, &err);
    fl_transfer_done(&helper->transfer);
    return NULL;
}
