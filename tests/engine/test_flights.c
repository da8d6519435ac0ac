/* SPDX-License-Identifier: Apache-2.0 */
/* Single flight inside one process: who wants the same at the same time shares one transfer. */
#include "gated.h"

#define MANY 64

#define FLIGHT_TEST(name)                                                                          \
    Test(flights, name, .init = gated_set_up, .fini = gated_tear_down, .timeout = 120)

struct runner {
    struct flame_task task;
    pthread_t thread;
    int32_t status;
    uint32_t flags;
    uint64_t transferred;
    char message[256];
};

static void *run(void *data)
{
    struct runner *runner = data;
    struct flame_result result = FLAME_INIT(flame_result);
    struct flame_error err = FLAME_INIT(flame_error);

    runner->status = flame_run(flame, FLAME_FETCH, &runner->task, &result, &err);
    runner->flags = result.flags;
    runner->transferred = result.transferred;
    (void)snprintf(runner->message, sizeof(runner->message), "%.255s", err.message);
    flame_result_done(&result);
    return NULL;
}

static void start(struct runner *runner)
{
    runner->task = task;
    cr_assert_eq(pthread_create(&runner->thread, NULL, run, runner), 0);
}

FLIGHT_TEST(sixty_four_threads_share_one_transfer)
{
    static struct runner runners[MANY];
    uint32_t joined = 0;
    uint64_t transferred = 0;

    for (int i = 0; i < MANY; i++)
        start(&runners[i]);
    wait_until(counters_of(flame).waiting == MANY - 1 && atomic_load(&gate.reached) == 1);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < MANY; i++) {
        (void)pthread_join(runners[i].thread, NULL);
        cr_expect_eq(runners[i].status, FLAME_OK, "%s", runners[i].message);
        joined += (runners[i].flags & FLAME_RESULT_JOINED) != 0;
        transferred += runners[i].transferred;
    }
    cr_expect_eq(joined, MANY - 1);
    cr_expect_eq(transferred, 3);
    cr_expect_eq(tiny_server_requests(server), 1);
    cr_expect_eq(counters_of(flame).joined, MANY - 1);
    cr_expect(scratch_holds(task.path, "abc", 3));
}

FLIGHT_TEST(jobs_and_threads_share_one_transfer)
{
    static struct watched watched[MANY];
    struct runner runner;
    uint32_t joined = 0;

    start(&runner);
    wait_until(atomic_load(&gate.reached) == 1);
    for (int i = 0; i < MANY; i++)
        flame_job_release(submit(flame, &task, &watched[i]));
    cr_expect_eq(counters_of(flame).waiting, MANY);
    cr_expect_eq(counters_of(flame).running, 1);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < MANY; i++) {
        dispatch_until_done(flame, &watched[i]);
        cr_expect_eq(atomic_load(&watched[i].status), FLAME_OK);
        joined += (watched[i].flags & FLAME_RESULT_JOINED) != 0;
    }
    (void)pthread_join(runner.thread, NULL);
    cr_expect_eq(runner.status, FLAME_OK);
    cr_expect_eq(joined, MANY);
    cr_expect_eq(tiny_server_requests(server), 1);
}

static bool answer_missing(void *data, const struct tiny_request *request)
{
    gate_pass(data);
    return tiny_answer(request, "404 Not Found", "", 0);
}

FLIGHT_TEST(what_is_missing_is_missing_for_all)
{
    struct tiny_server *other = tiny_server_open(answer_missing, &gate);
    struct flame_job *jobs[MANY];
    struct flame_error err = FLAME_INIT(flame_error);

    task.url = tiny_server_url(other, "/x");
    for (int i = 0; i < MANY; i++)
        jobs[i] = submit(flame, &task, NULL);
    wait_until(counters_of(flame).waiting == MANY - 1);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < MANY; i++) {
        expect_outcome(jobs[i], FLAME_ERR_NOT_FOUND);
        cr_expect_eq(flame_job_outcome(jobs[i], NULL, &err), FLAME_ERR_NOT_FOUND);
        cr_expect_str_eq(err.url, task.url);
        flame_job_release(jobs[i]);
    }
    cr_expect_eq(tiny_server_requests(other), 1);
    cr_expect_eq(counters_of(flame).failed, MANY);
    cr_expect_eq(counters_of(flame).joined, 0);
    tiny_server_close(other);
}

FLIGHT_TEST(when_the_leader_is_cancelled_a_follower_takes_over)
{
    struct flame_job *jobs[MANY];

    for (int i = 0; i < MANY; i++)
        jobs[i] = submit(flame, &task, NULL);
    wait_until(counters_of(flame).waiting == MANY - 1 && atomic_load(&gate.reached) == 1);
    flame_job_cancel(jobs[0]);
    finish(jobs[0], FLAME_ERR_CANCELLED);
    wait_until(atomic_load(&gate.reached) == 2);
    cr_expect_eq(counters_of(flame).waiting, MANY - 2);
    atomic_store(&gate.is_open, true);
    for (int i = 1; i < MANY; i++)
        finish(jobs[i], FLAME_OK);
    cr_expect_eq(tiny_server_requests(server), 2);
    cr_expect_eq(counters_of(flame).joined, MANY - 2);
}

