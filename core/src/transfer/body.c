/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/body.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the plugin states ------------------------------------------------------------------ */

static int32_t judge_size(struct flame_transfer *transfer, uint64_t size)
{
    uint64_t limit = transfer->task->limits.max_bytes;

    if (size > limit)
        return fl_transfer_refuse(transfer, FLAME_ERR_LIMIT,
                                  "%" PRIu64 " bytes are more than the limit of %" PRIu64, size,
                                  limit);
    if (transfer->bound_size != UINT64_MAX && size != 0 && size != transfer->bound_size)
        return fl_transfer_refuse(transfer, FLAME_ERR_CHANGED,
                                  "%" PRIu64 " bytes instead of the %" PRIu64 " that were promised",
                                  size, transfer->bound_size);
    return FLAME_OK;
}

void fl_object_done(struct flame_object *object)
{
    free((char *)(uintptr_t)object->validator);
    free((char *)(uintptr_t)object->url);
    *object = (struct flame_object){0};
}

static bool keep_text(const char *text, const char **kept)
{
    if (!text)
        return true;
    *kept = strdup(text);
    return *kept != NULL;
}

/* Cut to the shorter header and without the plugin's strings, which are borrowed. */
static int32_t keep_object(struct flame_transfer *transfer, const struct flame_object *object)
{
    struct flame_object copy = {0};
    size_t size = object->struct_size < sizeof(copy) ? object->struct_size : sizeof(copy);
    struct flame_object *kept = &transfer->object;

    memcpy(&copy, object, size);
    *kept = copy;
    kept->validator = NULL;
    kept->url = NULL;
    transfer->is_reported = true;
    if (!keep_text(copy.validator, &kept->validator) || !keep_text(copy.url, &kept->url))
        return fl_transfer_refuse(transfer, FLAME_ERR_NO_MEMORY, "out of memory");
    return FLAME_OK;
}

bool fl_body_size(const struct flame_object *object, uint64_t *size)
{
    if (object->flags & FLAME_OBJECT_BODY_SIZE)
        *size = object->body_size;
    else if ((object->flags & FLAME_OBJECT_SIZE) && object->total_size >= object->offset)
        *size = object->total_size - object->offset;
    else
        return false;
    return true;
}

/* How large the whole is, as far as it was said; 0 = it was not. */
static uint64_t whole_size(const struct flame_object *object)
{
    uint64_t size = 0;

    if (object->flags & FLAME_OBJECT_SIZE)
        return object->total_size;
    return fl_body_size(object, &size) ? object->offset + size : 0;
}

/* Judge the sizes that were said, and tell those who decide. */
static int32_t prepare(struct flame_transfer *transfer)
{
    const struct flame_object *object = &transfer->object;
    uint64_t size = whole_size(object);
    int32_t status = judge_size(transfer, size);

    if (status == FLAME_OK && object->offset != 0 && object->offset != transfer->offset)
        status = fl_transfer_refuse(transfer, FLAME_ERR_CHANGED,
                                    "the body starts at byte %" PRIu64 " instead of %" PRIu64,
                                    object->offset, transfer->offset);
    if (status != FLAME_OK)
        return status;
    atomic_store(&transfer->base, object->offset);
    atomic_store(&transfer->total, size);
    if (transfer->listener.reported)
        status = transfer->listener.reported(transfer->listener.data, transfer, &transfer->refusal);
    if (status == FLAME_OK && fl_body_size(object, &size))
        fl_sink_expect(transfer->sink, size);
    return status;
}

int32_t fl_body_prepare(struct flame_transfer *transfer)
{
    int32_t status;

    if (!transfer->sink || transfer->is_prepared)
        return FLAME_OK;
    transfer->is_prepared = true;
    fl_watch_enter(transfer->watch);
    status = prepare(transfer);
    fl_watch_leave(transfer->watch);
    return status;
}

/* An entry goes out at once; the next one starts afresh. */
static int32_t list_entry(struct flame_transfer *transfer)
{
    int32_t status = FLAME_OK;

    fl_watch_enter(transfer->watch);
    if (transfer->listener.listed)
        status = transfer->listener.listed(transfer->listener.data, transfer, &transfer->refusal);
    fl_watch_leave(transfer->watch);
    transfer->has_enough = status == FLAME_ENOUGH;
    transfer->is_reported = false;
    fl_object_done(&transfer->object);
    fl_pairs_done(&transfer->metadata, false);
    return status;
}

