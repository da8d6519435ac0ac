/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

static void inherit_limits(struct flame_task *task, const struct flame_task *said)
{
    task->options = said->options;
    task->connect_timeout_ms = said->connect_timeout_ms;
    task->first_byte_timeout_ms = said->first_byte_timeout_ms;
    task->stall_timeout_ms = said->stall_timeout_ms;
    task->total_timeout_ms = said->total_timeout_ms;
    task->attempts = said->attempts;
    task->retry_delay_ms = said->retry_delay_ms;
    task->retry_max_ms = said->retry_max_ms;
}

/* What the caller gave for his own origin. `secrets` gets the userinfo of his url too. */
static int32_t inherit_identity(struct flame_task *task, const struct fl_task *parent,
                                struct fl_pairs *secrets, struct flame_error *err)
{
    bool ok = fl_pairs_copy(secrets, parent->said.secrets);

    if (ok && parent->url.userinfo && !fl_pairs_get(secrets, FLAME_SECRET_BASIC))
        ok = fl_pairs_add(secrets, FLAME_SECRET_BASIC, parent->url.userinfo);
    if (!ok)
        return fl_fail_memory(err);
    task->headers = parent->said.headers;
    task->secrets = fl_pairs_list(secrets);
    return FLAME_OK;
}

static bool is_at_home(struct fl_run *parent, const char *url)
{
    struct fl_hop hop = {.number = 0};
    bool is_home =
        fl_hop_first(&parent->task, parent->setup->registry, url, &hop, NULL) == FLAME_OK &&
        hop.is_home;

    fl_hop_done(&hop);
    return is_home;
}

/* What stopped the other is why this one stopped. */
static int32_t explain_end(struct fl_run *parent, int32_t status, struct flame_error *err)
{
    if (status < FLAME_FIRST_FAILURE || fl_watch_status(&parent->watch) == FLAME_OK)
        return status;
    fl_error_reset(err);
    return fl_watch_explain(&parent->watch, err);
}

static int32_t run_it(struct fl_run *child, struct fl_run *parent, struct flame_result *result,
                      struct flame_error *err)
{
    int32_t status;

    child->above = &parent->watch;
    status = fl_run_begin(child, parent->watch.token, err);
    if (status != FLAME_OK)
        return status;
    fl_watch_enter(&parent->watch);
    status = fl_run_do(child, err);
    fl_watch_leave(&parent->watch);
    fl_run_end(child);
    fl_result_give(&child->result, status == FLAME_OK ? result : NULL);
    return explain_end(parent, status, err);
}

int32_t fl_child_run(struct fl_run *parent, uint32_t verb, struct flame_task *task,
                     struct flame_result *result, struct flame_error *err)
{
    fl_auto_free struct fl_run *child = calloc(1, sizeof(*child));
    struct fl_pairs secrets = {0};
    int32_t status = FLAME_OK;

    if (!child)
        return fl_fail_memory(err);
    inherit_limits(task, &parent->task.said);
    if (is_at_home(parent, task->url))
        status = inherit_identity(task, &parent->task, &secrets, err);
    child->engine = parent->engine;
    child->setup = parent->setup;
    child->verb = verb;
    child->said = task;
    if (status == FLAME_OK)
        status = run_it(child, parent, result, err);
    fl_pairs_done(&secrets, true);
    return status;
}
