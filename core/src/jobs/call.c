/* SPDX-License-Identifier: Apache-2.0 */
/* A task in the foreground: the caller waits and serves his callbacks. */
#include "jobs/job.h"

#define TICK_MS 50

static bool tick(void *data)
{
    struct flame_job *job = data;
    struct flame_progress now;
    int32_t wanted;

    if (fl_job_progress(job, &now) && job->task.progress(job->task.data, &now) != 0)
        flame_job_cancel(job);
    wanted = fl_job_wanted(job);
    if (wanted != FLAME_OK)
        (void)fl_job_give_up(job, wanted); /* who runs is told by his watch */
    return true;
}

static int32_t serve(struct flame_job *job, struct flame_error *err)
{
    int32_t status = fl_exchange_init(&job->exchange, NULL, err);

    if (status != FLAME_OK)
        return status;
    status = fl_job_start(job, err);
    if (status == FLAME_OK)
        fl_exchange_serve(&job->exchange, tick, job, TICK_MS);
    fl_exchange_done(&job->exchange);
    return status == FLAME_OK ? flame_job_outcome(job, NULL, err) : status;
}

int32_t flame_run(struct flame *flame, uint32_t verb, const struct flame_task *task,
                  struct flame_result *result, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct flame_job job;
    int32_t status = fl_flame_check(flame, &own);

    if (status == FLAME_OK)
        status = fl_result_check(result, &own);
    if (status != FLAME_OK) {
        fl_error_export(&own, err);
        return status;
    }
    status = fl_job_init(&job, flame, verb, task, &own);
    if (status == FLAME_OK)
        status = serve(&job, &own);
    if (status < FLAME_FIRST_FAILURE)
        fl_result_give(&job.result, result);
    else
        fl_job_name_url(&job, &own);
    fl_job_done(&job);
    if (status >= FLAME_FIRST_FAILURE)
        fl_error_export(&own, err);
    return status;
}
