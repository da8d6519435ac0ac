/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs in the background have nobody who looks after them while they wait: one thread per context
 * does, with the first such job. It asks whether they are still wanted, and has their progress
 * shown. */
#include "jobs/job.h"

#include "base/clock.h"
#include "base/thread.h"

#define ROUND_NS (50 * FL_NS_PER_MS)

static void unlink_job(struct flame *flame, struct flame_job *job)
{
    *job->at_living = job->next_living;
    if (job->next_living)
        job->next_living->at_living = job->at_living;
    else
        flame->last_living = job->at_living;
    job->at_living = NULL;
    flame->living_count--;
}

static void append_job(struct flame *flame, struct flame_job *job)
{
    job->next_living = NULL;
    job->at_living = flame->last_living;
    *flame->last_living = job;
    flame->last_living = &job->next_living;
    flame->living_count++;
}

/* The first goes to the end of the line; with a reference. */
static struct flame_job *next_in_turn(struct flame *flame)
{
    struct flame_job *job;

    (void)pthread_mutex_lock(&flame->lock);
    job = flame->is_closing ? NULL : flame->living;
    if (job) {
        unlink_job(flame, job);
        append_job(flame, job);
        fl_job_ref(job);
    }
    (void)pthread_mutex_unlock(&flame->lock);
    return job;
}

static void look_at(struct flame_job *job)
{
    int32_t wanted = fl_job_wanted(job);

    if (wanted != FLAME_OK)
        (void)fl_job_give_up(job, wanted);
    else
        fl_dispatch_progress(job);
}

static void make_round(struct flame *flame, size_t count)
{
    struct flame_job *job;

    while (count-- > 0 && (job = next_in_turn(flame)) != NULL) {
        look_at(job);
        flame_job_release(job);
    }
}

static void *patrol(void *data)
{
    struct flame *flame = data;

    (void)pthread_mutex_lock(&flame->lock);
    while (!flame->is_closing) {
        size_t count = flame->living_count;

        if (count == 0) {
            (void)pthread_cond_wait(&flame->changed, &flame->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&flame->lock);
        make_round(flame, count);
        (void)pthread_mutex_lock(&flame->lock);
        if (!flame->is_closing)
            fl_cond_wait_until(&flame->changed, &flame->lock, fl_now_ns() + ROUND_NS);
    }
    (void)pthread_mutex_unlock(&flame->lock);
    return NULL;
}

static int32_t add_locked(struct flame *flame, struct flame_job *job, struct flame_error *err)
{
    int failed = 0;

    if (!flame->has_patrol)
        failed = fl_thread_start(&flame->patrol, "flame-patrol", patrol, flame);
    if (failed)
        return fl_fail_errno(err, failed, "cannot start a thread");
    flame->has_patrol = true;
    if (!flame->living)
        (void)pthread_cond_broadcast(&flame->changed);
    append_job(flame, job);
    return FLAME_OK;
}

int32_t fl_patrol_add(struct flame_job *job, struct flame_error *err)
{
    struct flame *flame = job->flame;
    int32_t status;

    (void)pthread_mutex_lock(&flame->lock);
    status = add_locked(flame, job, err);
    (void)pthread_mutex_unlock(&flame->lock);
    return status;
}

void fl_patrol_remove(struct flame_job *job)
{
    struct flame *flame = job->flame;

    (void)pthread_mutex_lock(&flame->lock);
    if (job->at_living)
        unlink_job(flame, job);
    (void)pthread_mutex_unlock(&flame->lock);
}