FLIGHT_TEST(leaders_may_go_one_after_the_other)
{
    struct flame_job *jobs[8];

    for (int i = 0; i < 8; i++)
        jobs[i] = submit(flame, &task, NULL);
    for (int left = 8; left > 1; left--) {
        uint32_t running = 8;

        wait_until(counters_of(flame).running == 1 && counters_of(flame).waiting == left - 1u);
        for (uint32_t i = 0; i < 8 && running == 8; i++)
            if (jobs[i] && flame_job_state(jobs[i]) == FLAME_JOB_RUNNING)
                running = i;
        if (running == 8) {
            left++; /* it is about to begin */
            continue;
        }
        flame_job_cancel(jobs[running]);
        finish(jobs[running], FLAME_ERR_CANCELLED);
        jobs[running] = NULL;
    }
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < 8; i++)
        if (jobs[i])
            finish(jobs[i], FLAME_OK);
}

FLIGHT_TEST(a_leader_on_a_thread_of_the_caller_is_followed_up_too)
{
    struct flame_cancel *token = flame_cancel_new();
    struct flame_job *job;
    struct runner runner;

    task.cancel = token;
    start(&runner);
    wait_until(atomic_load(&gate.reached) == 1);
    task.cancel = NULL;
    job = submit(flame, &task, NULL);
    flame_cancel_set(token);
    (void)pthread_join(runner.thread, NULL);
    cr_expect_eq(runner.status, FLAME_ERR_CANCELLED);
    wait_until(atomic_load(&gate.reached) == 2);
    atomic_store(&gate.is_open, true);
    finish(job, FLAME_OK);
    flame_cancel_free(token);
}

FLIGHT_TEST(a_queued_leader_that_is_cancelled_leaves_its_place_to_a_follower)
{
    struct flame *narrow = open_context(1);
    struct flame_job *first = submit(narrow, &task, NULL);
    struct flame_job *leader;
    struct flame_job *follower;

    wait_until(atomic_load(&gate.reached) == 1);
    task.path = scratch_path(&scratch, "second");
    leader = submit(narrow, &task, NULL);
    follower = submit(narrow, &task, NULL);
    flame_job_cancel(leader);
    finish(leader, FLAME_ERR_CANCELLED);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    finish(follower, FLAME_OK);
    flame_close(narrow);
}

FLIGHT_TEST(the_time_of_one_is_not_that_of_the_others)
{
    struct flame_job *leader;
    struct flame_job *follower;

    task.total_timeout_ms = 200;
    leader = submit(flame, &task, NULL);
    wait_until(atomic_load(&gate.reached) == 1);
    task.total_timeout_ms = 0;
    follower = submit(flame, &task, NULL);
    cr_expect_eq(counters_of(flame).waiting, 1);
    finish(leader, FLAME_ERR_TIMEOUT);
    wait_until(atomic_load(&gate.reached) == 2);
    atomic_store(&gate.is_open, true);
    finish(follower, FLAME_OK);
}

/* ---- who does not join ----------------------------------------------------------------------- */

/* Each waits for the first at the lock beside the destination, then fetches for itself. */
static void expect_own_transfer(struct flame_task *other)
{
    struct flame_job *first = submit(flame, &task, NULL);
    struct flame_job *second;

    wait_until(atomic_load(&gate.reached) == 1);
    second = submit(flame, other, NULL);
    wait_until(flame_job_state(second) == FLAME_JOB_RUNNING);
    cr_expect_eq(counters_of(flame).waiting, 0);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    finish(second, FLAME_OK);
    cr_expect_eq(tiny_server_requests(server), 2);
    cr_expect_eq(counters_of(flame).joined, 0);
}

FLIGHT_TEST(other_headers_are_another_request)
{
    static const char *const headers[] = {"X-Tenant", "other", NULL};
    struct flame_task other = task;

    other.headers = headers;
    expect_own_transfer(&other);
}

FLIGHT_TEST(other_secrets_are_another_request)
{
    static const char *const secrets[] = {"auth.bearer", "other", NULL};
    struct flame_task other = task;

    other.secrets = secrets;
    expect_own_transfer(&other);
}

FLIGHT_TEST(another_destination_is_another_transfer)
{
    struct flame_task other = task;

    other.path = scratch_path(&scratch, "elsewhere");
    expect_own_transfer(&other);
    cr_expect(scratch_holds(other.path, "abc", 3));
}

