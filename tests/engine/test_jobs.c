/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks in the background: handles, callbacks, the descriptor, cancel, close. */
#include "gated.h"

#include <poll.h>

#define JOB_TEST(name)                                                                             \
    Test(jobs, name, .init = gated_set_up, .fini = gated_tear_down, .timeout = 120)

static bool is_readable(struct flame *of)
{
    struct pollfd fd = {.fd = flame_fd(of), .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

JOB_TEST(a_job_can_be_waited_for_and_asked_how_it_ended)
{
    struct flame_job *job = submit(flame, &task, NULL);
    struct flame_result result = FLAME_INIT(flame_result);
    struct flame_error err = FLAME_INIT(flame_error);

    wait_until(atomic_load(&gate.reached) == 1);
    cr_expect_eq(flame_job_state(job), FLAME_JOB_RUNNING);
    cr_expect_eq(flame_job_wait(job, 20), FLAME_JOB_RUNNING);
    cr_expect_eq(flame_job_outcome(job, &result, &err), FLAME_ERR_BUSY);
    atomic_store(&gate.is_open, true);
    cr_expect_eq(flame_job_wait(job, UINT32_MAX), FLAME_JOB_ENDED);
    for (int i = 0; i < 2; i++) { /* a copy each time */
        cr_expect_eq(flame_job_outcome(job, &result, NULL), FLAME_OK);
        cr_expect_eq(result.size, 3);
        cr_expect_str_eq(result.plugin, "org.flame.http");
        flame_result_done(&result);
    }
    cr_expect(scratch_holds(task.path, "abc", 3));
    cr_expect_not(is_readable(flame));
    flame_job_release(job);
}

JOB_TEST(done_is_called_once_and_nowhere_but_in_dispatch)
{
    struct watched watched = {0};
    struct flame_job *job;

    atomic_store(&gate.is_open, true);
    job = submit(flame, &task, &watched);
    cr_expect_eq(flame_job_wait(job, PATIENCE_MS), FLAME_JOB_ENDED);
    wait_until(is_readable(flame));
    cr_expect_eq(atomic_load(&watched.done), 0);
    cr_expect_eq(dispatch(flame, 0), 1);
    cr_expect_eq(dispatch(flame, 20), 0);
    cr_expect_eq(atomic_load(&watched.done), 1);
    cr_expect_eq(atomic_load(&watched.strangers), 0);
    cr_expect_eq(watched.size, 3);
    cr_expect_not(is_readable(flame));
    flame_job_release(job);
}

JOB_TEST(a_failure_reaches_done_and_the_handle)
{
    struct watched watched = {0};
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_job *job;

    task.url = scratch_url(&scratch, "missing");
    job = submit(flame, &task, &watched);
    dispatch_until_done(flame, &watched);
    cr_expect_eq(atomic_load(&watched.status), FLAME_ERR_NOT_FOUND);
    cr_expect_eq(flame_job_outcome(job, NULL, &err), FLAME_ERR_NOT_FOUND);
    cr_expect_str_eq(err.message, watched.message);
    cr_expect_str_eq(err.url, task.url);
    cr_expect_eq(atomic_load(&watched.strangers), 0);
    flame_job_release(job);
}

static bool redirect_once(void *data, const struct tiny_request *request)
{
    (void)data;
    if (strcmp(request->path, "/start") == 0)
        return tiny_send(request,
                         "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n");
    return tiny_answer(request, "200 OK", "abc", 3);
}

JOB_TEST(every_callback_runs_in_dispatch)
{
    struct tiny_server *other = tiny_server_open(redirect_once, NULL);
    struct watched watched[2] = {{0}, {0}};

    task.url = tiny_server_url(other, "/start");
    task.event = on_event;
    task.progress = on_progress;
    task.verify = on_verify;
    flame_job_release(submit(flame, &task, &watched[0]));
    task.path = NULL;
    task.verify = NULL;
    task.write = on_write;
    flame_job_release(submit(flame, &task, &watched[1]));
    for (int i = 0; i < 2; i++) {
        dispatch_until_done(flame, &watched[i]);
        cr_expect_eq(atomic_load(&watched[i].status), FLAME_OK, "%s", watched[i].message);
        cr_expect_eq(atomic_load(&watched[i].strangers), 0);
        cr_expect_eq(atomic_load(&watched[i].events), 1);
        cr_expect_geq(atomic_load(&watched[i].progress), 1);
    }
    cr_expect_eq(atomic_load(&watched[0].verified), 1);
    cr_expect_eq(atomic_load(&watched[1].writes), 1);
    tiny_server_close(other);
}

static int32_t refuse(void *data, const void *bytes, uint64_t size)
{
    return on_write(data, bytes, size) + 1;
}

JOB_TEST(a_callback_that_says_no_ends_the_job)
{
    struct watched watched = {0};

    atomic_store(&gate.is_open, true);
    task.path = NULL;
    task.write = refuse;
    flame_job_release(submit(flame, &task, &watched));
    dispatch_until_done(flame, &watched);
    cr_expect_eq(atomic_load(&watched.status), FLAME_ERR_CANCELLED);
}

static char *spoilt[16];
static size_t spoilt_count;

static const char *own(const char *text)
{
    spoilt[spoilt_count] = strdup(text);
    return spoilt[spoilt_count++];
}

static bool check_header(void *data, const struct tiny_request *request)
{
    if (!strstr(request->head, "X-Mine: yes") || !strstr(request->head, "Bearer token"))
        return tiny_answer(request, "400 Bad", "", 0);
    return answer_at_gate(data, request);
}

/* Everything the task points at, on the heap, and gone before the task begins. */
static struct flame_job *submit_and_spoil(struct flame *to, struct tiny_server *at)
{
    const char *headers[] = {own("X-Mine"), own("yes"), NULL};
    const char *secrets[] = {own("auth.bearer"), own("token"), NULL};
    const char *options[] = {own("limit.bytes"), own("3"), NULL};
    const char *mirrors[] = {own("http://127.0.0.1:1/nobody"), NULL};
    struct flame_task *own_task = malloc(sizeof(*own_task));
    struct flame_job *job;

    *own_task = task;
    own_task->url = own(tiny_server_url(at, "/x"));
    own_task->path = own(task.path);
    own_task->digest =
        own("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    own_task->headers = headers;
    own_task->secrets = secrets;
    own_task->options = options;
    own_task->mirrors = mirrors;
    job = submit(to, own_task, NULL);
    memset(own_task, 0xee, sizeof(*own_task));
    free(own_task);
    for (size_t i = 0; i < spoilt_count; i++) {
        memset(spoilt[i], '?', strlen(spoilt[i]));
        free(spoilt[i]);
    }
    memset(headers, 0, sizeof(headers));
    memset(secrets, 0, sizeof(secrets));
    memset(options, 0, sizeof(options));
    memset(mirrors, 0, sizeof(mirrors));
    return job;
}

JOB_TEST(a_submitted_task_and_all_it_points_at_may_go)
{
    struct tiny_server *other = tiny_server_open(check_header, &gate);
    struct flame *narrow = open_context(1);
    struct flame_job *first = submit(narrow, &task, NULL);
    struct flame_job *second;

    wait_until(atomic_load(&gate.reached) == 1);
    task.path = scratch_path(&scratch, "second");
    second = submit_and_spoil(narrow, other);
    cr_expect_eq(flame_job_state(second), FLAME_JOB_WAITING);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    finish(second, FLAME_OK);
    cr_expect(scratch_holds(task.path, "abc", 3));
    flame_close(narrow);
    tiny_server_close(other);
}

JOB_TEST(what_cannot_be_understood_is_refused_at_once)
{
    static const struct {
        const char *url;
        uint32_t flags;
        int32_t status;
    } rows[] = {
        {NULL, 0, FLAME_ERR_INVALID},
        {"http://", 0, FLAME_ERR_INVALID_URL},
        {"no-such-scheme:x", 0, FLAME_ERR_UNSUPPORTED},
        {"http://127.0.0.1/x", FLAME_TASK_PREFIX, FLAME_ERR_INVALID},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct flame_error err = FLAME_INIT(flame_error);
        struct flame_job *job = NULL;

        task.url = rows[i].url;
        task.flags = rows[i].flags;
        cr_expect_eq(flame_submit(flame, FLAME_FETCH, &task, on_done, &job, &err), rows[i].status,
                     "%zu: %s", i, err.message);
        cr_expect_null(job);
        cr_expect_gt(strlen(err.message), 0);
    }
    cr_expect_not(is_readable(flame));
    cr_expect_eq(counters_of(flame).failed, 0);
}

/* ---- a loop of the host program's ------------------------------------------------------------ */

JOB_TEST(a_foreign_loop_drives_a_hundred_jobs_in_one_thread)
{
    struct watched watched[100] = {{0}};
    struct pollfd fd = {.fd = flame_fd(flame), .events = POLLIN};
    uint32_t done = 0;

    atomic_store(&gate.is_open, true);
    task.path = NULL;
    task.write = on_write;
    for (int i = 0; i < 100; i++)
        flame_job_release(submit(flame, &task, &watched[i]));
    for (double until = now_ms() + PATIENCE_MS; done < 100 && now_ms() < until;) {
        if (poll(&fd, 1, 1000) == 1)
            cr_expect_gt(dispatch(flame, 0), 0, "it was readable for nothing");
        done = 0;
        for (int i = 0; i < 100; i++)
            done += atomic_load(&watched[i].done);
    }
    for (int i = 0; i < 100; i++) {
        cr_expect_eq(atomic_load(&watched[i].done), 1);
        cr_expect_eq(atomic_load(&watched[i].status), FLAME_OK);
        cr_expect_eq(atomic_load(&watched[i].writes), 1);
        cr_expect_eq(atomic_load(&watched[i].strangers), 0);
    }
}

struct chain {
    struct flame_task task;
    atomic_uint left;
    atomic_uint failed;
};

static void submit_next(void *data, int32_t status, const struct flame_result *result,
                        const struct flame_error *err)
{
    struct chain *chain = data;

    (void)result;
    (void)err;
    if (status != FLAME_OK)
        atomic_fetch_add(&chain->failed, 1);
    if (atomic_fetch_sub(&chain->left, 1) > 1 &&
        flame_submit(flame, FLAME_FETCH, &chain->task, submit_next, NULL, NULL) != FLAME_OK)
        atomic_fetch_add(&chain->failed, 1);
}

JOB_TEST(a_callback_may_submit_the_next_job)
{
    struct chain chain = {.task = task, .left = 50};

    atomic_store(&gate.is_open, true);
    chain.task.data = &chain;
    cr_assert_eq(flame_submit(flame, FLAME_FETCH, &chain.task, submit_next, NULL, NULL), FLAME_OK);
    for (double until = now_ms() + PATIENCE_MS; atomic_load(&chain.left) > 0 && now_ms() < until;)
        (void)dispatch(flame, 100);
    cr_expect_eq(atomic_load(&chain.left), 0);
    cr_expect_eq(atomic_load(&chain.failed), 0);
}

static int32_t slow_progress(void *data, const struct flame_progress *progress)
{
    usleep(120000); /* longer than the patrol's round */
    return on_progress(data, progress);
}

static void *dispatch_for_a_while(void *data)
{
    const struct watched *watched = data;

    for (double until = now_ms() + PATIENCE_MS;
         atomic_load(&watched->done) == 0 && now_ms() < until;)
        (void)dispatch(flame, 50);
    return NULL;
}

static bool drip(void *data, const struct tiny_request *request)
{
    (void)data;
    if (!tiny_send(request, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"))
        return false;
    for (int i = 0; i < 40; i++) {
        usleep(20000);
        if (!tiny_send(request, "x"))
            return false;
    }
    return true;
}

JOB_TEST(several_threads_may_dispatch)
{
    struct tiny_server *other = tiny_server_open(drip, NULL);
    struct watched watched = {0};
    pthread_t threads[4];

    task.url = tiny_server_url(other, "/x");
    task.progress = slow_progress;
    flame_job_release(submit(flame, &task, &watched));
    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, dispatch_for_a_while, &watched), 0);
    for (int i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    cr_expect_eq(atomic_load(&watched.done), 1);
    cr_expect_eq(atomic_load(&watched.status), FLAME_OK, "%s", watched.message);
    cr_expect_eq(atomic_load(&watched.strangers), 0);
    tiny_server_close(other);
}

JOB_TEST(progress_comes_at_most_ten_times_a_second)
{
    struct tiny_server *other = tiny_server_open(drip, NULL);
    struct watched watched = {0};
    double began = now_ms();
    double seconds;

    task.url = tiny_server_url(other, "/x");
    task.progress = on_progress;
    flame_job_release(submit(flame, &task, &watched));
    dispatch_until_done(flame, &watched);
    seconds = (now_ms() - began) / 1e3;
    cr_expect_geq(atomic_load(&watched.progress), 3);
    cr_expect_leq(atomic_load(&watched.progress), (uint32_t)(10 * seconds) + 2,
                  "%u times in %.2f s", atomic_load(&watched.progress), seconds);
    is_dispatching = true; /* the caller of flame_run() is served on his own thread */
    atomic_store(&watched.progress, 0);
    task.data = &watched;
    began = now_ms();
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_OK);
    seconds = (now_ms() - began) / 1e3;
    cr_expect_geq(atomic_load(&watched.progress), 3);
    cr_expect_leq(atomic_load(&watched.progress), (uint32_t)(10 * seconds) + 2,
                  "%u times in %.2f s", atomic_load(&watched.progress), seconds);
    cr_expect_eq(atomic_load(&watched.strangers), 0);
    tiny_server_close(other);
}

JOB_TEST(a_job_that_waits_wakes_no_loop)
{
    struct watched watched = {0};
    struct flame_job *job;

    task.progress = on_progress;
    job = submit(flame, &task, &watched);
    wait_until(atomic_load(&gate.reached) == 1);
    (void)dispatch(flame, 300); /* how it stands is worth a word */
    while (dispatch(flame, 0) > 0)
        continue;
    usleep(300000);
    cr_expect_not(is_readable(flame), "nothing has happened, and still there is something to do");
    atomic_store(&gate.is_open, true);
    dispatch_until_done(flame, &watched);
    flame_job_release(job);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static void expect_prompt_cancel(struct flame_job *job)
{
    double began = now_ms();
    double took;

    flame_job_cancel(job);
    cr_expect_eq(flame_job_wait(job, PATIENCE_MS), FLAME_JOB_ENDED);
    took = now_ms() - began;
    cr_expect_lt(took, CANCEL_MS, "it took %.0f ms", took);
    finish(job, FLAME_ERR_CANCELLED);
}

JOB_TEST(a_running_job_is_cancelled_promptly)
{
    struct flame_job *job = submit(flame, &task, NULL);

    wait_until(atomic_load(&gate.reached) == 1);
    expect_prompt_cancel(job);
    cr_expect_eq(access(task.path, F_OK), -1);
}

JOB_TEST(a_queued_job_is_cancelled_promptly_and_never_asks)
{
    struct flame *narrow = open_context(1);
    struct flame_job *first = submit(narrow, &task, NULL);
    struct flame_job *second;

    wait_until(atomic_load(&gate.reached) == 1);
    task.path = scratch_path(&scratch, "second");
    second = submit(narrow, &task, NULL);
    cr_expect_eq(flame_job_state(second), FLAME_JOB_WAITING);
    expect_prompt_cancel(second);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    flame_close(narrow);
    cr_expect_eq(tiny_server_requests(server), 1);
}

JOB_TEST(a_following_job_is_cancelled_promptly_and_its_leader_goes_on)
{
    struct flame_job *leader = submit(flame, &task, NULL);
    struct flame_job *follower;

    wait_until(atomic_load(&gate.reached) == 1);
    follower = submit(flame, &task, NULL);
    cr_expect_eq(counters_of(flame).waiting, 1);
    expect_prompt_cancel(follower);
    cr_expect_eq(counters_of(flame).waiting, 0);
    atomic_store(&gate.is_open, true);
    finish(leader, FLAME_OK);
}

static bool be_busy(void *data, const struct tiny_request *request)
{
    (void)data;
    return tiny_send(request, "HTTP/1.1 503 Busy\r\nRetry-After: 20\r\nContent-Length: 0\r\n\r\n");
}

JOB_TEST(a_pausing_job_is_cancelled_promptly)
{
    struct tiny_server *other = tiny_server_open(be_busy, NULL);
    struct watched watched = {0};
    struct flame_job *job;

    task.url = tiny_server_url(other, "/x");
    task.event = on_event;
    job = submit(flame, &task, &watched);
    for (double until = now_ms() + PATIENCE_MS;
         atomic_load(&watched.events) == 0 && now_ms() < until;)
        (void)dispatch(flame, 100);
    usleep(20000);
    expect_prompt_cancel(job);
    cr_expect_eq(tiny_server_requests(other), 1);
    tiny_server_close(other);
}

JOB_TEST(a_job_that_waits_for_its_callback_is_cancelled_when_that_returns)
{
    struct watched watched = {0};
    struct flame_job *job;

    atomic_store(&gate.is_open, true);
    task.path = NULL;
    task.write = on_write;
    job = submit(flame, &task, &watched);
    wait_until(is_readable(flame)); /* its question lies there */
    flame_job_cancel(job);
    dispatch_until_done(flame, &watched);
    cr_expect_eq(atomic_load(&watched.strangers), 0);
    finish(job, FLAME_ERR_CANCELLED);
}

JOB_TEST(one_token_stops_all_jobs_that_name_it)
{
    struct flame *narrow = open_context(4);
    struct flame_job *jobs[12];
    double began;

    task.cancel = flame_cancel_new();
    for (int i = 0; i < 12; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "out%d", i % 6); /* some follow */
        task.path = scratch_path(&scratch, name);
        jobs[i] = submit(narrow, &task, NULL);
    }
    wait_until(atomic_load(&gate.reached) == 4);
    began = now_ms();
    flame_cancel_set(task.cancel);
    for (int i = 0; i < 12; i++)
        cr_expect_eq(flame_job_wait(jobs[i], PATIENCE_MS), FLAME_JOB_ENDED);
    cr_expect_lt(now_ms() - began, 2 * CANCEL_MS, "it took %.0f ms", now_ms() - began);
    for (int i = 0; i < 12; i++)
        finish(jobs[i], FLAME_ERR_CANCELLED);
    flame_close(narrow);
    flame_cancel_free(task.cancel);
}

JOB_TEST(a_token_that_is_set_already_stops_jobs_at_once)
{
    task.cancel = flame_cancel_new();
    flame_cancel_set(task.cancel);
    for (int i = 0; i < 200; i++)
        finish(submit(flame, &task, NULL), FLAME_ERR_CANCELLED);
    cr_expect_eq(tiny_server_requests(server), 0);
    flame_close(flame); /* before the token goes */
    flame = NULL;
    flame_cancel_free(task.cancel);
}

JOB_TEST(the_time_of_a_task_runs_while_it_waits_for_a_thread)
{
    struct flame *narrow = open_context(1);
    struct flame_job *first = submit(narrow, &task, NULL);
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_job *second;
    double began = now_ms();

    wait_until(atomic_load(&gate.reached) == 1);
    task.path = scratch_path(&scratch, "second");
    task.total_timeout_ms = 150;
    second = submit(narrow, &task, NULL);
    finish(second, FLAME_ERR_TIMEOUT);
    cr_expect_lt(now_ms() - began, 1500);
    cr_expect_eq(flame_run(narrow, FLAME_FETCH, &task, NULL, &err), FLAME_ERR_TIMEOUT);
    cr_expect_str_eq(err.message, "not done within 150 ms");
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    flame_close(narrow);
}

JOB_TEST(the_time_spent_waiting_counts_once_it_runs)
{
    struct flame *narrow = open_context(1);
    struct flame_job *first = submit(narrow, &task, NULL);
    struct gate closed = {0};
    struct tiny_server *other = tiny_server_open(answer_at_gate, &closed);
    struct flame_job *second;
    double began;

    wait_until(atomic_load(&gate.reached) == 1);
    task.url = tiny_server_url(other, "/x");
    task.path = scratch_path(&scratch, "second");
    task.total_timeout_ms = 800;
    began = now_ms();
    second = submit(narrow, &task, NULL);
    usleep(500000);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    finish(second, FLAME_ERR_TIMEOUT);
    cr_expect_lt(now_ms() - began, 1200, "%.0f ms", now_ms() - began);
    flame_close(narrow);
    open_and_close(&closed, other);
}

/* ---- closing --------------------------------------------------------------------------------- */

JOB_TEST(closing_ends_what_runs_what_waits_and_what_follows)
{
    struct flame *narrow = open_context(2);
    struct watched watched[10] = {{0}};
    struct flame_job *jobs[10];
    double began;

    task.progress = on_progress;
    for (int i = 0; i < 10; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "out%d", i / 2);
        task.path = scratch_path(&scratch, name);
        jobs[i] = submit(narrow, &task, &watched[i]);
    }
    wait_until(atomic_load(&gate.reached) == 2);
    usleep(120000); /* letters about their progress lie there */
    began = now_ms();
    flame_close(narrow);
    cr_expect_lt(now_ms() - began, 10 * CANCEL_MS);
    for (int i = 0; i < 10; i++) {
        struct flame_error err = FLAME_INIT(flame_error);

        cr_expect_eq(flame_job_state(jobs[i]), FLAME_JOB_ENDED);
        cr_expect_eq(flame_job_wait(jobs[i], UINT32_MAX), FLAME_JOB_ENDED);
        cr_expect_eq(flame_job_outcome(jobs[i], NULL, &err), FLAME_ERR_CANCELLED);
        flame_job_cancel(jobs[i]);
        flame_job_release(jobs[i]);
        cr_expect_eq(atomic_load(&watched[i].done), 0, "nobody has dispatched");
    }
}

JOB_TEST(closing_lets_questions_go_that_nobody_answered)
{
    struct flame *other = open_context(0);
    struct watched watched[8] = {{0}};
    struct flame_job *jobs[8];

    atomic_store(&gate.is_open, true);
    task.path = NULL;
    task.write = on_write;
    for (int i = 0; i < 8; i++)
        jobs[i] = submit(other, &task, &watched[i]);
    wait_until(is_readable(other));
    flame_close(other);
    for (int i = 0; i < 8; i++) {
        cr_expect_eq(atomic_load(&watched[i].writes), 0);
        cr_expect_eq(atomic_load(&watched[i].done), 0);
        finish(jobs[i], FLAME_ERR_CANCELLED);
    }
}

JOB_TEST(closing_drops_letters_that_nobody_read)
{
    struct flame *other = open_context(0);
    struct watched watched[20] = {{0}};
    struct flame_job *kept;
    struct flame_result result = FLAME_INIT(flame_result);

    atomic_store(&gate.is_open, true);
    for (int i = 0; i < 19; i++)
        flame_job_release(submit(other, &task, &watched[i]));
    kept = submit(other, &task, &watched[19]);
    wait_until(counters_of(other).succeeded == 20);
    flame_close(other);
    for (int i = 0; i < 20; i++)
        cr_expect_eq(atomic_load(&watched[i].done), 0);
    cr_expect_eq(flame_job_outcome(kept, &result, NULL), FLAME_OK);
    cr_expect_eq(result.size, 3);
    flame_result_done(&result);
    flame_job_release(kept);
}

JOB_TEST(jobs_may_be_released_in_any_state)
{
    for (int i = 0; i < 200; i++) {
        struct flame_job *job = submit(flame, &task, NULL);

        if (i % 3 == 0)
            flame_job_cancel(job);
        flame_job_release(job);
        if (i == 100)
            atomic_store(&gate.is_open, true);
    }
    flame_job_release(NULL);
    wait_until(counters_of(flame).succeeded + counters_of(flame).failed == 200);
}

/* ---- counters -------------------------------------------------------------------------------- */

JOB_TEST(counters_say_what_runs_and_what_has_been)
{
    struct flame *narrow = open_context(1);
    struct flame_job *first = submit(narrow, &task, NULL);
    struct flame_job *second;
    struct flame_job *third;
    struct flame_counters counters;
    struct flame_counters shorter = {.struct_size = offsetof(struct flame_counters, waiting)};

    wait_until(atomic_load(&gate.reached) == 1);
    second = submit(narrow, &task, NULL); /* follows */
    task.url = scratch_url(&scratch, "missing");
    third = submit(narrow, &task, NULL); /* waits for the thread */
    counters = counters_of(narrow);
    cr_expect_eq(counters.running, 1);
    cr_expect_eq(counters.waiting, 2);
    cr_expect_eq(counters.succeeded + counters.failed, 0);
    atomic_store(&gate.is_open, true);
    finish(first, FLAME_OK);
    finish(second, FLAME_OK);
    finish(third, FLAME_ERR_NOT_FOUND);
    wait_until(counters_of(narrow).running == 0);
    counters = counters_of(narrow);
    cr_expect_eq(counters.waiting, 0);
    cr_expect_eq(counters.succeeded, 2);
    cr_expect_eq(counters.failed, 1);
    cr_expect_eq(counters.joined, 1);
    cr_expect_eq(counters.transferred, 3);
    cr_expect_eq(counters.retries, 0);
    flame_counters_read(narrow, &shorter);
    cr_expect_eq(shorter.waiting, 0);
    flame_close(narrow);
}
