/* SPDX-License-Identifier: Apache-2.0 */
/* Which failure is tried again, how often, after which pause; what the caller hears of it. */
#include "background.h"

#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* The n-th request gets the n-th answer, the last one for ever; NULL = "abc". */
struct script {
    const char *answers[8];
    atomic_uint asked;
};

static bool act(void *data, const struct tiny_request *request)
{
    struct script *script = data;
    uint32_t at = atomic_fetch_add(&script->asked, 1);
    uint32_t last = 0;

    while (last < 7 && script->answers[last])
        last++;
    if (at < last)
        return tiny_send(request, script->answers[at]);
    return answer_abc(NULL, request);
}

#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
#define BUSY_FOR(seconds)                                                                          \
    "HTTP/1.1 503 Busy\r\nRetry-After: " seconds "\r\nContent-Length: 0\r\n\r\n"
#define GONE "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define WRONG "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz"

struct heard {
    uint32_t count;
    struct flame_event events[16];
    int32_t reasons[16];
    uint32_t waiting_ms; /* the longest that progress has shown */
    uint32_t attempt;    /* the last that it has */
};

static struct flame *flame;
static struct scratch scratch;
static struct script script;
static struct tiny_server *server;
static struct flame_task task;
static struct flame_result result;
static struct flame_error err;
static struct heard heard;
static double took; /* ms */

static void hear(void *data, const struct flame_event *event)
{
    struct heard *to = data;

    if (to->count < 16) {
        to->events[to->count] = *event;
        to->reasons[to->count] = event->reason ? event->reason->status : FLAME_OK;
    }
    to->count++;
}

static int32_t look(void *data, const struct flame_progress *progress)
{
    struct heard *to = data;

    if (progress->waiting_ms > to->waiting_ms)
        to->waiting_ms = progress->waiting_ms;
    to->attempt = progress->attempt;
    return 0;
}

static void set_up(void)
{
    scratch_open(&scratch);
    flame = open_context(0);
    server = tiny_server_open(act, &script);
    result = FLAME_INIT(flame_result);
    task = FLAME_INIT(flame_task);
    task.url = tiny_server_url(server, "/x");
    task.path = scratch_path(&scratch, "out");
    task.retry_delay_ms = 10;
    task.data = &heard;
    task.event = hear;
}

static void tear_down(void)
{
    flame_result_done(&result);
    flame_close(flame);
    tiny_server_close(server);
    scratch_close(&scratch);
}

#define RETRY_TEST(name) Test(retry, name, .init = set_up, .fini = tear_down, .timeout = 120)

static void play(const char *first, const char *second, const char *third)
{
    script.answers[0] = first;
    script.answers[1] = second;
    script.answers[2] = third;
}

static int32_t fetch(void)
{
    double began = now_ms();
    int32_t status;

    err = FLAME_INIT(flame_error);
    flame_result_done(&result);
    heard = (struct heard){0};
    status = flame_run(flame, FLAME_FETCH, &task, &result, &err);
    took = now_ms() - began;
    return status;
}

RETRY_TEST(a_busy_server_is_asked_again)
{
    play(BUSY, BUSY, NULL);
    cr_assert_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect_eq(result.attempts, 3);
    cr_expect_eq(atomic_load(&script.asked), 3);
    cr_expect_eq(heard.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        cr_expect_eq(heard.events[i].kind, FLAME_EVENT_RETRY);
        cr_expect_eq(heard.events[i].attempt, i + 2);
        cr_expect_lt(heard.events[i].wait_ms, 20);
        cr_expect_eq(heard.reasons[i], FLAME_ERR_BUSY);
    }
    cr_expect_eq(counters_of(flame).retries, 2);
    cr_expect_eq(counters_of(flame).succeeded, 1);
    cr_expect_eq(counters_of(flame).transferred, 3);
}

RETRY_TEST(attempts_are_counted_out)
{
    play(BUSY, BUSY, BUSY);
    cr_expect_eq(fetch(), FLAME_ERR_BUSY);
    cr_expect_eq(err.attempts, 3);
    cr_expect(err.flags & FLAME_ERROR_RETRYABLE);
    cr_expect_eq(err.http_status, 503);
    cr_expect_eq(atomic_load(&script.asked), 3);
    cr_expect_eq(heard.count, 2);
    cr_expect_eq(counters_of(flame).retries, 2);
    cr_expect_eq(counters_of(flame).failed, 1);
    cr_expect_eq(access(task.path, F_OK), -1);
}