int32_t fl_body_report(struct flame_transfer *transfer, const struct flame_object *object)
{
    int32_t status = fl_transfer_wanted(transfer);

    if (status != FLAME_OK)
        return status;
    if (transfer->has_enough)
        return FLAME_ENOUGH;
    if (transfer->is_reported || transfer->is_prepared ||
        (transfer->sink && atomic_load(&transfer->received) > 0))
        return fl_transfer_refuse(transfer, FLAME_ERR_PLUGIN,
                                  "the plugin reports twice, or after the first byte");
    status = keep_object(transfer, object);
    if (status == FLAME_OK && transfer->task->verb == FLAME_LIST)
        return list_entry(transfer);
    if (status != FLAME_OK || !transfer->sink || transfer->object.url)
        return status; /* with a url it may be a redirect, whose sizes are the target's */
    return fl_body_prepare(transfer);
}

void fl_body_metadata(struct flame_transfer *transfer, const char *key, const char *value)
{
    char safe_key[FL_METADATA_NAME_MAX];
    char safe_value[FL_METADATA_VALUE_MAX];

    if (!key || !value || transfer->metadata.count >= 2 * FL_METADATA_MAX)
        return;
    (void)fl_escape(key, strlen(key), safe_key, sizeof(safe_key));
    (void)fl_escape(value, strlen(value), safe_value, sizeof(safe_value));
    if (!fl_pairs_set(&transfer->metadata, safe_key, safe_value))
        (void)fl_transfer_refuse(transfer, FLAME_ERR_NO_MEMORY, "out of memory");
}

