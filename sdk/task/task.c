/* SPDX-License-Identifier: Apache-2.0 */
#include "task/task.h"

#include "base/text.h"

#include <flame/plugin.h>

#include <string.h>

/* A call under way: the task that the core gets, and what that task borrows. */
struct run {
    const struct sdk_call *call;
    struct flame_task task;
    struct flame_task theirs; /* the caller's, in our size */
    struct flame_settings settings;
    struct fl_pairs options;
    struct fl_pairs secrets;
};

static void run_done(struct run *run)
{
    fl_pairs_done(&run->options, false);
    fl_pairs_done(&run->secrets, true);
    flame_settings_done(&run->settings);
}

/* ---- the caller's task ----------------------------------------------------------------------- */

void sdk_task_copy(const struct flame_task *from, struct flame_task *out)
{
    size_t size = from && from->struct_size < sizeof(*out) ? from->struct_size : sizeof(*out);

    *out = FLAME_INIT(flame_task);
    if (from)
        memcpy(out, from, size);
    out->struct_size = sizeof(*out);
}

char *sdk_task_uploading(const struct flame_task *task, const char *name, const char *where)
{
    struct flame_task theirs;

    sdk_task_copy(task, &theirs);
    return theirs.path ? fl_format("cannot upload '%s' as '%s' to %s", theirs.path, name, where)
                       : fl_format("cannot upload '%s' to %s", name, where);
}

static int32_t on_entry(void *data, const struct flame_result *entry)
{
    const struct run *run = data;

    return run->call->entry(run->call->entry_data, entry);
}

static void on_event(void *data, const struct flame_event *event)
{
    const struct run *run = data;

    run->theirs.event(run->theirs.data, event);
}

/* Their callbacks keep their data beside ours. */
static void take_entries(struct run *run)
{
    run->task.data = run;
    run->task.entry = on_entry;
    run->task.progress = NULL; /* a listing has none */
    run->task.event = run->theirs.event ? on_event : NULL;
}

/* ---- the context's settings ------------------------------------------------------------------ */

/* Whom the task alone trusts, or anybody, our certificate is not shown to. */
static bool has_tls(const struct flame_task *task)
{
    return fl_list_get(task->options, FLAME_OPT_TLS_CA) ||
           fl_list_get(task->options, FLAME_OPT_TLS_VERIFY) ||
           fl_list_get(task->secrets, FLAME_SECRET_TLS_CERT) ||
           fl_list_get(task->secrets, FLAME_SECRET_TLS_KEY);
}

/* Both lists in one: what stands first counts. */
static bool join(const char *const *first, const char *const *second, struct fl_pairs *out)
{
    if (!fl_pairs_copy(out, second))
        return false;
    for (; first && first[0]; first += 2) {
        if (!fl_pairs_set(out, first[0], first[1]))
            return false;
    }
    return true;
}

static int32_t add_settings(struct run *run, struct flame_error *err)
{
    const struct sdk_call *call = run->call;
    int32_t status;

    if (!call->context || has_tls(&run->theirs))
        return FLAME_OK;
    status = flame_context_settings(call->context, call->url, &run->settings, err);
    if (status != FLAME_OK)
        return status;
    if (!join(run->theirs.options, run->settings.options, &run->options) ||
        !join(run->theirs.secrets, run->settings.secrets, &run->secrets))
        return fl_fail_memory(err);
    run->task.options = fl_pairs_list(&run->options);
    run->task.secrets = fl_pairs_list(&run->secrets);
    return FLAME_OK;
}

/* ---- running --------------------------------------------------------------------------------- */

static int32_t prepare(struct run *run, struct flame_error *err)
{
    sdk_task_copy(run->call->task, &run->theirs);
    if (run->theirs.url)
        return fl_fail(err, FLAME_ERR_INVALID, "the task has a url of its own");
    run->task = run->theirs;
    run->task.url = run->call->url;
    run->task.flags |= run->call->flags;
    if (run->call->entry)
        take_entries(run);
    return add_settings(run, err);
}

static bool nobody_answers(const struct flame_error *err)
{
    return err->status == FLAME_ERR_NETWORK && err->phase == FLAME_PHASE_CONNECT;
}

/* The core says what went wrong, we say with what. */
static void tell(const struct sdk_call *call, const struct flame_error *reason,
                 struct flame_error *err)
{
    struct flame_error told = *reason;
    bool has_hint = call->hint && nobody_answers(reason);

    told.status = FLAME_OK;
    told.message[0] = '\0';
    (void)fl_fail(&told, reason->status, "%s: %s%s%s", call->doing, reason->message,
                  has_hint ? "; " : "", has_hint ? call->hint : "");
    fl_error_export(&told, err);
}

int32_t sdk_call_run(const struct sdk_call *call, struct flame_result *result,
                     struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);
    struct run run = {.call = call, .settings = FLAME_INIT(flame_settings)};
    int32_t status = prepare(&run, &reason);

    if (status == FLAME_OK)
        status = flame_run(call->flame, call->verb, &run.task, result, &reason);
    if (status >= FLAME_FIRST_FAILURE)
        tell(call, &reason, err);
    run_done(&run);
    return status;
}
