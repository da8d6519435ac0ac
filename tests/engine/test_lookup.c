/* SPDX-License-Identifier: Apache-2.0 */
/* Names whose lookup fails, never ends, or leads where nobody may go. */
#include "hanging_lookup.h"
#include "prompt.h"
#include "tiny_server.h"

#include <stdio.h>
#include <stdlib.h>

static struct flame *flame;
static struct scratch scratch;
static struct stopwatch *watched;   /* told when a lookup that does not end has begun */
static atomic_int asked;            /* lookups so far */
static const char *_Atomic address; /* of "changing.test" */

static int look_up(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **out)
{
    atomic_fetch_add(&asked, 1);
    if (strcmp(node, "slow.test") == 0) {
        if (watched)
            atomic_store(&watched->reached, true);
        return hang();
    }
    if (strcmp(node, "changing.test") == 0)
        return look_up_for_real(atomic_load(&address), service, hints, out);
    if (strcmp(node, "servfail.test") == 0)
        return EAI_AGAIN;
    return strcmp(node, "broken.test") == 0 ? EAI_FAIL : EAI_NONAME;
}

static void open_context(void)
{
    static const struct flame_config config = {.struct_size = sizeof(config),
                                               .flags = FLAME_CONFIG_NO_ENVIRONMENT};
    struct flame_error err = FLAME_INIT(flame_error);

    cr_assert_eq(flame_open(&config, &flame, &err), FLAME_OK, "%s", err.message);
}

static void set_up(void)
{
    scratch_open(&scratch);
    begin_lookups();
    atomic_store(&asked, 0);
    watched = NULL;
    open_context();
}

static void tear_down(void)
{
    flame_close(flame);
    end_lookups();
    scratch_close(&scratch);
}

#define LOOKUP_TEST(name) Test(lookup, name, .init = set_up, .fini = tear_down, .timeout = 60)

LOOKUP_TEST(cancel_is_prompt_while_a_name_is_looked_up)
{
    struct stopwatch stopwatch = {.token = flame_cancel_new()};
    struct flame_task task = FLAME_INIT(flame_task);

    watched = &stopwatch;
    task.url = "http://slow.test/x";
    expect_soon_cancelled(flame, &scratch, &task, &stopwatch);
    cr_expect_geq(atomic_load(&asked), 1);
    flame_cancel_free(stopwatch.token);
}

LOOKUP_TEST(closing_does_not_wait_for_a_lookup_that_nobody_wants)
{
    struct flame_task task = FLAME_INIT(flame_task);
    struct timespec begin;

    task.url = "http://slow.test/x";
    task.path = scratch_path(&scratch, "out");
    task.connect_timeout_ms = 50;
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_ERR_TIMEOUT);
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    flame_close(flame);
    cr_expect_lt(ms_since(&begin), 1000);
    open_context();
}

LOOKUP_TEST(a_lookup_without_end_is_cut_by_the_connect_clock)
{
    struct flame_task task = FLAME_INIT(flame_task);
    struct flame_error err = FLAME_INIT(flame_error);
    struct timespec begin;

    task.url = "https://slow.test/x";
    task.path = scratch_path(&scratch, "out");
    task.connect_timeout_ms = 200;
    task.attempts = 1;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_ERR_TIMEOUT, "%s",
                 err.message);
    cr_expect_lt(ms_since(&begin), 200 + 1000);
    cr_expect_eq(err.phase, FLAME_PHASE_RESOLVE);
    cr_expect_eq(scratch_count(&scratch), 0);
}

LOOKUP_TEST(a_lookup_that_fails_is_a_network_failure_with_an_exit_code_of_its_own)
{
    static const char *const urls[] = {"http://gone.test/x", "https://servfail.test/x",
                                       "http://broken.test/x"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        struct flame_task task = FLAME_INIT(flame_task);
        struct flame_error err = FLAME_INIT(flame_error);

        task.url = urls[i];
        task.path = scratch_path(&scratch, "out");
        cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_ERR_NETWORK, "%s: %s",
                     urls[i], err.message);
        cr_expect_eq(flame_exit_code(&err), 6);
        cr_expect_not_null(strstr(err.message, "name"), "%s", err.message);
    }
    cr_expect_geq(atomic_load(&asked), 3);
    cr_expect_eq(scratch_count(&scratch), 0);
}

static bool answer(void *data, const struct tiny_request *request)
{
    (void)data;
    return tiny_answer(request, "200 OK", "hello", 5);
}

LOOKUP_TEST(a_name_that_leads_elsewhere_the_next_time_is_judged_again)
{
    struct tiny_server *server = tiny_server_open(answer, NULL);
    struct flame_task task = FLAME_INIT(flame_task);
    struct flame_error err = FLAME_INIT(flame_error);
    char url[80];

    (void)snprintf(url, sizeof(url), "http://changing.test%s",
                   strrchr(tiny_server_url(server, "/x"), ':'));
    task.url = url;
    task.path = scratch_path(&scratch, "out");
    atomic_store(&address, "127.0.0.1");
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_OK, "%s", err.message);
    for (size_t i = 0; i < 3; i++) {
        static const char *const forbidden[] = {"169.254.169.254", "fe80::1",
                                                "::ffff:169.254.169.254"};

        err = FLAME_INIT(flame_error);
        atomic_store(&address, forbidden[i]);
        flame_close(flame); /* and the cache of names with it */
        open_context();
        cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, &err), FLAME_ERR_POLICY, "%s: %s",
                     forbidden[i], err.message);
    }
    cr_expect_eq(tiny_server_connections(server), 1);
    cr_expect_eq(atomic_load(&asked), 4);
    tiny_server_close(server);
}