int32_t fl_body_finish(struct flame_transfer *transfer, const struct flame_end *end)
{
    int32_t status = fl_transfer_wanted(transfer);

    if (status != FLAME_OK)
        return status;
    transfer->is_finished = true;
    transfer->proof = FLAME_REACHES(end, proof) ? end->proof : FLAME_PROOF_NONE;
    if (FLAME_HAS(end, cursor) && transfer->task->verb == FLAME_LIST)
        transfer->cursor = strdup(end->cursor);
    return FLAME_OK;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* May `size` more bytes come? */
static int32_t judge_bytes(struct flame_transfer *transfer, uint64_t size)
{
    const struct flame_object *object = &transfer->object;
    uint64_t received = atomic_load(&transfer->received);
    uint64_t limit = transfer->task->limits.max_bytes;
    int32_t status = fl_transfer_wanted(transfer);
    uint64_t total;

    if (status != FLAME_OK)
        return status;
    if (!transfer->sink || transfer->is_finished)
        return fl_transfer_refuse(transfer, FLAME_ERR_PLUGIN,
                                  "the plugin writes where no body is wanted");
    status = fl_body_prepare(transfer);
    if (status != FLAME_OK)
        return status;
    total = atomic_load(&transfer->total);
    received += atomic_load(&transfer->base);
    if (size > UINT64_MAX - received || received + size > limit)
        return fl_transfer_refuse(transfer, FLAME_ERR_LIMIT,
                                  "more than the limit of %" PRIu64 " bytes", limit);
    received -= atomic_load(&transfer->base);
    if ((object->flags & FLAME_OBJECT_BODY_SIZE) && received + size > object->body_size)
        return fl_transfer_refuse(transfer, FLAME_ERR_PROTOCOL,
                                  "more than the %" PRIu64 " bytes that were announced",
                                  object->body_size);
    if (transfer->length != 0 && transfer->offset != 0 &&
        transfer->offset + transfer->length < object->offset + received + size)
        return fl_transfer_refuse(transfer, FLAME_ERR_PROTOCOL,
                                  "more than the %" PRIu64 " bytes that were asked for",
                                  transfer->length);
    if (total != 0 && object->offset + received + size > total)
        return fl_transfer_refuse(transfer, FLAME_ERR_PROTOCOL,
                                  "more than the %" PRIu64 " bytes of the whole", total);
    return FLAME_OK;
}

/* ---- the pace -------------------------------------------------------------------------------- */

/* Bytes have gone by: wait as long as task and context want it. */
static void keep_pace(struct flame_transfer *transfer, uint64_t bytes)
{
    uint64_t wait_ns = 0;

    for (size_t i = 0; i < 2; i++) {
        uint64_t wanted_ns = transfer->paces[i] ? fl_pace_take(transfer->paces[i], bytes) : 0;

        wait_ns = wanted_ns > wait_ns ? wanted_ns : wait_ns;
    }
    if (wait_ns > 0)
        (void)fl_watch_sleep(transfer->watch, fl_now_ns() + wait_ns);
}

/* So many of `size` bytes at a time, that the pace is even. */
static uint64_t step_of(const struct flame_transfer *transfer, uint64_t size)
{
    for (size_t i = 0; i < 2; i++) {
        uint64_t step = transfer->paces[i] ? fl_pace_step(transfer->paces[i]) : UINT64_MAX;

        size = step < size ? step : size;
    }
    return size;
}

static void add_up(struct flame_transfer *transfer, uint64_t bytes)
{
    atomic_fetch_add(&transfer->received, bytes);
    if (transfer->also_counted)
        atomic_fetch_add(transfer->also_counted, bytes);
}

/* ---- moving them ----------------------------------------------------------------------------- */

static uint64_t size_of(const struct flame_slice *slices, uint32_t count)
{
    uint64_t size = 0;

    for (uint32_t i = 0; i < count; i++)
        size = slices[i].size > UINT64_MAX - size ? UINT64_MAX : size + slices[i].size;
    return size;
}

int32_t fl_body_write(struct flame_transfer *transfer, const struct flame_slice *slices,
                      uint32_t count)
{
    uint64_t size = size_of(slices, count);
    int32_t status = judge_bytes(transfer, size);

    if (status != FLAME_OK)
        return status;
    fl_watch_enter(transfer->watch);
    status = fl_sink_write(transfer->sink, slices, count, &transfer->refusal);
    fl_watch_leave(transfer->watch);
    if (status != FLAME_OK)
        return status;
    add_up(transfer, size);
    keep_pace(transfer, size);
    return FLAME_OK;
}

static int32_t copy_step(struct flame_transfer *transfer, int32_t fd, uint64_t offset,
                         uint64_t size, uint64_t *copied)
{
    uint64_t done = 0;
    int32_t status;

    fl_watch_enter(transfer->watch);
    status = fl_sink_copy(transfer->sink, fd, offset, size, &done, &transfer->refusal);
    fl_watch_leave(transfer->watch);
    add_up(transfer, done);
    *copied += done;
    keep_pace(transfer, done);
    return status;
}

int32_t fl_body_copy(struct flame_transfer *transfer, int32_t fd, uint64_t offset, uint64_t size,
                     uint64_t *copied)
{
    uint64_t done = 0;
    int32_t status = judge_bytes(transfer, size);

    while (status == FLAME_OK && done < size) {
        uint64_t step = step_of(transfer, size - done);
        uint64_t before = done;

        status = copy_step(transfer, fd, offset + done, step, &done);
        if (done - before < step)
            break;
        if (status == FLAME_OK)
            status = fl_transfer_wanted(transfer);
    }
    if (status == FLAME_OK)
        *copied = done;
    return status;
}

int32_t fl_body_read(struct flame_transfer *transfer, uint64_t offset, void *buffer,
                     uint64_t capacity, uint64_t *size)
{
    struct fl_source_place place = {.offset = offset, .cancel_fd = transfer->watch->cancel_fd};
    uint64_t limit = transfer->task->limits.max_bytes;
    int32_t status = fl_transfer_wanted(transfer);

    if (status != FLAME_OK)
        return status;
    if (!transfer->source)
        return fl_transfer_refuse(transfer, FLAME_ERR_PLUGIN,
                                  "the plugin reads a source where there is none");
    fl_watch_enter(transfer->watch);
    status = fl_source_read(transfer->source, &place, buffer, step_of(transfer, capacity), size,
                            &transfer->refusal);
    fl_watch_leave(transfer->watch);
    if (status != FLAME_OK)
        return status;
    if (offset > limit || *size > limit - offset)
        return fl_transfer_refuse(transfer, FLAME_ERR_LIMIT,
                                  "more than the limit of %" PRIu64 " bytes", limit);
    atomic_store(&transfer->received, offset + *size);
    keep_pace(transfer, *size);
    return FLAME_OK;
}
