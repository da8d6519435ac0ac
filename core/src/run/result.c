/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

/* What the strings of a result live in. */
struct owner {
    char *url;
    char *validator;
    char *plugin;
    char *cursor;
    char digest[FL_DIGEST_TEXT_MAX];
    struct fl_pairs metadata;
};

static void owner_free(struct owner *owner)
{
    if (!owner)
        return;
    free(owner->url);
    free(owner->validator);
    free(owner->plugin);
    free(owner->cursor);
    fl_pairs_done(&owner->metadata, false);
    free(owner);
}

static bool copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

/* The strings of `from`, whoever owns them, get an owner. */
static int32_t own(const struct flame_result *from, struct flame_result *to,
                   struct flame_error *err)
{
    struct owner *owner = calloc(1, sizeof(*owner));

    if (!owner)
        return fl_fail_memory(err);
    if (!copy_text(&owner->url, from->url) || !copy_text(&owner->validator, from->validator) ||
        !copy_text(&owner->plugin, from->plugin) || !copy_text(&owner->cursor, from->cursor) ||
        !fl_pairs_copy(&owner->metadata, from->metadata)) {
        owner_free(owner);
        return fl_fail_memory(err);
    }
    if (from->digest)
        (void)stpncpy(owner->digest, from->digest, sizeof(owner->digest) - 1);
    *to = *from;
    to->url = owner->url;
    to->validator = owner->validator;
    to->plugin = owner->plugin;
    to->cursor = owner->cursor;
    to->digest = owner->digest[0] ? owner->digest : NULL;
    to->metadata = fl_pairs_list(&owner->metadata);
    to->owner = owner;
    return FLAME_OK;
}

int32_t fl_result_copy(const struct flame_result *from, struct flame_result *to,
                       struct flame_error *err)
{
    return own(from, to, err);
}

/* ---- of a run -------------------------------------------------------------------------------- */

static uint32_t object_flags(const struct flame_object *object)
{
    uint32_t flags = 0;

    if (object->flags & FLAME_OBJECT_SIZE)
        flags |= FLAME_RESULT_SIZE;
    if (object->flags & FLAME_OBJECT_MTIME)
        flags |= FLAME_RESULT_MTIME;
    if (object->flags & FLAME_OBJECT_STRONG)
        flags |= FLAME_RESULT_STRONG;
    if (object->flags & FLAME_OBJECT_PREFIX)
        flags |= FLAME_RESULT_PREFIX;
    return flags;
}

static uint32_t run_flags(const struct fl_run *run)
{
    uint32_t flags = object_flags(&run->transfer.object);

    if (run->verb == FLAME_FETCH || run->verb == FLAME_STORE)
        flags |= FLAME_RESULT_SIZE;
    if (run->transfer.is_finished && run->transfer.proof == FLAME_PROOF_COMPLETE)
        flags |= FLAME_RESULT_PROVEN;
    if (run->expected.kind != FL_DIGEST_NONE && run->actual.kind != FL_DIGEST_NONE)
        flags |= FLAME_RESULT_VERIFIED; /* they were compared, or we would not be here */
    if (run->is_cached || run->is_joined)
        flags = (flags & FLAME_RESULT_VERIFIED) | FLAME_RESULT_SIZE;
    if (run->is_joined)
        flags |= FLAME_RESULT_JOINED;
    else if (run->is_cached)
        flags |= FLAME_RESULT_CACHED;
    return flags;
}

static uint64_t result_size(const struct fl_run *run)
{
    if (run->is_cached || run->is_joined)
        return run->cached_size;
    if (run->verb == FLAME_FETCH || run->verb == FLAME_STORE)
        return run->size;
    return run->transfer.object.total_size;
}

static void describe(const struct fl_run *run, struct flame_result *result)
{
    const struct flame_object *object = &run->transfer.object;
    bool was_there = run->is_cached || run->is_joined;

    result->flags = run_flags(run);
    result->size = result_size(run);
    result->transferred = run->transferred;
    result->resumed = run->held.resumed;
    result->mtime_ns = object->mtime_ns;
    result->duration_ns = fl_now_ns() - run->watch.started_ns;
    result->digest_from = run->digest_from;
    result->validator = object->validator;
    result->plugin = was_there || !run->hop.plugin ? NULL : fl_plugin_id(run->hop.plugin);
    result->cursor = run->transfer.cursor;
    result->metadata = fl_pairs_list(&run->transfer.metadata);
    result->attempts = run->retry.attempts;
    result->redirects = run->redirects;
    result->source = run->retry.source;
    result->connections = run->connections;
}

/* Where it was found, or where it went if the peer named it. */
static char *shown_url(const struct fl_run *run, const char *said)
{
    fl_auto_free char *absolute = NULL;
    const char *here = run->hop.url.text ? run->hop.url.text : run->task.url.text;
    int32_t status = FLAME_ERR_INVALID_URL;

    if (said && run->hop.url.text)
        status = fl_url_resolve(&run->hop.url, said, &absolute, NULL);
    if (status == FLAME_ERR_NO_MEMORY)
        return NULL; /* or one object would be taken for another */
    return fl_url_redact(status == FLAME_OK ? absolute : here);
}

int32_t fl_result_prepare(struct fl_run *run, struct flame_error *err)
{
    bool names_place = run->verb == FLAME_STORE && run->transfer.object.url;
    fl_auto_free char *url = shown_url(run, names_place ? run->transfer.object.url : NULL);
    struct flame_result result = FLAME_INIT(flame_result);
    char digest[FL_DIGEST_TEXT_MAX];

    if (!url)
        return fl_fail_memory(err);
    describe(run, &result);
    result.url = url;
    if (run->actual.kind != FL_DIGEST_NONE) {
        fl_digest_format(&run->actual, digest);
        result.digest = digest;
    }
    return own(&result, &run->result, err);
}

int32_t fl_result_entry(const struct fl_run *run, const struct flame_transfer *transfer,
                        struct flame_result *out, struct flame_error *err)
{
    const struct flame_object *object = &transfer->object;
    fl_auto_free char *url = shown_url(run, object->url);
    struct flame_result result = FLAME_INIT(flame_result);

    if (!url)
        return fl_fail_memory(err);
    result.flags = object_flags(object);
    result.size = object->total_size;
    result.mtime_ns = object->mtime_ns;
    result.url = url;
    result.validator = object->validator;
    result.plugin = fl_plugin_id(run->hop.plugin);
    result.metadata = fl_pairs_list(&transfer->metadata);
    return own(&result, out, err);
}

/* ---- the caller's struct --------------------------------------------------------------------- */

int32_t fl_result_check(const struct flame_result *said, struct flame_error *err)
{
    if (said && !FLAME_REACHES(said, owner))
        return fl_fail(err, FLAME_ERR_INVALID, "the result struct is too small");
    return FLAME_OK;
}

void fl_result_give(struct flame_result *from, struct flame_result *to)
{
    uint32_t size;

    if (!to) {
        flame_result_done(from);
        return;
    }
    size = to->struct_size < sizeof(*from) ? to->struct_size : (uint32_t)sizeof(*from);
    from->struct_size = to->struct_size;
    memcpy(to, from, size);
    *from = FLAME_INIT(flame_result);
}

void flame_result_done(struct flame_result *result)
{
    uint32_t size;

    if (!result || !FLAME_REACHES(result, owner))
        return;
    size = result->struct_size;
    owner_free(result->owner);
    memset(result, 0, size < sizeof(*result) ? size : sizeof(*result));
    result->struct_size = size;
}
