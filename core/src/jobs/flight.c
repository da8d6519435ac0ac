/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/job.h"

#include <string.h>

static bool is_same(const struct flame_job *one, const struct flame_job *other)
{
    return one->setup == other->setup && one->place[0] == other->place[0] &&
           one->place[1] == other->place[1] && memcmp(one->key, other->key, FL_KEY_BYTES) == 0;
}

/* A key is a digest: any of its bits are as good as others. */
static struct flame_job **bucket_of(struct flame *flame, const struct flame_job *job)
{
    return &flame->flights[(job->key[0] | job->key[1] << 8) % FL_FLIGHT_BUCKETS];
}

static void add_leader(struct flame *flame, struct flame_job *job)
{
    struct flame_job **bucket = bucket_of(flame, job);

    job->next = *bucket;
    *bucket = job;
}

static void remove_leader(struct flame *flame, const struct flame_job *job)
{
    for (struct flame_job **at = bucket_of(flame, job); *at; at = &(*at)->next) {
        if (*at != job)
            continue;
        *at = job->next;
        return;
    }
}

bool fl_flight_join(struct flame_job *job)
{
    struct flame *flame = job->flame;
    struct flame_job *leader;

    if (!job->is_joinable)
        return false;
    (void)pthread_mutex_lock(&flame->lock);
    leader = *bucket_of(flame, job);
    while (leader && !is_same(leader, job))
        leader = leader->next;
    if (leader) {
        job->leader = leader;
        job->next = leader->followers;
        leader->followers = job;
        flame->following++;
    } else {
        add_leader(flame, job);
    }
    (void)pthread_mutex_unlock(&flame->lock);
    return leader != NULL;
}

bool fl_flight_leave(struct flame_job *job)
{
    struct flame *flame = job->flame;
    bool found = false;

    (void)pthread_mutex_lock(&flame->lock);
    for (struct flame_job **at = job->leader ? &job->leader->followers : NULL; at && *at;
         at = &(*at)->next) {
        if (*at != job)
            continue;
        *at = job->next;
        job->leader = NULL;
        flame->following--;
        found = true;
        break;
    }
    (void)pthread_mutex_unlock(&flame->lock);
    return found;
}

/* The first of the followers leads the others. Called with the context's lock held. */
static void promote(struct flame *flame, struct flame_job *followers)
{
    struct flame_job *leader = followers;

    leader->followers = leader->next;
    leader->leader = NULL;
    flame->following--;
    for (struct flame_job *job = leader->followers; job; job = job->next)
        job->leader = leader;
    add_leader(flame, leader);
}

/* A copy of what the leader got. Without memory for it the follower fails, alone. */
static void end_like(struct flame_job *job, int32_t status, const struct flame_result *result,
                     const struct flame_error *err)
{
    struct flame_result copy = FLAME_INIT(flame_result);
    struct flame_error failure = FLAME_INIT(flame_error);

    if (err)
        failure = *err;
    if (status < FLAME_FIRST_FAILURE) {
        int32_t copied = fl_result_copy(result, &copy, &failure);

        status = copied == FLAME_OK ? status : copied;
        copy.flags |= FLAME_RESULT_JOINED;
        copy.transferred = 0;
    }
    fl_job_end(job, status, &copy, &failure);
}

static void end_all(struct flame_job *followers, int32_t status, const struct flame_result *result,
                    const struct flame_error *err)
{
    while (followers) {
        struct flame_job *job = followers;

        followers = job->next; /* the job may be gone after its end */
        end_like(job, status, result, err);
    }
}

static void take_over(struct flame_job *job)
{
    struct flame_error err = FLAME_INIT(flame_error);
    int32_t status = fl_pool_submit(job->flame->engine.pool, &job->pool_job, &err);

    if (status == FLAME_OK)
        return;
    fl_flight_end(job, status, NULL, &err);
    fl_job_end(job, status, NULL, &err);
}

void fl_flight_end(struct flame_job *leader, int32_t status, const struct flame_result *result,
                   const struct flame_error *err)
{
    struct flame *flame = leader->flame;
    struct flame_job *followers;
    bool goes_on;

    if (!leader->is_joinable)
        return;
    (void)pthread_mutex_lock(&flame->lock);
    remove_leader(flame, leader);
    followers = leader->followers;
    leader->followers = NULL;
    goes_on = followers && leader->has_given_up && !flame->is_closing;
    if (goes_on) {
        promote(flame, followers);
    } else {
        for (struct flame_job *job = followers; job; job = job->next) {
            job->leader = NULL;
            flame->following--;
            flame->joined += status < FLAME_FIRST_FAILURE;
        }
    }
    (void)pthread_mutex_unlock(&flame->lock);
    if (goes_on)
        take_over(followers);
    else
        end_all(followers, status, result, err);
}
