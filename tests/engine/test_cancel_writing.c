/* SPDX-License-Identifier: Apache-2.0 */
/* Cancelled between two writes to the disk: it is as prompt there as anywhere, however much lies
 * in the file that is given up. */
#include "prompt.h"
#include "tiny_server.h"

#include <sys/socket.h>

#define GIB ((uint64_t)1 << 30)
#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct flame *flame;
static struct scratch scratch;
static struct stopwatch stopwatch;
static uint64_t enough; /* bytes that shall be written when it is cancelled */

static void set_up(void)
{
    static const struct flame_config config = {.struct_size = sizeof(config),
                                               .flags = FLAME_CONFIG_NO_ENVIRONMENT};
    struct flame_error err = FLAME_INIT(flame_error);

    scratch_open(&scratch);
    atomic_store(&stopwatch.reached, false);
    stopwatch.token = flame_cancel_new();
    enough = 1;
    cr_assert_eq(flame_open(&config, &flame, &err), FLAME_OK, "%s", err.message);
}

static void tear_down(void)
{
    flame_close(flame);
    flame_cancel_free(stopwatch.token);
    scratch_close(&scratch);
}

#define CANCEL_TEST(name) Test(cancel, name, .init = set_up, .fini = tear_down, .timeout = 120)

static int32_t watch_bytes(void *data, const struct flame_progress *progress)
{
    (void)data;
    if (progress->done >= enough)
        atomic_store(&stopwatch.reached, true);
    return 0;
}

static void expect_prompt_cancel_of(const char *url, const char *digest)
{
    struct flame_task task = FLAME_INIT(flame_task);

    task.url = url;
    task.flags = FLAME_TASK_NO_RESUME; /* nothing is left for another run */
    task.digest = digest;
    task.progress = watch_bytes;
    task.flags = FLAME_TASK_NO_RESUME; /* nothing shall be left to go on from */
    expect_soon_cancelled(flame, &scratch, &task, &stopwatch);
}

/* A file of 8 GiB that takes no room itself. */
static const char *large_file(void)
{
    cr_assert_eq(truncate(scratch_write(&scratch, "source", "x", 1), (off_t)(8 * GIB)), 0);
    return scratch_url(&scratch, "source");
}

CANCEL_TEST(is_prompt_between_pieces_that_the_kernel_copies)
{
    expect_prompt_cancel_of(large_file(), NULL);
}

CANCEL_TEST(is_prompt_between_pieces_that_are_hashed_and_written)
{
    expect_prompt_cancel_of(large_file(), ABC);
}

CANCEL_TEST(is_prompt_with_much_written)
{
    enough = 2 * GIB;
    expect_prompt_cancel_of(large_file(), NULL);
}

static bool answer_without_end(void *data, const struct tiny_request *request)
{
    static const char piece[65536];

    (void)data;
    (void)tiny_send(request, "HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n");
    while (send(request->fd, piece, sizeof(piece), MSG_NOSIGNAL) > 0)
        continue;
    return false;
}

CANCEL_TEST(is_prompt_between_writes_of_a_body)
{
    struct tiny_server *server = tiny_server_open(answer_without_end, NULL);

    expect_prompt_cancel_of(tiny_server_url(server, "/x"), NULL);
    tiny_server_close(server);
}
