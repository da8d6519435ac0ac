/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/body.h"

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
    if (transfer->bound_size != UINT64_MAX && size != transfer->bound_size)
        return fl_transfer_refuse(transfer, FLAME_ERR_CHANGED,
                                  "%" PRIu64 " bytes instead of the %" PRIu64 " that were promised",
                                  size, transfer->bound_size);
    return FLAME_OK;
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
    else if (object->flags & FLAME_OBJECT_SIZE)
        *size = object->total_size;
    else
        return false;
    return true;
}

/* Judge the size that was said, and tell those who make room. */
static int32_t prepare(struct flame_transfer *transfer)
{
    const struct flame_object *object = &transfer->object;
    uint64_t size = 0;
    int32_t status;

    transfer->is_prepared = true;
    if (object->offset != 0)
        return fl_transfer_refuse(transfer, FLAME_ERR_PROTOCOL,
                                  "the body starts at byte %" PRIu64 " instead of 0",
                                  object->offset);
    if (!fl_body_size(object, &size))
        return FLAME_OK;
    status = judge_size(transfer, size);
    if (status != FLAME_OK)
        return status;
    atomic_store(&transfer->total, size);
    fl_sink_expect(transfer->sink, size);
    return transfer->expect ? transfer->expect(transfer->expect_data, size, &transfer->refusal)
                            : FLAME_OK;
}

static int32_t prepare_body(struct flame_transfer *transfer)
{
    int32_t status;

    if (transfer->is_prepared || !transfer->is_reported)
        return FLAME_OK;
    fl_watch_enter(transfer->watch);
    status = prepare(transfer);
    fl_watch_leave(transfer->watch);
    return status;
}

int32_t fl_body_report(struct flame_transfer *transfer, const struct flame_object *object)
{
    int32_t status = fl_transfer_wanted(transfer);

    if (status != FLAME_OK)
        return status;
    if (transfer->is_reported || atomic_load(&transfer->received) > 0)
        return fl_transfer_refuse(transfer, FLAME_ERR_PLUGIN,
                                  "the plugin reports twice, or after the first byte");
    status = keep_object(transfer, object);
    if (status != FLAME_OK || !transfer->sink || transfer->object.url)
        return status; /* with a url it may be a redirect, whose sizes are the target's */
    return prepare_body(transfer);
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

    if (status != FLAME_OK)
        return status;
    if (!transfer->sink || transfer->is_finished)
        return fl_transfer_refuse(transfer, FLAME_ERR_PLUGIN,
                                  "the plugin writes where no body is wanted");
    status = prepare_body(transfer);
    if (status != FLAME_OK)
        return status;
    if (size > UINT64_MAX - received || received + size > limit)
        return fl_transfer_refuse(transfer, FLAME_ERR_LIMIT,
                                  "more than the limit of %" PRIu64 " bytes", limit);
    if ((object->flags & FLAME_OBJECT_BODY_SIZE) && received + size > object->body_size)
        return fl_transfer_refuse(transfer, FLAME_ERR_PROTOCOL,
                                  "more than the %" PRIu64 " bytes that were announced",
                                  object->body_size);
    return FLAME_OK;
}

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
    if (status == FLAME_OK)
        atomic_fetch_add(&transfer->received, size);
    return status;
}

int32_t fl_body_copy(struct flame_transfer *transfer, int32_t fd, uint64_t offset, uint64_t size,
                     uint64_t *copied)
{
    uint64_t done = 0;
    int32_t status = judge_bytes(transfer, size);

    if (status != FLAME_OK)
        return status;
    fl_watch_enter(transfer->watch);
    status = fl_sink_copy(transfer->sink, fd, offset, size, &done, &transfer->refusal);
    fl_watch_leave(transfer->watch);
    atomic_fetch_add(&transfer->received, done);
    if (status == FLAME_OK)
        *copied = done;
    return status;
}
