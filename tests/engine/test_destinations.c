/* SPDX-License-Identifier: Apache-2.0 */
/* Destinations, digests and callbacks of a task, by way of file: URLs. */
#include "scratch.h"

#include <flame/fetch.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define XYZ "sha256:3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282"

static struct flame *flame;
static struct scratch scratch;
static struct flame_error err;
static struct flame_result result;
static struct flame_task task;

static void set_up(void)
{
    static const struct flame_config config = {.struct_size = sizeof(config),
                                               .flags = FLAME_CONFIG_NO_ENVIRONMENT};

    scratch_open(&scratch);
    err = FLAME_INIT(flame_error);
    result = FLAME_INIT(flame_result);
    task = FLAME_INIT(flame_task);
    cr_assert_eq(flame_open(&config, &flame, &err), FLAME_OK, "%s", err.message);
    (void)scratch_write(&scratch, "abc", "abc", 3);
    task.url = scratch_url(&scratch, "abc");
}

static void tear_down(void)
{
    flame_result_done(&result);
    flame_close(flame);
    scratch_close(&scratch);
}

static int32_t fetch(void)
{
    flame_result_done(&result);
    err = FLAME_INIT(flame_error);
    return flame_run(flame, FLAME_FETCH, &task, &result, &err);
}

#define ENGINE_TEST(name) Test(engine, name, .init = set_up, .fini = tear_down, .timeout = 60)

ENGINE_TEST(a_path_gets_the_bytes_and_the_result_says_what_is_known)
{
    task.path = scratch_path(&scratch, "out");
    task.digest = ABC;
    cr_assert_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect(scratch_holds(task.path, "abc", 3));
    cr_expect_eq(result.size, 3);
    cr_expect_eq(result.transferred, 3);
    cr_expect_str_eq(result.digest, ABC);
    cr_expect_str_eq(result.plugin, "org.flame.file");
    cr_expect_str_eq(result.url, task.url);
    cr_expect(result.flags & FLAME_RESULT_PROVEN);
    cr_expect(result.flags & FLAME_RESULT_VERIFIED);
    cr_expect(result.flags & FLAME_RESULT_MTIME);
    cr_expect_not_null(result.metadata);
    cr_expect_eq(scratch_count(&scratch), 2);
}

ENGINE_TEST(a_wrong_digest_leaves_what_was_there)
{
    task.path = scratch_write(&scratch, "out", "old", 3);
    task.digest = XYZ;
    cr_expect_eq(fetch(), FLAME_ERR_DIGEST);
    cr_expect_eq(err.phase, FLAME_PHASE_VERIFY);
    cr_expect_eq(flame_exit_code(&err), 110);
    cr_expect(scratch_holds(task.path, "old", 3));
    cr_expect_eq(scratch_count(&scratch), 2);
}

ENGINE_TEST(a_destination_that_has_the_digest_is_kept_without_a_transfer)
{
    struct stat before;
    struct stat after;

    task.path = scratch_write(&scratch, "out", "abc", 3);
    task.digest = ABC;
    cr_assert_eq(stat(task.path, &before), 0);
    cr_expect_eq(fetch(), FLAME_OK);
    cr_assert_eq(stat(task.path, &after), 0);
    cr_expect_eq(before.st_ino, after.st_ino);
    cr_expect(result.flags & FLAME_RESULT_CACHED);
    cr_expect_eq(result.transferred, 0);
    cr_expect_eq(result.size, 3);
    cr_expect_null(result.plugin);
    task.flags = FLAME_TASK_REPLACE;
    cr_expect_eq(fetch(), FLAME_OK);
    cr_assert_eq(stat(task.path, &after), 0);
    cr_expect_neq(before.st_ino, after.st_ino);
    cr_expect_not(result.flags & FLAME_RESULT_CACHED);
}