RETRY_TEST(one_attempt_is_one)
{
    play(BUSY, NULL, NULL);
    task.attempts = 1;
    cr_expect_eq(fetch(), FLAME_ERR_BUSY);
    cr_expect_eq(err.attempts, 1);
    cr_expect_eq(atomic_load(&script.asked), 1);
    cr_expect_eq(heard.count, 0);
}

RETRY_TEST(what_is_missing_is_not_asked_for_again)
{
    play(GONE, NULL, NULL);
    cr_expect_eq(fetch(), FLAME_ERR_NOT_FOUND);
    cr_expect_eq(err.attempts, 1);
    cr_expect_eq(atomic_load(&script.asked), 1);
}

RETRY_TEST(retry_after_is_obeyed)
{
    play(BUSY_FOR("1"), BUSY_FOR("1"), NULL);
    task.progress = look;
    cr_assert_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect_geq(took, 2000);
    cr_expect_lt(took, 3500, "%.0f ms", took);
    for (uint32_t i = 0; i < 2; i++) {
        cr_expect_geq(heard.events[i].wait_ms, 1000);
        cr_expect_lt(heard.events[i].wait_ms, 1250);
    }
    cr_expect_gt(heard.waiting_ms, 0);
    cr_expect_lt(heard.waiting_ms, 1252);
    cr_expect_eq(heard.attempt, 3);
}

RETRY_TEST(retry_after_is_capped_and_no_longer_wait_is_begun_than_is_left)
{
    play(BUSY_FOR("1000000000"), NULL, NULL);
    task.retry_max_ms = 29000;
    cr_expect_eq(fetch(), FLAME_ERR_BUSY);
    cr_expect_lt(took, 2000);
    cr_expect_eq(atomic_load(&script.asked), 1);
    cr_expect(err.flags & FLAME_ERROR_RETRY_AFTER);
}

static void *cancel_soon(void *data)
{
    usleep(300000);
    flame_cancel_set(data);
    return NULL;
}

RETRY_TEST(the_cap_is_thirty_seconds)
{
    pthread_t thread;

    play(BUSY_FOR("1000000000"), NULL, NULL);
    task.cancel = flame_cancel_new();
    cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, task.cancel), 0);
    cr_expect_eq(fetch(), FLAME_ERR_CANCELLED);
    (void)pthread_join(thread, NULL);
    cr_expect_geq(heard.events[0].wait_ms, 30000);
    cr_expect_lt(heard.events[0].wait_ms, 30250);
    cr_expect_lt(took, 300 + 2 * CANCEL_MS);
    flame_cancel_free(task.cancel);
}

RETRY_TEST(the_total_time_ends_a_pause)
{
    play(BUSY_FOR("20"), NULL, NULL);
    task.total_timeout_ms = 300;
    cr_expect_eq(fetch(), FLAME_ERR_TIMEOUT);
    cr_expect_str_eq(err.message, "not done within 300 ms");
    cr_expect_lt(took, 1300, "%.0f ms", took);
}

RETRY_TEST(a_pause_of_one_is_a_pause_of_all_of_that_origin)
{
    static struct script other = {.answers = {NULL}};
    struct tiny_server *quick = tiny_server_open(act, &other);
    struct flame_job *first;
    double began = now_ms();

    play(BUSY_FOR("1"), NULL, NULL);
    task.data = NULL;
    task.event = NULL;
    first = submit(flame, &task, NULL);
    wait_until(atomic_load(&script.asked) == 1);
    usleep(100000);
    task.path = scratch_path(&scratch, "second");
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_OK);
    cr_expect_geq(now_ms() - began, 1000);
    finish(first, FLAME_OK);
    began = now_ms();
    task.url = tiny_server_url(quick, "/x");
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_OK);
    cr_expect_lt(now_ms() - began, 800);
    tiny_server_close(quick);
}

RETRY_TEST(a_connection_that_is_refused_is_tried_again)
{
    task.url = "http://127.0.0.1:1/x";
    cr_expect_eq(fetch(), FLAME_ERR_NETWORK);
    cr_expect_eq(err.attempts, 3);
}

RETRY_TEST(a_stalled_try_is_followed_by_another)
{
    play("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", NULL, NULL);
    task.stall_timeout_ms = 200;
    cr_assert_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect_eq(result.attempts, 2);
    cr_expect(scratch_holds(task.path, "abc", 3));
    cr_expect_eq(heard.reasons[0], FLAME_ERR_TIMEOUT);
}

