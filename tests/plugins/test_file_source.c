/* SPDX-License-Identifier: Apache-2.0 */
/* Which sources the file plugin opens, and what it makes of one that changes under its hands. */
#include "file_fixture.h"

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

TestSuite(file_source, .init = set_up, .fini = tear_down, .timeout = 60);

/* ---- what is no file ---- */

static void expect_refused(const char *url)
{
    double start = now_s();

    expect(plugin_run_fetch, url, FLAME_ERR_POLICY);
    expect(plugin_run_stat, url, FLAME_ERR_POLICY);
    cr_assert_lt(now_s() - start, 1.0, "%s took its time", url);
}

Test(file_source, refuses_at_once_what_is_not_a_regular_file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
                   scratch_path(&scratch, "socket"));
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(mkfifo(scratch_path(&scratch, "fifo"), 0666), 0);
    cr_assert_eq(symlink("/dev/zero", scratch_path(&scratch, "link")), 0);
    expect_refused(scratch_url(&scratch, "socket"));
    expect_refused(scratch_url(&scratch, "fifo"));
    expect_refused(scratch_url(&scratch, "link"));
    expect_refused(scratch_url(&scratch, ""));
    expect_refused(scratch_url(&scratch, "."));
    expect_refused("file:///");
    expect_refused("file:///dev/zero");
    expect_refused("file:///dev/null");
    expect_refused("file:///dev/tty");
    (void)close(fd);
}

Test(file_source, refuses_files_that_the_kernel_makes_up)
{
    expect_refused("file:///proc/self/environ");
    expect_refused("file:///proc/self/maps");
    expect_refused("file:///proc/kmsg");
    expect_refused("file:///sys/kernel/mm/transparent_hugepage/enabled");
}

/* A descriptor of the host's, reached by its number, is nobody's business. */
Test(file_source, follows_no_magic_link_of_procfs)
{
    const char *path = scratch_fill(&scratch, "source", 10);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char url[5000];

    (void)snprintf(url, sizeof(url), "file:///proc/self/fd/%d", fd);
    expect_refused(url);
    (void)snprintf(url, sizeof(url), "file:///dev/fd/%d", fd);
    expect_refused(url);
    (void)snprintf(url, sizeof(url), "file:///proc/self/root%s", path);
    expect_refused(url);
    (void)close(fd);
}

Test(file_source, does_not_even_open_a_pipe)
{
    const char *path = scratch_path(&scratch, "fifo");
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char events[4096];

    cr_assert_eq(mkfifo(path, 0666), 0);
    cr_assert_geq(inotify_add_watch(watch, path, IN_OPEN), 0);
    expect_refused(scratch_url(&scratch, "fifo"));
    cr_assert_eq(read(watch, events, sizeof(events)), -1);
    (void)close(watch);
}

/* ---- allowed directories ---- */

static void allow(const char *a, const char *b)
{
    char roots[1024];

    (void)snprintf(roots, sizeof(roots), "%s%s%s", scratch_path(&scratch, a), b ? ":" : "",
                   b ? scratch_path(&scratch, b) : "");
    plugin_host_option(host, "roots", roots);
}

static void make_rooms(void)
{
    static const char *const dirs[] = {"open", "open/deep", "openly", "shut"};

    for (size_t i = 0; i < 4; i++) {
        char name[64];

        cr_assert_eq(mkdir(scratch_path(&scratch, dirs[i]), 0777), 0);
        (void)snprintf(name, sizeof(name), "%s/file", dirs[i]);
        scratch_fill(&scratch, name, 10);
    }
}

Test(file_source, opens_below_the_allowed_directories_only)
{
    make_rooms();
    allow("open/", NULL);
    expect(plugin_run_fetch, scratch_url(&scratch, "open/file"), FLAME_OK);
    expect(plugin_run_fetch, scratch_url(&scratch, "open//deep/../deep/file"), FLAME_OK);
    expect(plugin_run_fetch, scratch_url(&scratch, "open/missing"), FLAME_ERR_NOT_FOUND);
    expect_refused(scratch_url(&scratch, "open"));
    expect_refused(scratch_url(&scratch, "openly/file"));
    expect_refused(scratch_url(&scratch, "shut/file"));
    expect_refused(scratch_url(&scratch, "open/../shut/file"));
    expect_refused(scratch_url(&scratch, "open/deep/../../shut/file"));
    expect_refused("file:///etc/passwd");
}

Test(file_source, no_link_leads_out_of_an_allowed_directory)
{
    make_rooms();
    cr_assert_eq(symlink("../shut/file", scratch_path(&scratch, "open/relative")), 0);
    cr_assert_eq(symlink("/etc/passwd", scratch_path(&scratch, "open/absolute")), 0);
    cr_assert_eq(symlink("../shut", scratch_path(&scratch, "open/dir")), 0);
    cr_assert_eq(symlink("deep/file", scratch_path(&scratch, "open/inside")), 0);
    allow("open", NULL);
    expect_refused(scratch_url(&scratch, "open/relative"));
    expect_refused(scratch_url(&scratch, "open/absolute"));
    expect_refused(scratch_url(&scratch, "open/dir/file"));
    expect(plugin_run_fetch, scratch_url(&scratch, "open/inside"), FLAME_OK);
}

