/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* What the strings of a result live in. */
struct fl_result_owner {
    char *url;
    char *validator;
    char *plugin;
    char digest[FL_DIGEST_TEXT_MAX];
    struct fl_pairs metadata;
};

void fl_result_free(struct fl_result_owner *owner)
{
    if (!owner)
        return;
    free(owner->url);
    free(owner->validator);
    free(owner->plugin);
    fl_pairs_done(&owner->metadata, false);
    free(owner);
}

static bool copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

int32_t fl_result_prepare(struct fl_run *run, struct flame_error *err)
{
    const struct flame_object *object = &run->transfer.object;
    struct fl_result_owner *owner = calloc(1, sizeof(*owner));
    bool ok;

    if (!owner)
        return fl_fail_memory(err);
    run->owner = owner;
    owner->url = fl_url_redact(run->hop.url.text);
    ok = owner->url && copy_text(&owner->validator, object->validator) &&
         copy_text(&owner->plugin, run->is_cached ? NULL : fl_plugin_id(run->hop.plugin)) &&
         fl_pairs_copy(&owner->metadata, fl_pairs_list(&run->transfer.metadata));
    if (run->actual.kind != FL_DIGEST_NONE)
        fl_digest_format(&run->actual, owner->digest);
    return ok ? FLAME_OK : fl_fail_memory(err);
}

static uint32_t result_flags(const struct fl_run *run)
{
    uint32_t said = run->transfer.object.flags;
    uint32_t flags = 0;

    if (run->verb == FLAME_FETCH || (said & FLAME_OBJECT_SIZE))
        flags |= FLAME_RESULT_SIZE;
    if (said & FLAME_OBJECT_MTIME)
        flags |= FLAME_RESULT_MTIME;
    if (said & FLAME_OBJECT_STRONG)
        flags |= FLAME_RESULT_STRONG;
    if (run->transfer.is_finished && run->transfer.proof == FLAME_PROOF_COMPLETE)
        flags |= FLAME_RESULT_PROVEN;
    if (run->actual.kind != FL_DIGEST_NONE)
        flags |= FLAME_RESULT_VERIFIED; /* it was compared, or we would not be here */
    if (run->is_cached)
        flags |= FLAME_RESULT_CACHED;
    return flags;
}

static uint64_t result_size(const struct fl_run *run)
{
    if (run->verb != FLAME_FETCH)
        return run->transfer.object.total_size;
    return run->is_cached ? run->cached_size : atomic_load(&run->transfer.received);
}

void fl_result_give(struct fl_run *run, struct flame_result *out)
{
    struct flame_result result = FLAME_INIT(flame_result);
    struct fl_result_owner *owner = run->owner;
    size_t size = out->struct_size < sizeof(result) ? out->struct_size : sizeof(result);

    result.struct_size = out->struct_size;
    result.flags = result_flags(run);
    result.size = result_size(run);
    result.transferred = atomic_load(&run->transfer.received);
    result.mtime_ns = run->transfer.object.mtime_ns;
    result.duration_ns = fl_now_ns() - run->watch.started_ns;
    result.url = owner->url;
    result.digest = owner->digest[0] ? owner->digest : NULL;
    result.validator = owner->validator;
    result.plugin = owner->plugin;
    result.metadata = fl_pairs_list(&owner->metadata);
    result.owner = fl_take(run->owner);
    result.attempts = run->is_cached ? 0 : 1;
    result.redirects = run->hop.number;
    memcpy(out, &result, size);
}

void flame_result_done(struct flame_result *result)
{
    uint32_t size;

    if (!result || !FLAME_REACHES(result, owner))
        return;
    size = result->struct_size;
    fl_result_free(result->owner);
    memset(result, 0, size < sizeof(*result) ? size : sizeof(*result));
    result->struct_size = size;
}