ENGINE_TEST(existing_never_means_done)
{
    task.path = scratch_write(&scratch, "out", "garbage", 7);
    task.digest = ABC;
    cr_expect_eq(fetch(), FLAME_OK);
    cr_expect(scratch_holds(task.path, "abc", 3));
    task.digest = NULL;
    (void)scratch_write(&scratch, "out", "garbage", 7);
    cr_expect_eq(fetch(), FLAME_OK);
    cr_expect(scratch_holds(task.path, "abc", 3));
}

ENGINE_TEST(keep_never_replaces)
{
    task.path = scratch_write(&scratch, "out", "old", 3);
    task.flags = FLAME_TASK_KEEP;
    cr_expect_eq(fetch(), FLAME_ERR_EXISTS);
    cr_expect(scratch_holds(task.path, "old", 3));
}

ENGINE_TEST(the_fragment_is_an_expected_digest)
{
    char url[600];

    task.path = scratch_path(&scratch, "out");
    (void)snprintf(url, sizeof(url), "%s#sha256=%s", task.url, ABC + 7);
    task.url = url;
    cr_expect_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect(result.flags & FLAME_RESULT_VERIFIED);
    task.digest = XYZ;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID);
    url[strlen(url) - 1] = 'x';
    task.digest = NULL;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID_URL);
}

ENGINE_TEST(a_required_digest_must_be_given)
{
    task.path = scratch_path(&scratch, "out");
    task.flags = FLAME_TASK_REQUIRE_DIGEST;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID);
    task.digest = ABC;
    cr_expect_eq(fetch(), FLAME_OK);
}

struct seen {
    char bytes[16];
    size_t size;
    pthread_t thread;
    int calls;
    int32_t answer;
    uint64_t last_done;
    uint32_t last_phase;
};

static int32_t take(void *data, const void *bytes, uint64_t size)
{
    struct seen *seen = data;

    seen->thread = pthread_self();
    seen->calls++;
    if (seen->size + size <= sizeof(seen->bytes))
        memcpy(seen->bytes + seen->size, bytes, size);
    seen->size += size;
    return seen->answer;
}

ENGINE_TEST(a_write_callback_gets_the_bytes_on_the_calling_thread)
{
    struct seen seen = {0};

    task.write = take;
    task.data = &seen;
    task.digest = ABC;
    cr_expect_eq(fetch(), FLAME_OK);
    cr_expect_eq(seen.size, 3);
    cr_expect_eq(memcmp(seen.bytes, "abc", 3), 0);
    cr_expect(pthread_equal(seen.thread, pthread_self()));
}

ENGINE_TEST(a_write_callback_that_says_no_cancels)
{
    struct seen seen = {.answer = 1};

    task.write = take;
    task.data = &seen;
    cr_expect_eq(fetch(), FLAME_ERR_CANCELLED);
}

ENGINE_TEST(a_spooled_callback_sees_nothing_before_all_is_verified)
{
    struct seen seen = {0};

    task.write = take;
    task.data = &seen;
    task.flags = FLAME_TASK_SPOOL;
    task.digest = XYZ;
    cr_expect_eq(fetch(), FLAME_ERR_DIGEST);
    cr_expect_eq(seen.calls, 0);
    task.digest = ABC;
    cr_expect_eq(fetch(), FLAME_OK);
    cr_expect_eq(memcmp(seen.bytes, "abc", 3), 0);
}

ENGINE_TEST(a_descriptor_gets_the_bytes_in_order)
{
    char bytes[8] = {0};
    int ends[2];

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    task.fd = ends[1];
    task.flags = FLAME_TASK_FD;
    cr_expect_eq(fetch(), FLAME_OK, "%s", err.message);
    cr_expect_eq(read(ends[0], bytes, sizeof(bytes)), 3);
    cr_expect_str_eq(bytes, "abc");
    (void)close(ends[0]);
    cr_expect_eq(fetch(), FLAME_ERR_IO);
    cr_expect_eq(err.errno_code, EPIPE);
    (void)close(ends[1]);
}