Test(file_source, allows_several_directories)
{
    make_rooms();
    allow("open", "shut");
    expect(plugin_run_fetch, scratch_url(&scratch, "open/file"), FLAME_OK);
    expect(plugin_run_fetch, scratch_url(&scratch, "shut/file"), FLAME_OK);
    expect_refused(scratch_url(&scratch, "openly/file"));
}

Test(file_source, a_request_may_have_directories_of_its_own)
{
    const char *options[] = {"roots", NULL, NULL};
    struct plugin_run run;

    make_rooms();
    options[1] = scratch_path(&scratch, "shut");
    plugin_run_init(&run, host, scratch_url(&scratch, "open/file"));
    run.options = options;
    check(&run, plugin_run_fetch, FLAME_ERR_POLICY);
    options[1] = "relative";
    run.failure.error.status = FLAME_OK;
    check(&run, plugin_run_fetch, FLAME_ERR_INVALID);
    plugin_run_done(&run);
}

Test(file_source, does_not_start_with_a_list_it_cannot_keep)
{
    static const char *const lists[] = {"", "relative", "/a:", "/a::/b", ":/a", "/a:b"};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct plugin_failure failure;

        plugin_failure_init(&failure);
        plugin_host_option(host, "roots", lists[i]);
        cr_assert_eq(plugin_host_start(host, &failure), FLAME_ERR_INVALID, "'%s'", lists[i]);
        cr_assert(strstr(failure.error.message, "roots"));
    }
}

/* ---- a source that changes ---- */

#define CHANGING_SIZE (70 << 20) /* more than one piece */

static void grow(struct plugin_run *run, uint64_t size)
{
    (void)size;
    cr_assert_eq(truncate(run->data, CHANGING_SIZE + 1), 0);
}

static void shrink(struct plugin_run *run, uint64_t size)
{
    (void)size;
    cr_assert_eq(truncate(run->data, 100), 0);
}

static void overwrite(struct plugin_run *run, uint64_t size)
{
    int fd = open(run->data, O_WRONLY | O_CLOEXEC);

    (void)size;
    cr_assert_eq(pwrite(fd, "!", 1, 5), 1);
    (void)close(fd);
}

static void vanish(struct plugin_run *run, uint64_t size)
{
    (void)size;
    (void)unlink(run->data);
}

static void replace(struct plugin_run *run, uint64_t size)
{
    (void)size;
    scratch_fill(&scratch, "other", 10);
    cr_assert_eq(rename(scratch_path(&scratch, "other"), run->data), 0);
}

static void expect_changed(void (*change)(struct plugin_run *run, uint64_t size), bool refuse_copy)
{
    const char *path = scratch_fill(&scratch, "source", 10);
    struct plugin_run run;

    cr_assert_eq(truncate(path, CHANGING_SIZE), 0);
    sleep_ms(SETTLE_MS);
    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    run.keep_bytes = 0;
    run.refuse_copy = refuse_copy;
    run.on_body = change;
    run.data = (char *)(uintptr_t)path;
    check(&run, plugin_run_fetch, FLAME_ERR_CHANGED);
    cr_assert_eq(run.finishes, 0);
    plugin_run_done(&run);
}

Test(file_source, notices_every_change_while_it_reads)
{
    static void (*const changes[])(struct plugin_run * run,
                                   uint64_t size) = {grow, shrink, overwrite, vanish, replace};

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        expect_changed(changes[i], false);
        expect_changed(changes[i], true);
    }
}

struct changer {
    const char *path;
    atomic_bool stop;
};

static void *keep_changing(void *data)
{
    struct changer *changer = data;

    for (off_t size = 0; !atomic_load(&changer->stop); size = (size + 7919) % 300000)
        if (truncate(changer->path, size) != 0)
            abort();
    return NULL;
}

Test(file_source, never_proves_a_body_whose_size_was_not_the_files)
{
    struct changer changer = {.path = scratch_fill(&scratch, "source", 300000)};
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, keep_changing, &changer), 0);
    for (int i = 0; i < 500; i++) {
        struct plugin_run run;

        plugin_run_init(&run, host, scratch_url(&scratch, "source"));
        run.refuse_copy = i % 2;
        if (plugin_run_fetch(&run) == FLAME_OK)
            cr_assert_eq(run.body_size, plugin_run_object(&run)->object.body_size);
        else
            cr_assert_eq(run.status, FLAME_ERR_CHANGED);
        cr_assert_eq(run.finishes, run.status == FLAME_OK);
        plugin_run_done(&run);
    }
    atomic_store(&changer.stop, true);
    (void)pthread_join(thread, NULL);
}

static void *fetch_often(void *data)
{
    for (int i = 0; i < 50; i++) {
        struct plugin_run run;

        plugin_run_init(&run, host, data);
        cr_assert_eq(plugin_run_fetch(&run), FLAME_OK);
        cr_assert_eq(run.body_size, 5000);
        plugin_run_done(&run);
    }
    return NULL;
}

Test(file_source, one_instance_serves_many_threads)
{
    pthread_t threads[8];

    scratch_fill(&scratch, "source", 5000);
    plugin_host_start(host, NULL);
    for (size_t i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, fetch_often,
                                    (void *)(uintptr_t)scratch_url(&scratch, "source")),
                     0);
    for (size_t i = 0; i < 8; i++)
        (void)pthread_join(threads[i], NULL);
}
