/* SPDX-License-Identifier: Apache-2.0 */
/* Many jobs through one context: what they cost in threads, descriptors, memory and connections. */
#include "gated.h"

#include <dirent.h>

#define MANY 10000
#define QUEUE_MAX 500
#define SOME_THREADS 4 /* watchdog, patrol and who comes with a sanitizer */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROWTH_KIB (64 * 1024L) /* freed memory is kept for a while */
#else
#define GROWTH_KIB (4 * 1024L)
#endif

static char body[1024];

static void set_up(void)
{
    memset(body, 'b', sizeof(body));
    gate.body = body;
    gate.size = sizeof(body);
    gated_set_up();
}

#define LOAD_TEST(name) Test(load, name, .init = set_up, .fini = gated_tear_down, .timeout = 280)

static size_t entries_of(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;

    cr_assert_not_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

static long rss_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long pages = 0;

    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%*d %ld", &pages), 1);
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int32_t discard(void *data, const void *bytes, uint64_t size)
{
    (void)data;
    (void)bytes;
    (void)size;
    return 0;
}

struct tally {
    uint32_t done;
    uint32_t failed;
};

static void count(void *data, int32_t status, const struct flame_result *result,
                  const struct flame_error *err)
{
    struct tally *tally = data;

    (void)result;
    (void)err;
    tally->done++;
    tally->failed += status != FLAME_OK;
}

/* No more than so many wait at a time: what is looked for is growth, not how long a queue was. */
static void run_jobs(uint32_t jobs, struct tally *tally)
{
    uint32_t before = tally->done;

    task.data = tally;
    for (uint32_t i = 0; i < jobs; i++) {
        cr_assert_eq(flame_submit(flame, FLAME_FETCH, &task, count, NULL, NULL), FLAME_OK);
        do
            (void)flame_dispatch(flame, before + i + 1 - tally->done > QUEUE_MAX ? 100 : 0);
        while (before + i + 1 - tally->done > QUEUE_MAX);
    }
    for (double until = now_ms() + 240e3; tally->done < before + jobs && now_ms() < until;)
        (void)flame_dispatch(flame, 100);
    cr_assert_eq(tally->done, before + jobs);
}

LOAD_TEST(ten_thousand_jobs_leave_no_trace)
{
    struct tally tally = {0};
    size_t threads;
    size_t fds;
    long rss;

    atomic_store(&gate.is_open, true);
    task.path = NULL;
    task.write = discard;
    run_jobs(2000, &tally);
    threads = entries_of("/proc/self/task");
    fds = entries_of("/proc/self/fd");
    rss = rss_kib();
    run_jobs(MANY - 2000, &tally);
    cr_expect_eq(tally.failed, 0);
    cr_expect_leq(entries_of("/proc/self/task"), 2 + 64 + SOME_THREADS + 16 + 2);
    cr_expect_leq(entries_of("/proc/self/task"), threads + 48, "from %zu", threads);
    cr_expect_leq(entries_of("/proc/self/fd"), fds + 40, "from %zu", fds);
    cr_expect_leq(rss_kib() - rss, GROWTH_KIB, "%ld KiB more", rss_kib() - rss);
    cr_expect_leq(tiny_server_connections(server), 16);
    cr_expect_eq(tiny_server_requests(server), MANY);
    cr_expect_eq(counters_of(flame).succeeded, MANY);
    cr_expect_eq(counters_of(flame).transferred, MANY * sizeof(body));
}

LOAD_TEST(a_thousand_files_come_through_sixteen_connections)
{
    struct flame_job *jobs[1000];
    char name[16];

    atomic_store(&gate.is_open, true);
    task.durability = FLAME_DURABILITY_NONE;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "out%d", i);
        task.path = scratch_path(&scratch, name);
        jobs[i] = submit(flame, &task, NULL);
    }
    for (int i = 0; i < 1000; i++)
        finish(jobs[i], FLAME_OK);
    cr_expect_leq(tiny_server_connections(server), 16);
    cr_expect(scratch_holds(task.path, body, sizeof(body)));
}

