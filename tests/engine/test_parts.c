/* SPDX-License-Identifier: Apache-2.0 */
/* One body in several parts at once. */
#include "background.h"
#include "digest_text.h"

#include <errno.h>
#include <sys/resource.h>

#define BODY_SIZE ((size_t)6 << 20)

static struct flame *flame;
static struct scratch scratch;
static struct flame_task task;
static struct flame_result result;
static struct flame_error err;
static char *body;
static char *other_body;
static char digest[DIGEST_TEXT_SIZE];
static const char *const small_parts[] = {"parts.min_size", "64k", NULL};

/* What the server is told, and what it has seen. */
struct plan {
    bool ignores_ranges;
    bool has_weak_tags;
    bool ignores_conditions; /* a part of whatever version is there now */
    uint32_t changes_after;  /* requests; 0 = never */
    uint32_t refuses_from;   /* the n-th connection that is served at once, and later ones */
    uint32_t refuses_with;
    uint32_t cuts; /* so many of the answers with a part are cut in the middle */
    atomic_uint asked;
    atomic_uint ranges;
    atomic_uint at_once;
    atomic_uint most;
};

static struct plan plan;
static struct tiny_server *server;

static bool refuse(const struct tiny_request *request)
{
    return tiny_answer(request, plan.refuses_with == 503 ? "503 Busy" : "429 Too Many", "", 0);
}

static bool serve(const struct tiny_request *request)
{
    char field[256];
    uint32_t number = atomic_fetch_add(&plan.asked, 1) + 1;
    bool is_changed = plan.changes_after && number > plan.changes_after;
    struct tiny_object object = {.etag = is_changed ? "\"v2\"" : "\"v1\"",
                                 .body = is_changed ? other_body : body,
                                 .size = BODY_SIZE};
    bool has_range = tiny_field(request, "Range", field) != NULL;

    if (plan.has_weak_tags)
        object.etag = "W/\"v1\"";
    atomic_fetch_add(&plan.ranges, has_range);
    if (plan.ignores_ranges)
        return tiny_answer(request, "200 OK", object.body, object.size);
    if (has_range && number > 1 && number <= 1 + plan.cuts) {
        (void)tiny_send(request, "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-");
        return false;
    }
    if (plan.ignores_conditions) {
        struct tiny_request deaf = *request;
        char *condition = strstr(deaf.head, "If-Range");

        if (condition)
            *condition = 'X';
        return tiny_answer_object(&deaf, &object);
    }
    return tiny_answer_object(request, &object);
}

static bool answer(void *data, const struct tiny_request *request)
{
    uint32_t now = atomic_fetch_add(&plan.at_once, 1) + 1;
    uint32_t most = atomic_load(&plan.most);
    bool goes_on;

    (void)data;
    while (now > most && !atomic_compare_exchange_weak(&plan.most, &most, now))
        continue;
    usleep(2000); /* so that they meet */
    if (plan.refuses_from && now >= plan.refuses_from)
        goes_on = refuse(request);
    else
        goes_on = serve(request);
    atomic_fetch_sub(&plan.at_once, 1);
    return goes_on;
}

static void set_up(void)
{
    scratch_open(&scratch);
    flame = open_context(0);
    body = malloc(BODY_SIZE);
    other_body = malloc(BODY_SIZE);
    cr_assert(body && other_body);
    for (size_t i = 0; i < BODY_SIZE; i++) {
        body[i] = (char)(i % 251 + i / 65521);
        other_body[i] = (char)(i % 241 + i / 65519 + 1);
    }
    digest_text(body, BODY_SIZE, digest);
    server = tiny_server_open(answer, NULL);
    result = FLAME_INIT(flame_result);
    err = FLAME_INIT(flame_error);
    task = FLAME_INIT(flame_task);
    task.url = tiny_server_url(server, "/x");
    task.path = scratch_path(&scratch, "out");
    task.connections = 4;
    task.options = small_parts;
    task.retry_delay_ms = 5;
}

