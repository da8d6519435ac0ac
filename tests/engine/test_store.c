/* SPDX-License-Identifier: Apache-2.0 */
/* Store, remove and list: what is done, what is refused, what nobody knows. */
#include "background.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct flame *flame;
static struct scratch scratch;
static struct flame_task task;
static struct flame_result result;
static struct flame_error err;

static void set_up(void)
{
    scratch_open(&scratch);
    flame = open_context(0);
    result = FLAME_INIT(flame_result);
    err = FLAME_INIT(flame_error);
    task = FLAME_INIT(flame_task);
    task.url = scratch_url(&scratch, "there");
    task.retry_delay_ms = 5;
}

static void tear_down(void)
{
    flame_result_done(&result);
    flame_close(flame);
    scratch_close(&scratch);
}

#define STORE_TEST(name) Test(store, name, .init = set_up, .fini = tear_down, .timeout = 60)

static int32_t run(uint32_t verb)
{
    err = FLAME_INIT(flame_error);
    flame_result_done(&result);
    return flame_run(flame, verb, &task, &result, &err);
}

static bool there_holds(const char *bytes)
{
    return scratch_holds(scratch_path(&scratch, "there"), bytes, strlen(bytes));
}

/* The version of the object, once the kernel's clock lets it be known. */
static const char *version(void)
{
    const char *path = task.path;

    task.path = NULL;
    do
        cr_assert_eq(run(FLAME_STAT), FLAME_OK, "%s", err.message);
    while (!(result.flags & FLAME_RESULT_STRONG));
    task.path = path;
    return strdup(result.validator);
}

/* ---- over file: ------------------------------------------------------------------------------ */

STORE_TEST(a_file_is_stored_as_it_is)
{
    task.path = scratch_write(&scratch, "source", "hello", 5);
    cr_assert_eq(run(FLAME_STORE), FLAME_OK, "%s", err.message);
    cr_expect(there_holds("hello"));
    cr_expect_eq(result.size, 5);
    cr_expect_eq(result.transferred, 5);
    cr_expect(result.flags & FLAME_RESULT_PROVEN);
    cr_expect_str_eq(result.plugin, "org.flame.file");
    cr_expect_str_eq(result.url, task.url);
    cr_expect_eq(counters_of(flame).transferred, 5);
    cr_expect_eq(scratch_count(&scratch), 2);
}

static int32_t stop_in_the_middle(void *data, const struct flame_progress *progress)
{
    uint64_t *done = data;

    *done = progress->done;
    return progress->done > 0 && progress->done < progress->total;
}

/* The plugin has the kernel copy from a descriptor, and tells how far that is. */
STORE_TEST(progress_is_told_while_the_kernel_copies)
{
    uint64_t done = 0;

    task.path = scratch_write(&scratch, "source", "x", 1);
    cr_assert_eq(truncate(task.path, (off_t)4 << 30), 0);
    task.progress = stop_in_the_middle;
    task.data = &done;
    cr_assert_eq(run(FLAME_STORE), FLAME_ERR_CANCELLED);
    cr_expect(done > 0 && done < (uint64_t)4 << 30, "%llu bytes", (unsigned long long)done);
    cr_expect_eq(scratch_count(&scratch), 1);
}

STORE_TEST(a_descriptor_of_a_file_is_stored_from_its_beginning)
{
    task.fd = open(scratch_write(&scratch, "source", "hello", 5), O_RDONLY | O_CLOEXEC);
    task.flags = FLAME_TASK_FD;
    cr_assert_eq(lseek(task.fd, 3, SEEK_SET), 3);
    cr_assert_eq(run(FLAME_STORE), FLAME_OK, "%s", err.message);
    cr_expect(there_holds("hello"));
    (void)close(task.fd);
}

STORE_TEST(a_pipe_is_stored_to_its_end)
{
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_eq(write(ends[1], "hello", 5), 5);
    (void)close(ends[1]);
    task.fd = ends[0];
    task.flags = FLAME_TASK_FD;
    cr_assert_eq(run(FLAME_STORE), FLAME_OK, "%s", err.message);
    cr_expect(there_holds("hello"));
    cr_expect_eq(result.size, 5);
    (void)close(ends[0]);
}

