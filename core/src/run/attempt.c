/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/text.h"
#include "request/repr_digest.h"

#include <string.h>

/* ---- one slot -------------------------------------------------------------------------------- */

static void set_up(struct fl_run *run)
{
    struct flame_transfer *transfer = &run->transfer;

    fl_transfer_reset(transfer);
    transfer->task = &run->task;
    transfer->hop = &run->hop;
    transfer->config = run->setup->config;
    transfer->watch = &run->watch;
    transfer->sink = run->verb == FLAME_FETCH ? run->sink : NULL;
    transfer->source = run->verb == FLAME_STORE ? &run->source : NULL;
    transfer->paces[0] = run->task.bytes_per_second == UINT64_MAX ? NULL : &run->pace;
    transfer->paces[1] = run->setup->pace.bytes_per_second == UINT64_MAX ? NULL : &run->setup->pace;
    transfer->also_counted = NULL;
    transfer->listener =
        (struct fl_listener){.reported = fl_held_reported, .listed = fl_store_listed, .data = run};
    transfer->offset = 0;
    transfer->length = 0;
    transfer->bound_size = run->bound_size;
    transfer->is_conditional = false;
    transfer->has_digest = run->expected.kind != FL_DIGEST_NONE;
    fl_watch_rewind(&run->watch);
}

typedef int32_t (*slot)(struct flame_instance *instance, const struct flame_request *request,
                        struct flame_transfer *transfer, struct flame_error *err);

static const char *name_of(uint32_t verb)
{
    switch (verb) {
    case FLAME_FETCH:
        return "fetch";
    case FLAME_STORE:
        return "store";
    case FLAME_REMOVE:
        return "remove";
    case FLAME_STAT:
        return "stat";
    default:
        return "list";
    }
}

static slot slot_for(const struct flame_plugin *table, uint32_t verb)
{
    switch (verb) {
    case FLAME_FETCH:
        return table->fetch;
    case FLAME_STORE:
        return table->store;
    case FLAME_REMOVE:
        return table->remove;
    case FLAME_STAT:
        return table->stat;
    default:
        return table->list;
    }
}

/* A fetch or stat may say: only if it is another version by now. */
static void ask_if_changed(struct fl_run *run, uint64_t caps, struct flame_request *request)
{
    const char *validator = run->task.said.validator;

    if (!validator || run->retry.source != 0 || request->offset != 0 || !(caps & FLAME_CAN_CHANGED))
        return;
    request->validator = validator;
    request->condition = FLAME_WHEN_CHANGED;
    run->transfer.is_conditional = true;
}

static int32_t make_request(struct fl_run *run, uint64_t caps, struct flame_request *request,
                            struct flame_error *err)
{
    fl_hop_request(&run->hop, request);
    request->attempt = run->retry.attempts;
    if (run->retry.is_fresh)
        request->flags |= FLAME_REQUEST_FRESH;
    if (run->verb == FLAME_FETCH)
        fl_held_ask(run, caps, request);
    else if (run->verb != FLAME_STAT)
        return fl_store_ask(run, caps, request, err);
    ask_if_changed(run, caps, request);
    return FLAME_OK;
}

static int32_t call_slot(struct fl_run *run, struct flame_error *err)
{
    const struct flame_plugin *table = NULL;
    struct flame_instance *instance = NULL;
    struct flame_request request;
    slot call;
    int32_t status = fl_plugin_use(run->hop.plugin, &table, &instance, err);

    if (status == FLAME_OK)
        status = fl_retry_be_patient(run, err);
    if (status == FLAME_OK && fl_watch_status(&run->watch) != FLAME_OK)
        status = fl_watch_explain(&run->watch, err);
    if (status != FLAME_OK)
        return status;
    call = slot_for(table, run->verb);
    if (!call)
        return fl_fail(err, FLAME_ERR_UNSUPPORTED, "plugin '%s' cannot %s",
                       fl_plugin_id(run->hop.plugin), name_of(run->verb));
    set_up(run);
    status = make_request(run, table->caps, &request, err);
    if (status != FLAME_OK)
        return status;
    fl_host_log(&run->setup->core, FLAME_LOG_DEBUG, "plugin '%s' is asked",
                fl_plugin_id(run->hop.plugin));
    status = call(instance, &request, &run->transfer, &run->transfer.said);
    status = fl_transfer_judge(&run->transfer, status, err);
    if (status >= FLAME_FIRST_FAILURE && fl_store_may_be_done(run, err)) {
        status = FLAME_ERR_UNKNOWN_OUTCOME;
        err->status = status;
        err->flags &= ~FLAME_ERROR_RETRYABLE;
    }
    run->transferred += atomic_load(&run->transfer.received);
    return status;
}

/* ---- redirects ------------------------------------------------------------------------------- */

