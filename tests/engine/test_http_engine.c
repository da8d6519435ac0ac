/* SPDX-License-Identifier: Apache-2.0 */
/* The engine over http: against a server inside this process: threads, connections, cancel. */
#include "prompt.h"
#include "tiny_server.h"

#include <flame/fetch.h>

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BODY_SIZE 65536

static struct flame *flame;
static struct scratch scratch;
static char body[BODY_SIZE];

static void set_up(void)
{
    static const struct flame_config config = {.struct_size = sizeof(config),
                                               .flags = FLAME_CONFIG_NO_ENVIRONMENT};
    struct flame_error err = FLAME_INIT(flame_error);

    scratch_open(&scratch);
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (char)(i * 7 + (i >> 8));
    cr_assert_eq(flame_open(&config, &flame, &err), FLAME_OK, "%s", err.message);
}

static void tear_down(void)
{
    flame_close(flame);
    scratch_close(&scratch);
}

#define ENGINE_TEST(name) Test(engine_http, name, .init = set_up, .fini = tear_down, .timeout = 120)

static bool answer_body(void *data, const struct tiny_request *request)
{
    (void)data;
    return tiny_answer(request, "200 OK", body, sizeof(body));
}

ENGINE_TEST(a_http_url_becomes_a_file)
{
    struct tiny_server *server = tiny_server_open(answer_body, NULL);
    struct flame_task task = FLAME_INIT(flame_task);
    struct flame_result result = FLAME_INIT(flame_result);
    struct flame_error err = FLAME_INIT(flame_error);

    task.url = tiny_server_url(server, "/x");
    task.path = scratch_path(&scratch, "out");
    cr_assert_eq(flame_run(flame, FLAME_FETCH, &task, &result, &err), FLAME_OK, "%s", err.message);
    cr_expect(scratch_holds(task.path, body, sizeof(body)));
    cr_expect_str_eq(result.plugin, "org.flame.http");
    cr_expect(result.flags & FLAME_RESULT_PROVEN);
    flame_result_done(&result);
    tiny_server_close(server);
}

struct batch {
    struct tiny_server *server;
    const char *url;
    const char *path; /* NULL = nowhere */
    int count;
    int failed;
    int index;
    char first_error[256];
};

static int32_t discard(void *data, const void *bytes, uint64_t size)
{
    (void)data;
    (void)bytes;
    (void)size;
    return 0;
}

static void *fetch_many(void *data)
{
    struct batch *batch = data;

    for (int i = 0; i < batch->count; i++) {
        struct flame_task task = FLAME_INIT(flame_task);
        struct flame_error err = FLAME_INIT(flame_error);

        task.url = batch->url;
        if (batch->path)
            task.path = batch->path;
        else
            task.write = discard;
        if (flame_run(flame, FLAME_FETCH, &task, NULL, &err) == FLAME_OK)
            continue;
        if (batch->failed++ == 0)
            (void)snprintf(batch->first_error, sizeof(batch->first_error), "%.200s", err.message);
    }
    return NULL;
}

