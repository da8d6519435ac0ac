/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 50

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
        status = fl_registry_find(run->flame->registry, scheme, &plugin, err);
    if (status == FLAME_OK)
        status = fl_task_init(&run->task, run->verb, run->said,
                              fl_plugin_default_port(plugin, scheme), err);
    if (status == FLAME_OK)
        status = fl_plugin_use(plugin, &table, &instance, err);
    if (status == FLAME_OK)
        status = fl_task_settle(&run->task, run->flame->config, fl_plugin_options(plugin), err);
    if (status == FLAME_OK)
        status = fl_hop_first(&run->task, plugin, &run->hop, err);
    return status;
}

static int32_t fetch(struct fl_run *run, struct flame_error *err)
{
    int32_t status = fl_output_open(run, err);

    if (status == FLAME_OK)
        status = fl_output_check_current(run, err);
    if (status == FLAME_OK && run->is_cached)
        return fl_result_prepare(run, err);
    if (status == FLAME_OK)
        status = fl_attempt(run, err);
    if (status == FLAME_OK)
        status = fl_output_verify(run, err);
    if (status == FLAME_OK)
        status = fl_result_prepare(run, err);
    return status == FLAME_OK ? fl_output_publish(run, err) : status;
}

static int32_t look_up(struct fl_run *run, struct flame_error *err)
{
    int32_t status = fl_attempt(run, err);

    return status == FLAME_OK ? fl_result_prepare(run, err) : status;
}

static int32_t do_task(struct fl_run *run, struct flame_error *err)
{
    int32_t status = understand(run, err);

    if (status != FLAME_OK)
        return status;
    run->expected = run->task.digest;
    fl_watch_limit(run->flame->watchdog, &run->watch, &run->task.limits);
    return run->verb == FLAME_FETCH ? fetch(run, err) : look_up(run, err);
}

static void work(void *data)
{
    struct fl_run *run = data;

    run->status = do_task(run, &run->err);
    fl_exchange_end(&run->exchange);
}

/* The caller's side: show progress; give up a place in the queue when nobody wants it any more. */
static bool tick(void *data)
{
    struct fl_run *run = data;

    fl_progress_show(run, false);
    if (fl_watch_status(&run->watch) == FLAME_OK || !fl_pool_withdraw(run->flame->pool, &run->job))
        return true;
    run->status = fl_watch_explain(&run->watch, &run->err);
    return false;
}

static int32_t begin(struct fl_run *run, const struct flame_result *result, struct flame_error *err)
{
    const struct flame_task *said = run->said;
    struct flame_cancel *token = FLAME_REACHES(said, cancel) ? said->cancel : NULL;
    int32_t status;

    if (result && !FLAME_REACHES(result, owner))
        return fl_fail(err, FLAME_ERR_INVALID, "the result struct is too small");
    status = fl_exchange_init(&run->exchange, err);
    if (status != FLAME_OK)
        return status;
    status = fl_watch_start(run->flame->watchdog, &run->watch, token, err);
    if (status != FLAME_OK)
        fl_exchange_done(&run->exchange);
    return status;
}

static void end(struct fl_run *run)
{
    fl_watch_stop(run->flame->watchdog, &run->watch);
    fl_exchange_done(&run->exchange);
    fl_output_done(run);
    fl_result_free(run->owner);
    fl_transfer_done(&run->transfer);
    fl_hop_done(&run->hop);
    fl_task_done(&run->task);
}

/* Where it happened: the hop, or what the caller wrote when that could not be understood. */
static void name_url(struct fl_run *run)
{
    const char *text = run->hop.url.text ? run->hop.url.text : run->said->url;
    fl_auto_free char *safe = text ? fl_url_redact(text) : NULL;

    if (safe)
        (void)fl_escape(safe, strlen(safe), run->err.url, sizeof(run->err.url));
}

static int32_t run_on_core(struct fl_run *run, struct flame_result *result)
{
    int32_t status;

    run->job = (struct fl_pool_job){.body = work, .data = run};
    status = fl_pool_submit(run->flame->pool, &run->job, &run->err);
    if (status == FLAME_OK) {
        fl_exchange_serve(&run->exchange, tick, run, TICK_MS);
        status = run->status;
    }
    if (status == FLAME_OK && result)
        fl_result_give(run, result);
    if (status != FLAME_OK)
        name_url(run);
    return status;
}

int32_t flame_run(struct flame *flame, uint32_t verb, const struct flame_task *task,
                  struct flame_result *result, struct flame_error *err)
{
    struct fl_run run = {.flame = flame, .said = task, .verb = verb, .spool_fd = -1};
    int32_t status;

    run.err = FLAME_INIT(flame_error);
    run.bound_size = UINT64_MAX;
    status = fl_flame_check(flame, &run.err);
    if (status == FLAME_OK)
        status = begin(&run, result, &run.err);
    if (status == FLAME_OK) {
        status = run_on_core(&run, result);
        end(&run);
    }
    if (status != FLAME_OK)
        fl_error_export(&run.err, err);
    return status;
}