static int32_t look(void *data, int32_t fd, uint64_t size, struct flame_error *why)
{
    struct seen *seen = data;

    seen->thread = pthread_self();
    seen->size = size;
    seen->calls = (int)read(fd, seen->bytes, sizeof(seen->bytes));
    if (write(fd, "x", 1) >= 0)
        seen->calls = -1;
    (void)snprintf(why->message, sizeof(why->message), "not signed by us");
    return seen->answer;
}

ENGINE_TEST(verify_has_the_last_word_over_unpublished_bytes)
{
    struct seen seen = {.answer = 1};

    task.path = scratch_path(&scratch, "out");
    task.verify = look;
    task.data = &seen;
    cr_expect_eq(fetch(), FLAME_ERR_SIGNATURE);
    cr_expect_str_eq(err.message, "not signed by us");
    cr_expect_eq(seen.calls, 3);
    cr_expect_eq(seen.size, 3);
    cr_expect(pthread_equal(seen.thread, pthread_self()));
    cr_expect_eq(access(task.path, F_OK), -1);
    seen.answer = 0;
    cr_expect_eq(fetch(), FLAME_OK);
    cr_expect(scratch_holds(task.path, "abc", 3));
}

static int32_t watch_progress(void *data, const struct flame_progress *progress)
{
    struct seen *seen = data;

    seen->calls++;
    seen->last_done = progress->done;
    seen->last_phase = progress->phase;
    return seen->answer;
}

static int32_t put_directory_there(void *data, int32_t fd, uint64_t size, struct flame_error *to)
{
    (void)data;
    (void)fd;
    (void)size;
    (void)to;
    return mkdir(task.path, 0777) == 0 ? FLAME_OK : FLAME_ERR_IO;
}

ENGINE_TEST(a_publish_that_fails_leaves_nothing_behind)
{
    task.path = scratch_path(&scratch, "out");
    task.verify = put_directory_there;
    cr_expect_eq(fetch(), FLAME_ERR_IO, "%s", err.message);
    cr_expect_eq(err.phase, FLAME_PHASE_PUBLISH);
    cr_expect_null(result.owner);
    cr_expect_eq(scratch_count(&scratch), 2, "the source and the directory");
}

ENGINE_TEST(progress_is_shown_once_at_the_end_at_the_latest)
{
    struct seen seen = {0};

    task.path = scratch_path(&scratch, "out");
    task.progress = watch_progress;
    task.data = &seen;
    cr_expect_eq(fetch(), FLAME_OK);
    cr_expect_geq(seen.calls, 1);
    cr_expect_eq(seen.last_done, 3);
    cr_expect_eq(seen.last_phase, FLAME_PHASE_VERIFY);
}

ENGINE_TEST(progress_that_says_no_cancels_before_anything_is_published)
{
    struct seen seen = {.answer = 1};

    task.path = scratch_path(&scratch, "out");
    task.progress = watch_progress;
    task.data = &seen;
    cr_expect_eq(fetch(), FLAME_ERR_CANCELLED);
    cr_expect_eq(access(task.path, F_OK), -1);
}

ENGINE_TEST(a_set_token_stops_the_task_before_it_begins)
{
    task.path = scratch_path(&scratch, "out");
    task.cancel = flame_cancel_new();
    flame_cancel_set(task.cancel);
    cr_expect_eq(fetch(), FLAME_ERR_CANCELLED);
    cr_expect_eq(flame_exit_code(&err), 42);
    cr_expect_eq(access(task.path, F_OK), -1);
    flame_cancel_free(task.cancel);
}

ENGINE_TEST(the_remote_time_is_taken_over_when_asked)
{
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    struct stat facts;

    cr_assert_eq(utimensat(AT_FDCWD, scratch_path(&scratch, "abc"), times, 0), 0);
    task.path = scratch_path(&scratch, "out");
    cr_expect_eq(fetch(), FLAME_OK);
    cr_assert_eq(stat(task.path, &facts), 0);
    cr_expect_gt(facts.st_mtime, 1000000000);
    task.flags = FLAME_TASK_REMOTE_TIME;
    cr_expect_eq(fetch(), FLAME_OK);
    cr_assert_eq(stat(task.path, &facts), 0);
    cr_expect_eq(facts.st_mtime, 1000000000);
}