FLIGHT_TEST(who_joins_nobody_fetches_at_once)
{
    struct flame_task other = task;
    struct flame_job *first = submit(flame, &task, NULL);
    struct flame_job *second;
    struct flame_job *third;

    other.flags = FLAME_TASK_NO_LOCK;
    wait_until(atomic_load(&gate.reached) == 1);
    second = submit(flame, &other, NULL);
    third = submit(flame, &other, NULL);
    wait_until(atomic_load(&gate.reached) == 3);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    finish(second, FLAME_OK);
    finish(third, FLAME_OK);
    cr_expect_eq(counters_of(flame).joined, 0);
    cr_expect(scratch_holds(task.path, "abc", 3));
}

FLIGHT_TEST(another_digest_is_another_transfer_and_fails_alone)
{
    struct flame_task other = task;
    struct flame_job *first = submit(flame, &task, NULL);
    struct flame_job *second;

    other.digest = "sha256:3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282";
    wait_until(atomic_load(&gate.reached) == 1);
    second = submit(flame, &other, NULL);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    finish(second, FLAME_ERR_DIGEST);
    cr_expect(scratch_holds(task.path, "abc", 3));
}

FLIGHT_TEST(who_looks_at_the_bytes_fetches_its_own)
{
    struct flame_task other = task;
    struct watched watched = {0};
    struct flame_job *first = submit(flame, &task, NULL);

    other.verify = on_verify;
    wait_until(atomic_load(&gate.reached) == 1);
    flame_job_release(submit(flame, &other, &watched));
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    dispatch_until_done(flame, &watched);
    cr_expect_eq(atomic_load(&watched.verified), 1);
    cr_expect_eq(tiny_server_requests(server), 2);
}

FLIGHT_TEST(two_names_of_one_destination_are_one)
{
    struct flame_task other = task;
    struct flame_job *first = submit(flame, &task, NULL);
    struct flame_job *second;

    other.path = scratch_path(&scratch, "./out");
    wait_until(atomic_load(&gate.reached) == 1);
    second = submit(flame, &other, NULL);
    cr_expect_eq(counters_of(flame).waiting, 1);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    finish(second, FLAME_OK);
    cr_expect_eq(tiny_server_requests(server), 1);
}

/* ---- progress -------------------------------------------------------------------------------- */

static bool answer_in_halves(void *data, const struct tiny_request *request)
{
    static char half[65536];

    (void)tiny_send(request, "HTTP/1.1 200 OK\r\nContent-Length: 131072\r\n\r\n");
    memset(half, 'x', sizeof(half) - 1);
    (void)tiny_send(request, half);
    gate_pass(data);
    (void)tiny_send(request, half);
    return tiny_send(request, "xx");
}

static int32_t note_half(void *data, const struct flame_progress *progress)
{
    struct watched *watched = data;

    if (progress->done > 0 && progress->total == 131072)
        atomic_fetch_add(&watched->events, 1);
    return on_progress(data, progress);
}

FLIGHT_TEST(followers_see_the_progress_of_their_leader)
{
    struct tiny_server *other = tiny_server_open(answer_in_halves, &gate);
    struct watched watched[4] = {{0}};
    struct flame_job *leader;

    task.url = tiny_server_url(other, "/x");
    leader = submit(flame, &task, NULL);
    wait_until(atomic_load(&gate.reached) == 1);
    task.progress = note_half;
    for (int i = 0; i < 4; i++)
        flame_job_release(submit(flame, &task, &watched[i]));
    for (int i = 0; i < 4; i++)
        for (double until = now_ms() + PATIENCE_MS;
             atomic_load(&watched[i].events) == 0 && now_ms() < until;)
            (void)dispatch(flame, 100);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < 4; i++) {
        dispatch_until_done(flame, &watched[i]);
        cr_expect_geq(atomic_load(&watched[i].events), 1);
        cr_expect_eq(atomic_load(&watched[i].strangers), 0);
        cr_expect_eq(atomic_load(&watched[i].status), FLAME_OK);
    }
    finish(leader, FLAME_OK);
    cr_expect_eq(tiny_server_requests(other), 1);
    tiny_server_close(other);
}

/* ---- a storm --------------------------------------------------------------------------------- */

static void *storm(void *data)
{
    unsigned seed = (unsigned)(uintptr_t)data;

    for (int i = 0; i < 60; i++) {
        struct flame_job *job = submit(flame, &task, NULL);

        if (rand_r(&seed) % 2) {
            usleep((useconds_t)(rand_r(&seed) % 3000));
            flame_job_cancel(job);
        }
        if (rand_r(&seed) % 4)
            (void)flame_job_wait(job, PATIENCE_MS);
        flame_job_release(job);
    }
    return NULL;
}

FLIGHT_TEST(joining_leaving_and_cancelling_at_once_is_safe)
{
    pthread_t threads[8];

    atomic_store(&gate.is_open, true);
    for (uintptr_t i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, storm, (void *)i), 0);
    for (int i = 0; i < 8; i++)
        (void)pthread_join(threads[i], NULL);
    wait_until(counters_of(flame).succeeded + counters_of(flame).failed == 480);
    wait_until(counters_of(flame).running == 0);
    cr_expect_eq(counters_of(flame).waiting, 0);
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_OK);
}