static void tear_down(void)
{
    flame_result_done(&result);
    flame_close(flame);
    tiny_server_close(server);
    scratch_close(&scratch);
    free(body);
    free(other_body);
}

#define PARTS_TEST(name) Test(parts, name, .init = set_up, .fini = tear_down, .timeout = 120)

static void expect_whole(const char *expected)
{
    cr_assert_eq(flame_run(flame, FLAME_FETCH, &task, &result, &err), FLAME_OK, "%d %s", err.status,
                 err.message);
    cr_expect(scratch_holds(task.path, expected, BODY_SIZE));
    cr_expect_eq(result.size, BODY_SIZE);
    cr_expect_eq(scratch_count(&scratch), 1, "only the file is left");
}

PARTS_TEST(four_parts_make_the_same_file)
{
    expect_whole(body);
    cr_expect_eq(result.connections, 4);
    cr_expect_geq(atomic_load(&plan.most), 2);
    cr_expect_leq(atomic_load(&plan.most), 4);
    cr_expect_leq(tiny_server_connections(server), 5);
    cr_expect_eq(result.transferred, BODY_SIZE);
    cr_expect_eq(counters_of(flame).transferred, BODY_SIZE);
    cr_expect(result.flags & FLAME_RESULT_PROVEN);
}

PARTS_TEST(the_digest_of_parts_is_that_of_the_whole)
{
    task.digest = digest;
    expect_whole(body);
    cr_expect(result.flags & FLAME_RESULT_VERIFIED);
    cr_expect_str_eq(result.digest, digest);
    cr_expect_eq(result.connections, 4);
    digest_text(other_body, BODY_SIZE, digest);
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_ERR_DIGEST);
}

PARTS_TEST(sixteen_parts_are_as_right_as_four)
{
    task.connections = 16;
    task.digest = digest;
    for (int i = 0; i < 3; i++) {
        flame_result_done(&result);
        task.flags = FLAME_TASK_REPLACE;
        expect_whole(body);
    }
}

PARTS_TEST(a_spooled_callback_gets_the_parts_in_order)
{
    struct watched watched = {0};

    task.path = NULL;
    task.write = on_write;
    task.flags = FLAME_TASK_SPOOL;
    task.digest = digest;
    flame_job_release(submit(flame, &task, &watched));
    dispatch_until_done(flame, &watched);
    cr_expect_eq(atomic_load(&watched.status), FLAME_OK, "%s", watched.message);
    cr_expect(watched.flags & FLAME_RESULT_VERIFIED);
    cr_expect_geq(atomic_load(&watched.writes), 1);
}

PARTS_TEST(a_server_that_ignores_ranges_sends_the_whole_once)
{
    plan.ignores_ranges = true;
    expect_whole(body);
    cr_expect_eq(atomic_load(&plan.asked), 1);
    cr_expect_eq(result.transferred, BODY_SIZE);
}

PARTS_TEST(without_a_strong_version_there_are_no_parts)
{
    plan.has_weak_tags = true;
    task.digest = digest;
    expect_whole(body);
    cr_expect_leq(atomic_load(&plan.most), 1);
}

PARTS_TEST(a_version_that_changes_in_between_is_never_spliced)
{
    for (uint32_t after = 1; after < 6; after++) {
        plan.changes_after = after;
        atomic_store(&plan.asked, 0);
        flame_result_done(&result);
        expect_whole(other_body);
    }
}

PARTS_TEST(parts_of_another_version_are_never_spliced_whatever_the_server_was_asked)
{
    plan.ignores_conditions = true;
    for (uint32_t after = 1; after < 6; after++) {
        plan.changes_after = after;
        atomic_store(&plan.asked, 0);
        flame_result_done(&result);
        expect_whole(other_body);
    }
}

PARTS_TEST(a_version_that_changes_in_between_fails_its_digest_or_is_whole)
{
    plan.changes_after = 3;
    task.digest = digest; /* of the version that is gone */
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, &result, &err), FLAME_ERR_DIGEST, "%s",
                 err.message);
    cr_expect_eq(access(task.path, F_OK), -1);
}

