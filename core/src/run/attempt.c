/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/text.h"
#include "request/repr_digest.h"

static int32_t expect_size(void *data, uint64_t size, struct flame_error *err)
{
    struct fl_run *run = data;

    return run->publish ? fl_publish_expect(run->publish, size, err) : FLAME_OK;
}

static void set_up(struct fl_run *run)
{
    struct flame_transfer *transfer = &run->transfer;

    fl_transfer_reset(transfer);
    transfer->task = &run->task;
    transfer->hop = &run->hop;
    transfer->config = run->flame->config;
    transfer->watch = &run->watch;
    transfer->sink = run->sink;
    transfer->expect = expect_size;
    transfer->expect_data = run;
    transfer->bound_size = run->bound_size;
    transfer->has_digest = run->expected.kind != FL_DIGEST_NONE;
    fl_watch_rewind(&run->watch);
}

typedef int32_t (*slot)(struct flame_instance *instance, const struct flame_request *request,
                        struct flame_transfer *transfer, struct flame_error *err);

/* One try at one place. */
static int32_t try_hop(struct fl_run *run, struct flame_error *err)
{
    const struct flame_plugin *table = NULL;
    struct flame_instance *instance = NULL;
    struct flame_request request;
    slot call;
    int32_t status = fl_plugin_use(run->hop.plugin, &table, &instance, err);

    if (status == FLAME_OK && run->verb == FLAME_FETCH)
        status = fl_output_begin(run, err);
    if (status == FLAME_OK && fl_watch_status(&run->watch) != FLAME_OK)
        status = fl_watch_explain(&run->watch, err);
    if (status != FLAME_OK)
        return status;
    call = run->verb == FLAME_FETCH ? table->fetch : table->stat;
    if (!call)
        return fl_fail(err, FLAME_ERR_UNSUPPORTED, "plugin '%s' cannot do that",
                       fl_plugin_id(run->hop.plugin));
    set_up(run);
    fl_hop_request(&run->hop, &request);
    fl_host_log(&run->flame->core, FLAME_LOG_DEBUG, "plugin '%s' is asked",
                fl_plugin_id(run->hop.plugin));
    status = call(instance, &request, &run->transfer, &run->transfer.said);
    return fl_transfer_judge(&run->transfer, status, err);
}

/* What a plugin says of the target of its redirect binds what the target delivers. */
static void bind_target(struct fl_run *run)
{
    const struct flame_object *object = &run->transfer.object;
    const char *digest = fl_pairs_get(&run->transfer.metadata, FLAME_META_REPR_DIGEST);

    if (object->flags & FLAME_OBJECT_SIZE)
        run->bound_size = object->total_size;
    if (digest && run->expected.kind == FL_DIGEST_NONE)
        (void)fl_repr_digest_parse(digest, &run->expected);
}

struct announcement {
    const struct flame_task *said;
    const char *from;
    const char *to;
};

static int32_t announce(void *data)
{
    const struct announcement *redirect = data;

    redirect->said->redirected(redirect->said->data, redirect->from, redirect->to);
    return FLAME_OK;
}

static int32_t follow(struct fl_run *run, struct flame_error *err)
{
    fl_auto_free char *from = fl_url_redact(run->hop.url.text);
    fl_auto_free char *to = NULL;
    struct announcement redirect = {.said = &run->task.said, .from = from};
    int32_t status = fl_hop_follow(&run->hop, run->flame->registry, run->transfer.object.url, err);

    if (status != FLAME_OK)
        return status;
    to = fl_url_redact(run->hop.url.text);
    if (!from || !to)
        return fl_fail_memory(err);
    redirect.to = to;
    fl_host_log(&run->flame->core, FLAME_LOG_INFO, "redirect from %s to %s", from, to);
    if (redirect.said->redirected)
        (void)fl_exchange_ask(&run->exchange, announce, &redirect);
    return FLAME_OK;
}

int32_t fl_attempt(struct fl_run *run, struct flame_error *err)
{
    int32_t status = try_hop(run, err);

    while (status == FLAME_REDIRECT) {
        bind_target(run);
        status = follow(run, err);
        if (status == FLAME_OK)
            status = try_hop(run, err);
    }
    return status;
}