RETRY_TEST(a_body_that_was_cut_is_fetched_again)
{
    play("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nab", NULL, NULL);
    /* The rest never comes: the connection is not closed by act(), so the stall clock ends it. */
    task.stall_timeout_ms = 200;
    cr_assert_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect(scratch_holds(task.path, "abc", 3));
    cr_expect_eq(counters_of(flame).transferred, 5);
}

/* ---- digests and mirrors --------------------------------------------------------------------- */

RETRY_TEST(wrong_bytes_are_asked_for_once_more_and_then_given_up)
{
    play(WRONG, WRONG, WRONG);
    task.digest = ABC;
    cr_expect_eq(fetch(), FLAME_ERR_DIGEST);
    cr_expect_eq(atomic_load(&script.asked), 2);
    cr_expect_eq(access(task.path, F_OK), -1);
    atomic_store(&script.asked, 0);
    play(WRONG, NULL, NULL);
    cr_expect_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect(scratch_holds(task.path, "abc", 3));
}

RETRY_TEST(after_wrong_bytes_a_mirror_goes_first)
{
    static struct script other = {.answers = {NULL}};
    struct tiny_server *mirror = tiny_server_open(act, &other);
    const char *mirrors[] = {tiny_server_url(mirror, "/m"), NULL};

    play(WRONG, WRONG, WRONG);
    task.digest = ABC;
    task.mirrors = mirrors;
    cr_assert_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect_eq(atomic_load(&script.asked), 1);
    cr_expect_eq(atomic_load(&other.asked), 1);
    cr_expect_eq(result.source, 1);
    cr_expect_eq(heard.count, 2);
    cr_expect_eq(heard.events[0].kind, FLAME_EVENT_RESTART); /* what came is dropped */
    cr_expect_eq(heard.events[1].kind, FLAME_EVENT_MIRROR);
    tiny_server_close(mirror);
}

RETRY_TEST(mirrors_follow_when_the_url_has_failed)
{
    const char *mirrors[] = {"http://127.0.0.1:1/x", NULL, NULL};

    mirrors[1] = scratch_url(&scratch, "source");
    (void)scratch_write(&scratch, "source", "abc", 3);
    play(GONE, GONE, GONE);
    task.mirrors = mirrors;
    cr_assert_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect_eq(result.source, 2);
    cr_expect_eq(result.attempts, 1 + 3 + 1);
    cr_expect_str_eq(result.plugin, "org.flame.file");
}

RETRY_TEST(a_source_has_its_own_time)
{
    static struct gate closed;
    struct tiny_server *slow = tiny_server_open(answer_at_gate, &closed);
    const char *mirrors[] = {task.url, NULL};

    play(NULL, NULL, NULL);
    task.url = tiny_server_url(slow, "/x");
    task.mirrors = mirrors;
    task.source_timeout_ms = 300;
    cr_assert_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect_eq(result.source, 1);
    cr_expect_geq(took, 300);
    cr_expect_lt(took, 2000);
    cr_expect_eq(heard.reasons[0], FLAME_ERR_TIMEOUT);
    open_and_close(&closed, slow);
}

/* ---- the file of checksums ------------------------------------------------------------------- */

static bool answer_sums_at_gate(void *data, const struct tiny_request *request)
{
    if (strcmp(request->path, "/SHA256SUMS") == 0)
        gate_pass(data);
    return answer_abc(NULL, request);
}

RETRY_TEST(a_job_is_cancelled_while_its_checksums_are_fetched)
{
    static struct gate closed;
    struct tiny_server *slow = tiny_server_open(answer_sums_at_gate, &closed);
    struct flame_job *job;
    double began;

    task.event = NULL;
    task.url = tiny_server_url(slow, "/x");
    task.checksum_url = "/SHA256SUMS";
    job = submit(flame, &task, NULL);
    wait_until(atomic_load(&closed.reached) == 1);
    began = now_ms();
    flame_job_cancel(job);
    finish(job, FLAME_ERR_CANCELLED);
    cr_expect_lt(now_ms() - began, CANCEL_MS, "%.0f ms", now_ms() - began);
    open_and_close(&closed, slow);
}