/* What a plugin says of the target of its redirect binds what the target delivers, what came from
 * there before included. */
static int32_t bind_target(struct fl_run *run, struct flame_error *err)
{
    const struct flame_object *object = &run->transfer.object;
    const char *digest = fl_pairs_get(&run->transfer.metadata, FLAME_META_REPR_DIGEST);
    int32_t status;

    if (object->flags & FLAME_OBJECT_SIZE)
        run->bound_size = object->total_size;
    if (!digest || run->expected.kind != FL_DIGEST_NONE ||
        !fl_repr_digest_parse(digest, &run->expected))
        return FLAME_OK;
    run->digest_from = "redirect";
    fl_watch_enter(&run->watch);
    status = fl_sink_set_digest(run->sink, run->expected.kind, err);
    fl_watch_leave(&run->watch);
    return status;
}

static int32_t follow(struct fl_run *run, struct flame_error *err)
{
    fl_auto_free char *from = fl_url_redact(run->hop.url.text);
    fl_auto_free char *to = NULL;
    struct flame_event event = FLAME_INIT(flame_event);
    int32_t status = fl_hop_follow(&run->hop, run->setup->registry, run->transfer.object.url, err);

    if (status != FLAME_OK)
        return status;
    to = fl_url_redact(run->hop.url.text);
    if (!from || !to)
        return fl_fail_memory(err);
    event.kind = FLAME_EVENT_REDIRECT;
    event.from = from;
    event.to = to;
    fl_host_log(&run->setup->core, FLAME_LOG_INFO, "redirect from %s to %s", from, to);
    atomic_store(&run->shown.redirects, run->hop.number);
    fl_run_tell(run, &event);
    return FLAME_OK;
}

/* ---- one try --------------------------------------------------------------------------------- */

static const char *source_url(const struct fl_run *run)
{
    return run->retry.source == 0 ? run->task.url.text
                                  : run->task.said.mirrors[run->retry.source - 1];
}

/* A mirror has neither credentials nor a digest of its own: they belong to the url. */
static int32_t judge_mirror(const struct fl_run *run, struct flame_error *err)
{
    if (run->retry.source == 0)
        return FLAME_OK;
    if (run->hop.url.userinfo)
        return fl_fail(err, FLAME_ERR_INVALID_URL, "a mirror with credentials in its url");
    if (run->hop.url.fragment)
        return fl_fail(err, FLAME_ERR_INVALID_URL, "a mirror with a fragment in its url");
    return FLAME_OK;
}

static int32_t fetch_body(struct fl_run *run, struct flame_error *err)
{
    int32_t status = call_slot(run, err);

    while (status == FLAME_REDIRECT) {
        status = run->verb == FLAME_FETCH ? bind_target(run, err) : FLAME_OK;
        if (status == FLAME_OK)
            status = follow(run, err);
        if (status == FLAME_OK)
            status = call_slot(run, err);
    }
    return status;
}

/* A fetch in parts has its first one. Where the others fail, what is missing comes in one. */
static int32_t fetch_rest(struct fl_run *run, struct flame_error *err)
{
    int32_t status = fl_parts_fetch_rest(run, err);

    if (status == FLAME_OK || fl_watch_status(&run->watch) != FLAME_OK ||
        !fl_failure_is_of_source(err))
        return status;
    fl_host_log(&run->setup->core, FLAME_LOG_INFO, "no further parts: %s", err->message);
    fl_error_reset(err);
    return fetch_body(run, err);
}

/* What the last trail's redirects promised does not bind this one. */
static void begin_trail(struct fl_run *run)
{
    run->bound_size = UINT64_MAX;
    if (run->digest_from && strcmp(run->digest_from, "redirect") == 0) {
        run->expected = run->task.digest;
        run->digest_from = NULL;
    }
    fl_hop_done(&run->hop);
    run->connections = 1;
    atomic_store(&run->shown.attempt, run->retry.attempts);
    atomic_store(&run->shown.source, run->retry.source);
    atomic_store(&run->shown.redirects, 0);
}

int32_t fl_attempt(struct fl_run *run, struct flame_error *err)
{
    int32_t status;

    begin_trail(run);
    status = fl_hop_first(&run->task, run->setup->registry, source_url(run), &run->hop, err);
    if (status == FLAME_OK)
        status = judge_mirror(run, err);
    if (status == FLAME_OK)
        status = fetch_body(run, err);
    run->redirects = run->hop.number;
    if (status == FLAME_OK && run->verb == FLAME_FETCH)
        status = fetch_rest(run, err);
    if (status == FLAME_OK && run->verb == FLAME_FETCH)
        status = fl_output_check_digest(run, err);
    if (run->verb != FLAME_FETCH && (status == FLAME_OK || status == FLAME_ERR_UNKNOWN_OUTCOME))
        status = fl_store_confirm(run, err);
    return status;
}