ENGINE_TEST(a_body_over_the_limit_is_refused)
{
    task.path = scratch_path(&scratch, "out");
    task.max_bytes = 2;
    cr_expect_eq(fetch(), FLAME_ERR_LIMIT);
    cr_expect_eq(flame_exit_code(&err), 63);
    cr_expect_eq(scratch_count(&scratch), 1);
    task.max_bytes = 3;
    cr_expect_eq(fetch(), FLAME_OK);
}

ENGINE_TEST(a_root_confines_every_destination)
{
    const char *inside[] = {"dest.root", scratch.dir, NULL};

    task.options = inside;
    task.path = scratch_path(&scratch, "out");
    cr_expect_eq(fetch(), FLAME_OK, "%s", err.message);
    task.path = "/tmp/flame-outside-of-the-root";
    cr_expect_eq(fetch(), FLAME_ERR_UNSAFE_NAME);
    cr_expect_eq(access(task.path, F_OK), -1);
}

ENGINE_TEST(nonsense_tasks_are_invalid)
{
    const char *bad_secret[] = {"auth.magic", "x", NULL};
    const char *bad_header[] = {"X-A", "b\r\nX-C: d", NULL};
    const char *bad_option[] = {"no.such", "x", NULL};

    cr_expect_eq(fetch(), FLAME_ERR_INVALID); /* no destination */
    task.path = scratch_path(&scratch, "out");
    task.flags = 0x80000000u;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID);
    task.flags = FLAME_TASK_KEEP | FLAME_TASK_REPLACE;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID);
    task.flags = 0;
    task.secrets = bad_secret;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID);
    task.secrets = NULL;
    task.headers = bad_header;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID);
    task.headers = NULL;
    task.options = bad_option;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID);
    task.options = NULL;
    task.url = NULL;
    cr_expect_eq(fetch(), FLAME_ERR_INVALID);
    cr_expect_eq(scratch_count(&scratch), 1);
}

ENGINE_TEST(an_unknown_scheme_lists_those_that_are_there)
{
    task.url = "gopher://host/x";
    task.path = scratch_path(&scratch, "out");
    cr_expect_eq(fetch(), FLAME_ERR_UNSUPPORTED);
    cr_expect_eq(flame_exit_code(&err), 1);
    cr_expect_not_null(strstr(err.message, "file"));
}

ENGINE_TEST(result_and_error_are_optional)
{
    task.path = scratch_path(&scratch, "out");
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_OK);
    task.url = "nonsense";
    cr_expect_eq(flame_run(flame, FLAME_FETCH, &task, NULL, NULL), FLAME_ERR_INVALID_URL);
}

ENGINE_TEST(stat_tells_without_a_body)
{
    err = FLAME_INIT(flame_error);
    cr_expect_eq(flame_run(flame, FLAME_STAT, &task, &result, &err), FLAME_OK, "%s", err.message);
    cr_expect_eq(result.size, 3);
    cr_expect(result.flags & FLAME_RESULT_SIZE);
    cr_expect(result.flags & FLAME_RESULT_MTIME);
    cr_expect_eq(result.transferred, 0);
}

ENGINE_TEST(after_a_fork_every_call_fails)
{
    pid_t child = fork();
    int state = 0;

    if (child == 0) {
        int32_t status;

        task.path = scratch_path(&scratch, "out");
        status = flame_run(flame, FLAME_FETCH, &task, NULL, NULL);
        flame_close(flame);
        _exit(status == FLAME_ERR_INTERNAL ? 7 : 1);
    }
    cr_assert_eq(waitpid(child, &state, 0), child);
    cr_expect_eq(WEXITSTATUS(state), 7);
}