STORE_TEST(a_silent_pipe_is_cancelled_promptly)
{
    struct flame_job *job = NULL;
    double began;
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    task.fd = ends[0];
    task.flags = FLAME_TASK_FD;
    cr_assert_eq(flame_submit(flame, FLAME_STORE, &task, NULL, &job, &err), FLAME_OK);
    wait_until(flame_job_state(job) == FLAME_JOB_RUNNING);
    usleep(50000);
    began = now_ms();
    flame_job_cancel(job);
    finish(job, FLAME_ERR_CANCELLED);
    cr_expect_lt(now_ms() - began, CANCEL_MS);
    cr_expect_eq(scratch_count(&scratch), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

STORE_TEST(keep_replaces_nothing)
{
    task.path = scratch_write(&scratch, "source", "hello", 5);
    task.flags = FLAME_TASK_KEEP;
    cr_assert_eq(run(FLAME_STORE), FLAME_OK, "%s", err.message);
    task.path = scratch_write(&scratch, "source", "other", 5);
    cr_expect_eq(run(FLAME_STORE), FLAME_ERR_EXISTS, "%s", err.message);
    cr_expect(there_holds("hello"));
    task.flags = 0;
    cr_expect_eq(run(FLAME_STORE), FLAME_OK);
    cr_expect(there_holds("other"));
}

STORE_TEST(a_version_that_is_gone_is_not_replaced)
{
    const char *first;

    (void)scratch_write(&scratch, "there", "one", 3);
    first = version();
    task.path = scratch_write(&scratch, "source", "two", 3);
    task.validator = first;
    cr_expect_eq(run(FLAME_STORE), FLAME_OK, "%s", err.message);
    cr_expect(there_holds("two"));
    cr_expect_eq(run(FLAME_STORE), FLAME_ERR_CHANGED, "%s", err.message);
    cr_expect_eq(err.attempts, 1);
    free((char *)(uintptr_t)first);
}

STORE_TEST(what_is_no_file_is_refused)
{
    const char *fifo = scratch_path(&scratch, "fifo");

    cr_assert_eq(mkfifo(fifo, 0600), 0);
    task.path = fifo;
    cr_expect_eq(run(FLAME_STORE), FLAME_ERR_IO);
    cr_expect(err.flags & FLAME_ERROR_SOURCE);
    task.path = scratch_path(&scratch, "missing");
    cr_expect_eq(run(FLAME_STORE), FLAME_ERR_IO);
    cr_expect_eq(flame_exit_code(&err), 26);
    task.path = scratch_write(&scratch, "source", "hello", 5);
    task.max_bytes = 4;
    cr_expect_eq(run(FLAME_STORE), FLAME_ERR_LIMIT);
    cr_expect_eq(scratch_count(&scratch), 2);
}

STORE_TEST(removing_removes_once)
{
    (void)scratch_write(&scratch, "there", "hello", 5);
    cr_expect_eq(run(FLAME_REMOVE), FLAME_OK, "%s", err.message);
    cr_expect_eq(scratch_count(&scratch), 0);
    cr_expect_eq(run(FLAME_REMOVE), FLAME_ERR_NOT_FOUND);
}

STORE_TEST(another_version_is_not_removed)
{
    const char *first;

    (void)scratch_write(&scratch, "there", "one", 3);
    first = version();
    (void)scratch_write(&scratch, "there", "longer", 6);
    task.validator = first;
    cr_expect_eq(run(FLAME_REMOVE), FLAME_ERR_CHANGED, "%s", err.message);
    cr_expect(there_holds("longer"));
    free((char *)(uintptr_t)first);
}

struct listing {
    char names[16][64];
    uint32_t count;
    uint32_t strangers;
    int32_t answer;
};

static int32_t note_entry(void *data, const struct flame_result *entry)
{
    struct listing *listing = data;
    const char *slash = strrchr(entry->url, '/');

    if (!is_dispatching)
        listing->strangers++;
    if (listing->count < 16)
        (void)snprintf(listing->names[listing->count], 64, "%s", slash + 1);
    listing->count++;
    return listing->answer;
}

static void make_entries(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};

    for (int i = 0; i < 5; i++)
        (void)scratch_write(&scratch, names[i], "x", 1);
    task.url = scratch_url(&scratch, "");
    task.entry = note_entry;
}

STORE_TEST(a_list_can_be_read_in_pages)
{
    struct listing listing = {.count = 0};
    char cursor[256] = "";
    uint32_t pages = 0;

    make_entries();
    task.data = &listing;
    task.max_entries = 2;
    is_dispatching = true;
    do {
        task.cursor = pages ? cursor : NULL;
        cr_assert_eq(run(FLAME_LIST), FLAME_OK, "%s", err.message);
        if (result.cursor)
            (void)snprintf(cursor, sizeof(cursor), "%s", result.cursor);
        pages++;
    } while (result.cursor && pages < 10);
    cr_expect_eq(pages, 3);
    cr_assert_eq(listing.count, 5);
    for (uint32_t i = 0; i < 5; i++)
        cr_expect_eq(listing.names[i][0], (char)('a' + i));
    cr_expect_eq(listing.strangers, 0);
}

STORE_TEST(a_reader_who_has_enough_can_go_on_behind_it)
{
    struct listing listing = {.answer = 1};
    const char *cursor;

    make_entries();
    task.data = &listing;
    is_dispatching = true;
    cr_assert_eq(run(FLAME_LIST), FLAME_OK, "%s", err.message);
    cr_expect_eq(listing.count, 1);
    cr_assert_not_null(result.cursor);
    cursor = strdup(result.cursor);
    task.cursor = cursor;
    listing.answer = 0;
    cr_assert_eq(run(FLAME_LIST), FLAME_OK, "%s", err.message);
    cr_expect_eq(listing.count, 5);
    cr_expect_str_eq(listing.names[1], "b");
    free((char *)(uintptr_t)cursor);
}

STORE_TEST(entries_of_a_job_come_in_dispatch)
{
    struct listing listing = {.count = 0};
    struct flame_job *job = NULL;

    make_entries();
    task.data = &listing;
    cr_assert_eq(flame_submit(flame, FLAME_LIST, &task, NULL, &job, &err), FLAME_OK);
    while (flame_job_state(job) != FLAME_JOB_ENDED)
        (void)dispatch(flame, 50);
    finish(job, FLAME_OK);
    cr_expect_eq(listing.count, 5);
    cr_expect_eq(listing.strangers, 0);
}

STORE_TEST(jobs_of_all_verbs_share_a_context)
{
    struct flame_job *jobs[60];
    struct flame_task stat_task = FLAME_INIT(flame_task);
    char name[16];

    task.path = scratch_write(&scratch, "source", "hello", 5);
    stat_task.url = scratch_url(&scratch, "source");
    for (int i = 0; i < 60; i++) {
        (void)snprintf(name, sizeof(name), "there%d", i);
        task.url = scratch_url(&scratch, name);
        cr_assert_eq(flame_submit(flame, i % 2 ? FLAME_STORE : FLAME_STAT,
                                  i % 2 ? &task : &stat_task, NULL, &jobs[i], &err),
                     FLAME_OK, "%s", err.message);
    }
    for (int i = 0; i < 60; i++)
        finish(jobs[i], FLAME_OK);
    cr_expect_eq(scratch_count(&scratch), 31);
}

/* ---- over http ------------------------------------------------------------------------------- */

/* What the server answers to a PUT or DELETE, one after the other, and what it has. */
struct peer {
    const char *answers[4]; /* NULL = says nothing and waits */
    bool drops;             /* has it not stored, whatever it says? */
    bool states_digest;
    atomic_uint asked;
    atomic_uint looked;
    atomic_bool is_over;
    atomic_size_t stored;
    atomic_bool is_there;
};

static bool answer_look(struct peer *peer, const struct tiny_request *request)
{
    static const char field[] =
        "Repr-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:\r\n"; /* of "hello" */
    char head[256];

    atomic_fetch_add(&peer->looked, 1);
    if (!peer->is_there)
        return tiny_answer(request, "404 Not Found", "", 0);
    (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n",
                   peer->states_digest ? field : "", peer->stored);
    return tiny_send(request, head);
}

static bool act(void *data, const struct tiny_request *request)
{
    struct peer *peer = data;
    char bytes[64];
    char field[256];
    uint32_t number;

    if (strcmp(request->method, "HEAD") == 0)
        return answer_look(peer, request);
    number = atomic_fetch_add(&peer->asked, 1);
    if (strcmp(request->method, "PUT") == 0 && tiny_field(request, "Content-Length", field)) {
        if (!tiny_receive(request, bytes, strtoul(field, NULL, 10)))
            return false;
        peer->stored = strtoul(field, NULL, 10);
    }
    if (!peer->drops)
        peer->is_there = strcmp(request->method, "PUT") == 0;
    if (peer->answers[number])
        return tiny_send(request, peer->answers[number]);
    while (!atomic_load(&peer->is_over))
        usleep(1000);
    return false;
}

#define CREATED "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
#define DONE "HTTP/1.1 204 No Content\r\n\r\n"
#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
#define TOO_LARGE "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"

static struct tiny_server *peer_for(struct peer *peer)
{
    struct tiny_server *server = tiny_server_open(act, peer);

    task.url = tiny_server_url(server, "/there");
    task.path = scratch_write(&scratch, "source", "hello", 5);
    return server;
}

static void part_from(struct peer *peer, struct tiny_server *server)
{
    atomic_store(&peer->is_over, true);
    tiny_server_close(server);
}

STORE_TEST(what_the_peer_confirms_and_has_is_stored)
{
    struct peer peer = {.answers = {CREATED}};
    struct tiny_server *server = peer_for(&peer);

    cr_expect_eq(run(FLAME_STORE), FLAME_OK, "%s", err.message);
    cr_expect_eq(result.size, 5);
    cr_expect_eq(result.transferred, 5);
    cr_expect_eq(atomic_load(&peer.asked), 1);
    part_from(&peer, server);
}

STORE_TEST(what_the_peer_confirms_and_has_not_is_unknown)
{
    struct peer peer = {.answers = {CREATED}, .drops = true};
    struct tiny_server *server = peer_for(&peer);

    cr_expect_eq(run(FLAME_STORE), FLAME_ERR_UNKNOWN_OUTCOME, "%s", err.message);
    cr_expect_eq(atomic_load(&peer.asked), 1, "never sent twice");
    part_from(&peer, server);
}

STORE_TEST(what_is_only_accepted_is_proven_by_a_digest_or_unknown)
{
    struct peer peer = {.answers = {ACCEPTED, ACCEPTED}};
    struct tiny_server *server = peer_for(&peer);

    cr_expect_eq(run(FLAME_STORE), FLAME_ERR_UNKNOWN_OUTCOME, "%s", err.message);
    peer.states_digest = true;
    cr_expect_eq(run(FLAME_STORE), FLAME_OK, "%s", err.message);
    part_from(&peer, server);
}

STORE_TEST(a_busy_peer_is_asked_again_and_a_refusal_is_not)
{
    struct peer peer = {.answers = {BUSY, CREATED, TOO_LARGE}};
    struct tiny_server *server = peer_for(&peer);

    cr_expect_eq(run(FLAME_STORE), FLAME_OK, "%s", err.message);
    cr_expect_eq(atomic_load(&peer.asked), 2);
    cr_expect_geq(run(FLAME_STORE), FLAME_FIRST_FAILURE);
    cr_expect_eq(atomic_load(&peer.asked), 3);
    part_from(&peer, server);
}

STORE_TEST(silence_after_the_last_byte_is_looked_into)
{
    struct peer peer = {.answers = {NULL}, .states_digest = true};
    struct tiny_server *server = peer_for(&peer);

    task.first_byte_timeout_ms = 300;
    task.stall_timeout_ms = 300;
    cr_expect_eq(run(FLAME_STORE), FLAME_OK, "%d %s", err.status, err.message);
    cr_expect_geq(atomic_load(&peer.looked), 1);
    cr_expect_eq(atomic_load(&peer.asked), 1);
    part_from(&peer, server);
}

STORE_TEST(silence_that_nothing_explains_is_unknown)
{
    struct peer peer = {.answers = {NULL}};
    struct tiny_server *server = peer_for(&peer);

    task.first_byte_timeout_ms = 300;
    task.stall_timeout_ms = 300;
    cr_expect_eq(run(FLAME_STORE), FLAME_ERR_UNKNOWN_OUTCOME, "%s", err.message);
    cr_expect_eq(atomic_load(&peer.asked), 1, "never sent twice");
    part_from(&peer, server);
}

STORE_TEST(a_remove_that_was_heard_of_is_done_or_unknown)
{
    struct peer peer = {.answers = {DONE, ACCEPTED, ACCEPTED}, .is_there = true};
    struct tiny_server *server = peer_for(&peer);

    task.path = NULL;
    cr_expect_eq(run(FLAME_REMOVE), FLAME_OK, "%s", err.message);
    cr_expect_eq(run(FLAME_REMOVE), FLAME_OK, "%s", err.message); /* 202, and it is gone */
    peer.drops = peer.is_there = true;
    cr_expect_eq(run(FLAME_REMOVE), FLAME_ERR_UNKNOWN_OUTCOME, "%s", err.message);
    part_from(&peer, server);
}

STORE_TEST(what_a_plugin_cannot_do_is_unsupported)
{
    struct peer peer = {.answers = {NULL}};
    struct tiny_server *server = peer_for(&peer);

    task.path = NULL;
    task.entry = note_entry;
    cr_expect_eq(run(FLAME_LIST), FLAME_ERR_UNSUPPORTED);
    task.flags = FLAME_TASK_PREFIX;
    cr_expect_eq(run(FLAME_REMOVE), FLAME_ERR_UNSUPPORTED);
    cr_expect_eq(tiny_server_requests(server), 0);
    part_from(&peer, server);
}
