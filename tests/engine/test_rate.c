/* SPDX-License-Identifier: Apache-2.0 */
/* No faster than was asked for. */
#include "gated.h"

#define RATE 2000000ULL

static char *body;
static size_t body_size;

static void set_up(void)
{
    body_size = 2 * RATE;
    body = malloc(body_size);
    memset(body, 'r', body_size);
    atomic_store(&gate.is_open, true);
    gate.body = body;
    gate.size = body_size;
    gated_set_up();
    task.durability = FLAME_DURABILITY_NONE;
    task.bytes_per_second = RATE;
}

static void tear_down(void)
{
    gated_tear_down();
    free(body);
}

#define RATE_TEST(name) Test(rate, name, .init = set_up, .fini = tear_down, .timeout = 120)

/* A tenth of a second may be saved up; a slow machine may take longer. */
static void expect_seconds(double expected, double began)
{
    double seconds = (now_ms() - began) / 1e3;

    cr_expect_gt(seconds, expected * 0.85, "%.2f s instead of %.2f", seconds, expected);
    cr_expect_lt(seconds, expected * 1.15 + 0.3, "%.2f s instead of %.2f", seconds, expected);
}

static void expect_paced(void)
{
    struct flame_error err = FLAME_INIT(flame_error);
    double began = now_ms();

    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_OK, "%s", err.message);
    expect_seconds((double)body_size / (double)RATE, began);
}

RATE_TEST(a_http_body_comes_at_the_pace_asked_for)
{
    expect_paced();
    cr_expect(scratch_holds(task.path, body, body_size));
}

RATE_TEST(a_file_is_copied_at_the_pace_asked_for)
{
    (void)scratch_write(&scratch, "source", body, body_size);
    task.url = scratch_url(&scratch, "source");
    expect_paced();
    cr_expect(scratch_holds(task.path, body, body_size));
}

RATE_TEST(a_file_is_copied_and_hashed_at_the_pace_asked_for)
{
    struct flame_result result = FLAME_INIT(flame_result);

    (void)scratch_write(&scratch, "source", body, body_size);
    task.url = scratch_url(&scratch, "source");
    task.path = NULL;
    task.write = on_write;
    task.data = &(struct watched){0};
    task.flags = FLAME_TASK_SPOOL;
    expect_paced();
    flame_result_done(&result);
}

RATE_TEST(a_store_is_sent_at_the_pace_asked_for)
{
    struct flame_error err = FLAME_INIT(flame_error);
    double began = now_ms();

    task.path = scratch_write(&scratch, "source", body, body_size);
    task.url = scratch_url(&scratch, "out");
    task.durability = FLAME_DURABILITY_DEFAULT;
    cr_expect_eq(flame_run(flame, FLAME_STORE, &task, NULL, &err), FLAME_OK, "%s", err.message);
    expect_seconds((double)body_size / (double)RATE, began);
}

RATE_TEST(all_tasks_together_keep_the_pace_of_the_context)
{
    static const char *const options[] = {"rate.total", "2000000", NULL};
    struct flame_config config = FLAME_INIT(flame_config);
    struct flame *paced;
    struct flame_job *jobs[4];
    double began;

    config.options = options;
    paced = open_configured(config);
    gate.size = body_size / 4;
    task.bytes_per_second = 0;
    task.flags = FLAME_TASK_NO_LOCK;
    began = now_ms();
    for (int i = 0; i < 4; i++)
        jobs[i] = submit(paced, &task, NULL);
    for (int i = 0; i < 4; i++)
        finish(jobs[i], FLAME_OK);
    expect_seconds((double)body_size / (double)RATE, began);
    flame_close(paced);
}

RATE_TEST(a_slow_pace_is_no_stall_and_below_no_floor)
{
    static const char *const options[] = {"rate.floor", "1M", "rate.window", "1s", NULL};
    struct flame_error err = FLAME_INIT(flame_error);

    gate.size = 100000;
    task.options = options;
    task.bytes_per_second = 50000;
    task.stall_timeout_ms = 400;
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_OK, "%s", err.message);
}