LOAD_TEST(a_thousand_waiting_jobs_cost_no_threads)
{
    struct flame *narrow = open_context(8);
    size_t threads = entries_of("/proc/self/task");
    struct flame_job *jobs[1000];

    task.path = NULL;
    task.write = discard;
    for (int i = 0; i < 1000; i++)
        jobs[i] = submit(narrow, &task, NULL);
    wait_until(atomic_load(&gate.reached) == 8);
    cr_expect_leq(entries_of("/proc/self/task"), threads + 8 + SOME_THREADS + 8 /* the server's */);
    cr_expect_eq(counters_of(narrow).running, 8);
    cr_expect_eq(counters_of(narrow).waiting, 992);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < 1000; i++)
        flame_job_release(jobs[i]);
    flame_close(narrow);
}

LOAD_TEST(no_more_than_so_many_jobs_of_one_origin_run_at_once)
{
    struct flame_job *jobs[100];

    task.flags = FLAME_TASK_NO_LOCK;
    for (int i = 0; i < 100; i++)
        jobs[i] = submit(flame, &task, NULL);
    wait_until(atomic_load(&gate.reached) == FLAME_PER_ORIGIN);
    usleep(50000);
    cr_expect_eq(atomic_load(&gate.reached), FLAME_PER_ORIGIN);
    cr_expect_eq(counters_of(flame).running, FLAME_PER_ORIGIN);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < 100; i++)
        finish(jobs[i], FLAME_OK);
}

LOAD_TEST(a_slow_origin_starves_no_other)
{
    struct tiny_server *quick = tiny_server_open(answer_abc, NULL);
    struct flame_job *slow[200];
    struct flame_job *jobs[40];

    task.flags = FLAME_TASK_NO_LOCK;
    for (int i = 0; i < 200; i++)
        slow[i] = submit(flame, &task, NULL);
    task.url = tiny_server_url(quick, "/x");
    for (int i = 0; i < 40; i++)
        jobs[i] = submit(flame, &task, NULL);
    for (int i = 0; i < 40; i++)
        finish(jobs[i], FLAME_OK); /* although the others stand still */
    cr_expect_eq(counters_of(flame).succeeded, 40);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < 200; i++)
        finish(slow[i], FLAME_OK);
    tiny_server_close(quick);
}

LOAD_TEST(those_who_follow_hold_no_thread)
{
    struct flame *narrow = open_context(2);
    struct tiny_server *quick = tiny_server_open(answer_abc, NULL);
    struct flame_job *jobs[50];

    for (int i = 0; i < 50; i++)
        jobs[i] = submit(narrow, &task, NULL);
    wait_until(atomic_load(&gate.reached) == 1);
    task.url = tiny_server_url(quick, "/x");
    task.path = scratch_path(&scratch, "other");
    finish(submit(narrow, &task, NULL), FLAME_OK);
    atomic_store(&gate.is_open, true);
    for (int i = 0; i < 50; i++)
        finish(jobs[i], FLAME_OK);
    cr_expect_eq(tiny_server_requests(server), 1);
    flame_close(narrow);
    tiny_server_close(quick);
}

LOAD_TEST(ten_thousand_jobs_wait_and_are_cancelled_at_once)
{
    static struct flame_job *jobs[MANY];
    struct flame *narrow = open_context(4);
    double began = now_ms();
    char name[16];

    task.cancel = flame_cancel_new();
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "out%d", i);
        task.path = scratch_path(&scratch, name);
        jobs[i] = submit(narrow, &task, NULL);
    }
    cr_expect_lt(now_ms() - began, 20000, "%.0f ms to submit", now_ms() - began);
    wait_until(atomic_load(&gate.reached) == 4);
    began = now_ms();
    flame_cancel_set(task.cancel);
    for (int i = 0; i < MANY; i++)
        finish(jobs[i], FLAME_ERR_CANCELLED);
    cr_expect_lt(now_ms() - began, 10000, "%.0f ms to cancel", now_ms() - began);
    cr_log_info("cancelled in %.0f ms\n", now_ms() - began);
    flame_close(narrow);
    flame_cancel_free(task.cancel);
}