static void run_batches(struct tiny_server *server, struct batch *batches, size_t count)
{
    pthread_t threads[64];

    for (size_t i = 0; i < count; i++) {
        batches[i].server = server;
        batches[i].url = batches[0].url;
        cr_assert_eq(pthread_create(&threads[i], NULL, fetch_many, &batches[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(threads[i], NULL);
        cr_expect_eq(batches[i].failed, 0, "%d: %s", batches[i].failed, batches[i].first_error);
    }
}

static bool answer_little(void *data, const struct tiny_request *request)
{
    (void)data;
    return tiny_answer(request, "200 OK", body, 1024);
}

ENGINE_TEST(four_thousand_requests_of_sixteen_threads_open_at_most_sixteen_connections)
{
    struct tiny_server *server = tiny_server_open(answer_little, NULL);
    struct batch batches[16] = {0};

    batches[0].url = tiny_server_url(server, "/x");
    for (int i = 0; i < 16; i++)
        batches[i].count = 250;
    run_batches(server, batches, 16);
    cr_expect_eq(tiny_server_requests(server), 4000);
    cr_expect_leq(tiny_server_connections(server), 16);
    tiny_server_close(server);
}

ENGINE_TEST(sixty_four_threads_fetching_to_one_destination_all_succeed)
{
    struct tiny_server *server = tiny_server_open(answer_body, NULL);
    struct batch batches[64] = {0};

    batches[0].url = tiny_server_url(server, "/x");
    for (int i = 0; i < 64; i++) {
        batches[i].count = 2;
        batches[i].path = scratch_path(&scratch, "out");
    }
    run_batches(server, batches, 64);
    cr_expect(scratch_holds(scratch_path(&scratch, "out"), body, sizeof(body)));
    cr_expect_eq(scratch_count(&scratch), 1);
    tiny_server_close(server);
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static bool never_answer(void *data, const struct tiny_request *request)
{
    struct stopwatch *stopwatch = data;

    (void)request;
    atomic_store(&stopwatch->reached, true);
    return true;
}

static bool stall_in_the_body(void *data, const struct tiny_request *request)
{
    struct stopwatch *stopwatch = data;

    (void)tiny_send(request, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    atomic_store(&stopwatch->reached, true);
    return true;
}

static void expect_prompt_cancel(tiny_handler *handler, const char *url)
{
    struct stopwatch stopwatch = {.token = flame_cancel_new()};
    struct tiny_server *server = handler ? tiny_server_open(handler, &stopwatch) : NULL;
    struct flame_task task = FLAME_INIT(flame_task);

    if (!handler)
        atomic_store(&stopwatch.reached, true);
    task.url = server ? tiny_server_url(server, "/x") : url;
    expect_soon_cancelled(flame, &scratch, &task, &stopwatch);
    flame_cancel_free(stopwatch.token);
    if (server)
        tiny_server_close(server);
}

ENGINE_TEST(cancel_is_prompt_while_waiting_for_an_answer)
{
    expect_prompt_cancel(never_answer, NULL);
}

ENGINE_TEST(cancel_is_prompt_in_a_stalled_body)
{
    expect_prompt_cancel(stall_in_the_body, NULL);
}

/* A listener whose backlog is full swallows further connection requests. */
static int full_listener(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(fd, 0), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    for (int i = 0; i < 4; i++) {
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        (void)connect(filler, (struct sockaddr *)&address, size); /* stays open until we exit */
    }
    return fd;
}

ENGINE_TEST(cancel_is_prompt_while_connecting)
{
    char url[64];
    uint16_t port;
    int fd = full_listener(&port);

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", port);
    expect_prompt_cancel(NULL, url);
    (void)close(fd);
}

ENGINE_TEST(cancel_is_prompt_in_a_stalled_handshake)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char url[64];

    cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(fd, 5), 0); /* accepted by the kernel, answered by nobody */
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/x", ntohs(address.sin_port));
    expect_prompt_cancel(NULL, url);
    (void)close(fd);
}

ENGINE_TEST(cancel_is_prompt_while_waiting_for_a_thread)
{
    struct flame_config config = FLAME_INIT(flame_config);
    struct flame *crowded = NULL;
    struct flame *roomy = flame;

    config.flags = FLAME_CONFIG_NO_ENVIRONMENT;
    config.workers = 1;
    cr_assert_eq(flame_open(&config, &crowded, NULL), FLAME_OK);
    flame = crowded;
    {
        struct stopwatch busy = {.token = flame_cancel_new()};
        struct tiny_server *server = tiny_server_open(never_answer, &busy);
        struct batch batch = {.url = tiny_server_url(server, "/busy"), .count = 1};
        pthread_t thread;

        cr_assert_eq(pthread_create(&thread, NULL, fetch_many, &batch), 0);
        while (!atomic_load(&busy.reached))
            usleep(1000);
        expect_prompt_cancel(NULL, tiny_server_url(server, "/waits"));
        tiny_server_close(server);
        (void)pthread_join(thread, NULL);
        flame_cancel_free(busy.token);
    }
    flame = roomy;
    flame_close(crowded);
}
