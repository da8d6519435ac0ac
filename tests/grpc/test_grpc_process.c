/* SPDX-License-Identifier: Apache-2.0 */
/* The grpc plugin inside the process of its host: names that are looked up, threads, signals, fork.
 */
#include "deadline.h"
#include "hanging_lookup.h"
#include "plugin_host.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static struct plugin_host *host;

/* 127.0.0.2, then 127.0.0.3. */
static int give_two(const struct addrinfo *hints, struct addrinfo **out)
{
    struct addrinfo *second = NULL;
    int result = look_up_for_real("127.0.0.2", NULL, hints, out);

    if (result == 0)
        result = look_up_for_real("127.0.0.3", NULL, hints, &second);
    if (result == 0)
        (*out)->ai_next = second;
    return result;
}

static int look_up(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **out)
{
    (void)service;
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    if (strcmp(node, "slow.test") == 0)
        return hang();
    return strcmp(node, "two.test") == 0 ? give_two(hints, out) : EAI_NONAME;
}

static void set_up(void)
{
    host = plugin_host_load(FLAME_TEST_PLUGIN_DIR "/grpc.so");
    begin_lookups();
}

static void tear_down(void)
{
    plugin_host_close(host);
    end_lookups();
}

TestSuite(grpc_process, .init = set_up, .fini = tear_down, .timeout = 60);

static int32_t fetch_from(const char *url)
{
    struct plugin_run run;
    int32_t status;

    plugin_run_init(&run, host, url);
    status = plugin_run_fetch(&run);
    cr_expect_str_eq(run.misuse, "");
    plugin_run_done(&run);
    return status;
}

/* ---- names ---- */

Test(grpc_process, every_address_of_a_name_is_tried)
{
    struct plugin_run run;

    plugin_run_init(&run, host, "grpc://two.test:1/a/b/c");
    cr_expect_eq(plugin_run_fetch(&run), FLAME_ERR_NETWORK);
    cr_expect_eq(run.addresses_asked, 2);
    cr_expect_str_eq(run.last_address, "127.0.0.3");
    plugin_run_done(&run);
}

Test(grpc_process, an_address_that_is_refused_ends_it)
{
    static const char *const refused[] = {"127.0.0.2", NULL};
    struct plugin_run run;

    plugin_run_init(&run, host, "grpc://two.test:1/a/b/c");
    run.refused_addresses = refused;
    cr_expect_eq(plugin_run_fetch(&run), FLAME_ERR_POLICY);
    cr_expect_eq(run.addresses_asked, 1);
    plugin_run_done(&run);
}

Test(grpc_process, a_lookup_without_end_is_cut_by_the_connect_timeout)
{
    struct timespec begin;
    struct plugin_run run;

    plugin_run_init(&run, host, "grpc://slow.test:1/a/b/c");
    run.request.connect_timeout_ms = 100;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    cr_expect_eq(plugin_run_fetch(&run), FLAME_ERR_TIMEOUT);
    cr_expect_lt(ms_since(&begin), 100 + DEADLINE_MS);
    cr_expect_not_null(strstr(run.failure.error.message, "looked up"));
    plugin_run_done(&run);
}

static void *cancel_once_it_hangs(void *data)
{
    while (atomic_load(&lookups_under_way) == 0)
        usleep(1000);
    plugin_run_cancel(data, FLAME_ERR_CANCELLED);
    return NULL;
}

Test(grpc_process, a_cancel_is_prompt_while_a_name_is_looked_up)
{
    struct timespec begin;
    struct plugin_run run;
    pthread_t thread;

    plugin_run_init(&run, host, "grpc://slow.test:1/a/b/c");
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    cr_assert_eq(pthread_create(&thread, NULL, cancel_once_it_hangs, &run), 0);
    cr_expect_eq(plugin_run_fetch(&run), FLAME_ERR_CANCELLED);
    (void)pthread_join(thread, NULL);
    cr_expect_lt(ms_since(&begin), DEADLINE_MS);
    plugin_run_done(&run);
}

/* ---- threads and signals ---- */

/* Does that thread of ours block the signal? */
static bool blocks(const char *task, int number)
{
    char path[64], line[128];
    unsigned long long mask = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/self/task/%.16s/status", task);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        (void)sscanf(line, "SigBlk: %llx", &mask);
    if (file)
        (void)fclose(file);
    return (mask >> (number - 1) & 1) != 0;
}

Test(grpc_process, every_thread_that_grpc_starts_blocks_signals)
{
    struct dirent *entry;
    int others = 0;
    DIR *tasks;

    cr_expect_eq(fetch_from("grpc://127.0.0.1:1/a/b/c"), FLAME_ERR_NETWORK);
    tasks = opendir("/proc/self/task");
    cr_assert_not_null(tasks);
    while ((entry = readdir(tasks))) {
        if (entry->d_name[0] == '.' || strtol(entry->d_name, NULL, 10) == getpid())
            continue;
        others++;
        cr_expect(blocks(entry->d_name, SIGTERM) && blocks(entry->d_name, SIGPROF), "thread %s",
                  entry->d_name);
    }
    (void)closedir(tasks);
    cr_expect_gt(others, 0);
    cr_expect_not(blocks("self", SIGTERM), "ours is as it was");
}

/* What a child exits with; -1 = it hangs. A slot blocks every signal, so no alarm would help. */
static int exit_of(pid_t child)
{
    int status = 0;

    for (int i = 0; i < 10000; i++) {
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        usleep(1000);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    return -1;
}

Test(grpc_process, a_child_gets_an_error_instead_of_a_hang)
{
    pid_t child;

    cr_expect_eq(fetch_from("grpc://127.0.0.1:1/a/b/c"), FLAME_ERR_NETWORK);
    child = fork();
    if (child == 0)
        _exit(fetch_from("grpc://127.0.0.1:1/a/b/c"));
    cr_expect_eq(exit_of(child), FLAME_ERR_UNSUPPORTED);
}

Test(grpc_process, instances_come_and_go_and_one_fails_as_the_other)
{
    for (int i = 0; i < 5; i++) {
        struct plugin_host *other = plugin_host_load(FLAME_TEST_PLUGIN_DIR "/grpc.so");
        struct plugin_run run;

        plugin_run_init(&run, other, "grpc://127.0.0.1:1/a/b/c");
        cr_expect_eq(plugin_run_fetch(&run), FLAME_ERR_NETWORK);
        plugin_run_done(&run);
        plugin_host_close(other);
    }
}

Test(grpc_process, a_flag_that_must_be_understood_is_refused)
{
    struct plugin_run run;

    plugin_run_init(&run, host, "grpc://127.0.0.1:1/a/b/c");
    run.request.flags = 0x80000000u;
    cr_expect_eq(plugin_run_fetch(&run), FLAME_ERR_UNSUPPORTED);
    cr_expect_eq(run.addresses_asked, 0);
    plugin_run_done(&run);
}