PARTS_TEST(a_server_that_refuses_the_third_connection_is_served_by_two)
{
    static const uint32_t statuses[] = {503, 429};

    for (size_t i = 0; i < 2; i++) {
        plan.refuses_from = 3;
        plan.refuses_with = statuses[i];
        flame_result_done(&result);
        task.digest = digest;
        task.flags = FLAME_TASK_REPLACE;
        expect_whole(body);
        cr_expect_lt(result.transferred, 2 * BODY_SIZE);
    }
}

PARTS_TEST(a_server_that_serves_one_at_a_time_is_enough)
{
    plan.refuses_from = 2;
    plan.refuses_with = 503;
    task.digest = digest;
    expect_whole(body);
}

PARTS_TEST(parts_that_are_cut_are_fetched_again)
{
    plan.cuts = 3;
    task.digest = digest;
    expect_whole(body);
    cr_expect_eq(result.connections, 4);
}

PARTS_TEST(a_small_file_comes_in_one)
{
    static const char *const large_parts[] = {"parts.min_size", "8M", NULL};

    task.options = large_parts;
    expect_whole(body);
    cr_expect_eq(atomic_load(&plan.asked), 1);
}

PARTS_TEST(a_file_of_exactly_one_part_comes_in_one)
{
    static const char *const exact[] = {"parts.min_size", "6M", NULL};

    task.options = exact;
    expect_whole(body);
    cr_expect_eq(atomic_load(&plan.asked), 1);
}

PARTS_TEST(a_file_url_comes_in_parts_too)
{
    task.url = scratch_url(&scratch, "source");
    (void)scratch_fill(&scratch, "source", 3000001);
    usleep(30000); /* its version is known once the kernel's clock has gone on */
    cr_assert_eq(flame_run(flame, FLAME_FETCH, &task, &result, &err), FLAME_OK, "%s", err.message);
    cr_expect(scratch_equal(task.path, scratch_path(&scratch, "source")));
}

PARTS_TEST(a_file_that_may_not_grow_is_a_failure_to_write_and_not_a_cancel)
{
    struct rlimit limit = {.rlim_cur = BODY_SIZE / 2, .rlim_max = RLIM_INFINITY};

    task.flags = FLAME_TASK_SPOOL; /* no room is made in advance there */
    task.path = NULL;
    task.write = on_write;
    task.data = &(struct watched){0};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_ERR_IO, "%d %s",
                 err.status, err.message);
    cr_expect_eq(err.errno_code, EFBIG, "%d %s", err.errno_code, err.message);
    cr_expect_not(err.flags & FLAME_ERROR_SOURCE);
    cr_expect_leq(err.attempts, 1);
}

PARTS_TEST(parts_are_cancelled_promptly)
{
    struct flame_job *job;
    double began;

    task.bytes_per_second = 500000; /* some seconds */
    job = submit(flame, &task, NULL);
    wait_until(atomic_load(&plan.asked) >= 4);
    usleep(50000);
    began = now_ms();
    flame_job_cancel(job);
    finish(job, FLAME_ERR_CANCELLED);
    cr_expect_lt(now_ms() - began, 2 * CANCEL_MS, "%.0f ms", now_ms() - began);
    cr_expect_eq(access(task.path, F_OK), -1);
}

static int32_t watch_it_grow(void *data, const struct flame_progress *progress)
{
    uint64_t *last = data;

    cr_expect_leq(progress->done, BODY_SIZE);
    cr_expect_geq(progress->done, *last, "%llu after %llu", (unsigned long long)progress->done,
                  (unsigned long long)*last);
    *last = progress->done;
    return 0;
}

PARTS_TEST(progress_of_parts_adds_up)
{
    uint64_t last = 0;

    task.bytes_per_second = 6000000;
    task.progress = watch_it_grow;
    task.data = &last;
    expect_whole(body);
    cr_expect_eq(last, BODY_SIZE);
}
