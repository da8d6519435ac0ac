/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

int32_t fl_run_begin(struct fl_run *run, struct flame_cancel *token, struct flame_error *err)
{
    run->spool_fd = -1;
    run->source.fd = -1;
    run->bound_size = UINT64_MAX;
    run->held.total = UINT64_MAX;
    fl_pace_init(&run->pace, UINT64_MAX);
    if (run->above)
        return fl_watch_start_below(run->above, &run->watch, err);
    return fl_watch_start(run->engine->watchdog, &run->watch, token, err);
}

/* The URL's scheme finds the plugin, whose manifest knows the default port, which the URL's parser
 * needs; its options are known once it is loaded, and with them every limit. */
static int32_t understand(struct fl_run *run, struct flame_error *err)
{
    const char *url = run->said->url;
    const struct flame_plugin *table = NULL;
    struct flame_instance *instance = NULL;
    struct fl_plugin *plugin = NULL;
    char scheme[FL_SCHEME_MAX];
    int32_t status;

    if (!FLAME_REACHES(run->said, url) || !url)
        return fl_fail(err, FLAME_ERR_INVALID, "the task has no url");
    status = fl_url_scheme(url, scheme, err);
    if (status == FLAME_OK)
        status = fl_registry_find(run->setup->registry, scheme, &plugin, err);
    if (status == FLAME_OK)
        status = fl_task_init(&run->task, run->verb, run->said,
                              fl_plugin_default_port(plugin, scheme), err);
    if (status == FLAME_OK)
        status = fl_plugin_use(plugin, &table, &instance, err);
    if (status == FLAME_OK)
        status = fl_task_settle(&run->task, run->setup->config, fl_plugin_options(plugin), err);
    return status;
}

static void set_limits(struct fl_run *run)
{
    const struct fl_task *task = &run->task;

    run->expected = task->digest;
    if (task->digest.kind != FL_DIGEST_NONE)
        run->digest_from = task->is_digest_in_url ? "url" : "caller";
    fl_pace_done(&run->pace);
    fl_pace_init(&run->pace, task->bytes_per_second);
    fl_watch_limit(run->engine->watchdog, &run->watch, &task->limits);
    run->retry.started_ns = fl_now_ns();
}

static bool is_there(const struct fl_run *run)
{
    return run->is_cached || run->is_joined;
}

static int32_t fetch(struct fl_run *run, struct flame_error *err)
{
    int32_t status = fl_checksum_settle(run, err);

    if (status == FLAME_OK)
        status = fl_output_open(run, err);
    if (status == FLAME_OK)
        status = fl_output_check_current(run, err);
    if (status == FLAME_OK && !is_there(run))
        status = fl_output_lock(run, err);
    if (status == FLAME_OK && !is_there(run))
        status = fl_output_begin(run, err);
    if (status != FLAME_OK || is_there(run))
        return status;
    status = fl_retry_all(run, err);
    return status == FLAME_OK ? fl_output_complete(run, err) : status;
}

static int32_t do_verb(struct fl_run *run, struct flame_error *err)
{
    int32_t status = FLAME_OK;

    if (run->verb == FLAME_FETCH)
        return fetch(run, err);
    if (run->verb == FLAME_STORE)
        status = fl_store_open(run, err);
    if (status == FLAME_OK && run->verb == FLAME_STORE)
        status = fl_store_look_first(run, err);
    if (status == FLAME_OK)
        status = fl_retry_all(run, err);
    return status;
}

/* Where it happened: the hop, or what the caller wrote when that could not be understood. */
static void complete_error(const struct fl_run *run, int32_t status, struct flame_error *err)
{
    const char *text = run->hop.url.text ? run->hop.url.text : run->said->url;
    fl_auto_free char *safe = text ? fl_url_redact(text) : NULL;

    if (err->status == FLAME_OK) /* nobody said why; it must not be taken for none */
        (void)fl_fail(err, status, "%s", flame_status_text(status));
    err->attempts = run->retry.attempts;
    if (safe)
        (void)fl_escape(safe, strlen(safe), err->url, sizeof(err->url));
}

int32_t fl_run_do(struct fl_run *run, struct flame_error *err)
{
    int32_t status = understand(run, err);

    if (status == FLAME_OK) {
        set_limits(run);
        if (fl_watch_status(&run->watch) != FLAME_OK) /* it waited too long for its turn */
            status = fl_watch_explain(&run->watch, err);
        else
            status = do_verb(run, err);
    }
    if (status < FLAME_FIRST_FAILURE && !run->result.owner)
        status = fl_result_prepare(run, err) == FLAME_OK ? status : FLAME_ERR_NO_MEMORY;
    run->result.duration_ns = fl_now_ns() - run->watch.started_ns;
    if (status >= FLAME_FIRST_FAILURE) {
        complete_error(run, status, err);
        flame_result_done(&run->result); /* it was ready, and then not to be published */
    }
    if (fl_output_done(run, status))
        err->flags |= FLAME_ERROR_RESUMABLE;
    atomic_fetch_add(&run->engine->transferred, run->transferred);
    return status;
}

void fl_run_end(struct fl_run *run)
{
    fl_watch_stop(run->engine->watchdog, &run->watch);
    fl_transfer_done(&run->transfer);
    fl_source_close(&run->source);
    fl_held_done(&run->held);
    fl_hop_done(&run->hop);
    fl_task_done(&run->task);
    fl_pace_done(&run->pace);
}