RETRY_TEST(the_total_time_holds_while_the_checksums_are_fetched)
{
    static struct gate closed;
    struct tiny_server *slow = tiny_server_open(answer_sums_at_gate, &closed);

    task.url = tiny_server_url(slow, "/x");
    task.checksum_url = "/SHA256SUMS";
    task.total_timeout_ms = 300;
    cr_expect_eq(fetch(), FLAME_ERR_TIMEOUT, "%d %s", err.status, err.message);
    cr_expect_str_eq(err.message, "not done within 300 ms");
    cr_expect_lt(took, 1300);
    open_and_close(&closed, slow);
}

/* ---- conditional ----------------------------------------------------------------------------- */

static bool answer_versioned(void *data, const struct tiny_request *request)
{
    const char *field = data; /* what the version is told by */
    char head[256];
    bool is_same = strstr(request->head, "If-None-Match: \"v1\"") ||
                   strstr(request->head, "If-Modified-Since: Sat, 09 Sep 2023 01:46:40 GMT");

    (void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%s\r\n%s\r\n%s",
                   is_same ? "304 Not Modified" : "200 OK", field,
                   is_same ? "" : "Content-Length: 3\r\n",
                   is_same || strcmp(request->method, "HEAD") == 0 ? "" : "abc");
    return tiny_send(request, head);
}

static void expect_conditional(const char *field)
{
    struct tiny_server *versioned = tiny_server_open(answer_versioned, (void *)(uintptr_t)field);
    struct flame_result first = FLAME_INIT(flame_result);
    struct flame_result second = FLAME_INIT(flame_result);

    task.url = tiny_server_url(versioned, "/x");
    cr_assert_eq(flame_run(flame, FLAME_FETCH, &task, &first, &err), FLAME_OK, "%s", err.message);
    cr_assert_not_null(first.validator);
    task.validator = first.validator;
    (void)scratch_write(&scratch, "out", "mine", 4);
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, &second, &err), FLAME_NOT_MODIFIED, "%s",
                 err.message);
    cr_expect_eq(second.transferred, 0);
    cr_expect(scratch_holds(task.path, "mine", 4), "nothing is touched");
    flame_result_done(&second);
    task.path = NULL;
    cr_expect_eq(flame_run(flame, FLAME_STAT, &task, &second, &err), FLAME_NOT_MODIFIED, "%s",
                 err.message);
    flame_result_done(&second);
    flame_result_done(&first);
    tiny_server_close(versioned);
}

RETRY_TEST(an_entity_tag_that_still_fits_means_not_modified)
{
    expect_conditional("ETag: \"v1\"");
}

RETRY_TEST(a_time_that_still_fits_means_not_modified)
{
    expect_conditional("Last-Modified: Sat, 09 Sep 2023 01:46:40 GMT");
}

RETRY_TEST(a_file_that_is_still_the_same_means_not_modified)
{
    struct flame_result first = FLAME_INIT(flame_result);

    (void)scratch_write(&scratch, "source", "abc", 3);
    task.url = scratch_url(&scratch, "source");
    do { /* a version is known once the kernel's clock has gone on */
        flame_result_done(&first);
        cr_assert_eq(flame_run(flame, FLAME_FETCH, &task, &first, &err), FLAME_OK, "%s",
                     err.message);
    } while (!(first.flags & FLAME_RESULT_STRONG));
    task.validator = first.validator;
    cr_expect_eq(fetch(), FLAME_NOT_MODIFIED, "%s", err.message);
    (void)scratch_write(&scratch, "source", "longer", 6);
    cr_expect_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect(scratch_holds(task.path, "longer", 6));
    flame_result_done(&first);
}

RETRY_TEST(not_modified_counts_as_a_success_and_reaches_done)
{
    struct tiny_server *versioned =
        tiny_server_open(answer_versioned, (void *)(uintptr_t) "ETag: \"v1\"");
    struct watched watched = {0};

    task.url = tiny_server_url(versioned, "/x");
    task.event = NULL;
    cr_assert_eq(flame_run(flame, FLAME_FETCH, &task, &result, &err), FLAME_OK, "%s", err.message);
    task.validator = result.validator;
    flame_job_release(submit(flame, &task, &watched));
    dispatch_until_done(flame, &watched);
    cr_expect_eq(atomic_load(&watched.status), FLAME_NOT_MODIFIED, "%s", watched.message);
    cr_expect_eq(atomic_load(&watched.strangers), 0);
    cr_expect_eq(counters_of(flame).succeeded, 2);
    tiny_server_close(versioned);
}
