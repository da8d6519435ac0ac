/* SPDX-License-Identifier: Apache-2.0 */
#include "file_fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

TestSuite(file_store, .init = set_up, .fini = tear_down, .timeout = 60);

static const char old_text[] = "what was there before";
static const char new_text[] = "something new";

/* A store of new_text to "target", still to be called. */
static void prepare(struct plugin_run *run)
{
    plugin_run_init(run, host, scratch_url(&scratch, "target"));
    run->source = new_text;
    run->source_size = sizeof(new_text);
    run->request.source_size = sizeof(new_text);
    run->request.flags = FLAME_REQUEST_SOURCE_SIZE;
}

static void expect_target(const void *bytes, size_t size)
{
    cr_assert(scratch_holds(scratch_path(&scratch, "target"), bytes, size));
    cr_assert_eq(scratch_count(&scratch), 1, "something was left behind");
}

/* Nothing but the old file may be there after a failure. */
static void expect_untouched(struct plugin_run *run, int32_t status)
{
    check(run, plugin_run_store, status);
    cr_assert_eq(run->finishes, 0);
    expect_target(old_text, sizeof(old_text));
    plugin_run_done(run);
}

static void expect_stored(struct plugin_run *run, const void *bytes, uint64_t size)
{
    struct stat status;
    const struct plugin_object *made;

    check(run, plugin_run_store, FLAME_OK);
    expect_target(bytes, size);
    cr_assert_eq(run->finishes, 1);
    cr_assert_eq(run->proof, FLAME_PROOF_COMPLETE);
    made = plugin_run_object(run);
    cr_assert(made && made->object.flags & FLAME_OBJECT_SIZE && made->validator);
    cr_assert_eq(made->object.total_size, size);
    cr_assert_eq(stat(scratch_path(&scratch, "target"), &status), 0);
    cr_assert_eq(made->object.mtime_ns,
                 status.st_mtim.tv_sec * 1000000000L + status.st_mtim.tv_nsec);
    plugin_run_done(run);
}

enum source_kind { MEMORY, STEPS, STREAM, DESCRIPTOR, HIDDEN_DESCRIPTOR, KINDS };

static void store_of_size(size_t size, enum source_kind kind)
{
    static uint8_t bytes[(3 << 20) + 1];
    struct plugin_run run;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i % 251);
    prepare(&run);
    run.source = bytes;
    run.source_size = run.request.source_size = size;
    run.source_step = kind == STEPS ? 99991 : 0;
    run.request.flags = kind == STREAM ? 0 : FLAME_REQUEST_SOURCE_SIZE;
    if (kind >= DESCRIPTOR) {
        run.source_fd = memfd_create("source", MFD_CLOEXEC);
        cr_assert_eq(write(run.source_fd, bytes, size), (ssize_t)size);
        run.hide_source_fd = kind == HIDDEN_DESCRIPTOR;
    }
    expect_stored(&run, bytes, size);
}

Test(file_store, keeps_the_bytes_of_any_size_and_source)
{
    static const size_t sizes[] = {0, 1, 65536, (1 << 20) - 1, (3 << 20) + 1};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (enum source_kind kind = MEMORY; kind < KINDS; kind++)
            store_of_size(sizes[i], kind);
}

/* The kernel copies within one file system. */
Test(file_store, keeps_the_bytes_that_the_kernel_copied)
{
    const char *path = scratch_fill(&scratch, "source", 2000001);
    struct plugin_run run;

    prepare(&run);
    run.source_fd = open(path, O_RDONLY | O_CLOEXEC);
    run.request.source_size = 2000001;
    check(&run, plugin_run_store, FLAME_OK);
    cr_assert(scratch_equal(path, scratch_path(&scratch, "target")));
    cr_assert_gt(run.wire_bytes, 0);
    (void)close(run.source_fd);
    plugin_run_done(&run);
}

Test(file_store, replaces_a_file_and_never_writes_into_it)
{
    const char *path = scratch_write(&scratch, "target", old_text, sizeof(old_text));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char bytes[sizeof(old_text)];
    struct plugin_run run;

    prepare(&run);
    expect_stored(&run, new_text, sizeof(new_text));
    cr_assert_eq(pread(fd, bytes, sizeof(bytes), 0), (ssize_t)sizeof(bytes));
    cr_assert_eq(memcmp(bytes, old_text, sizeof(bytes)), 0);
    (void)close(fd);
}

Test(file_store, replaces_a_link_and_not_what_it_leads_to)
{
    const char *path = scratch_write(&scratch, "elsewhere", old_text, sizeof(old_text));
    struct plugin_run run;

    cr_assert_eq(symlink("elsewhere", scratch_path(&scratch, "target")), 0);
    prepare(&run);
    check(&run, plugin_run_store, FLAME_OK);
    cr_assert(scratch_holds(path, old_text, sizeof(old_text)));
    cr_assert(scratch_holds(scratch_path(&scratch, "target"), new_text, sizeof(new_text)));
    plugin_run_done(&run);
}

Test(file_store, the_umask_makes_the_mode)
{
    static const mode_t masks[] = {022, 077, 002};

    for (size_t i = 0; i < 3; i++) {
        struct plugin_run run;
        struct stat status;
        mode_t before = umask(masks[i]);

        prepare(&run);
        expect_stored(&run, new_text, sizeof(new_text));
        cr_assert_eq(stat(scratch_path(&scratch, "target"), &status), 0);
        cr_assert_eq(status.st_mode & 07777, 0666 & ~masks[i]);
        cr_assert_eq(umask(before), masks[i], "the umask was touched");
    }
}

/* ---- conditions ---- */

static void intrude(struct plugin_run *run, uint64_t offset)
{
    (void)run;
    (void)offset;
    scratch_write(&scratch, "target", old_text, sizeof(old_text));
}

Test(file_store, creates_only_where_nothing_is)
{
    struct plugin_run run;

    prepare(&run);
    run.request.condition = FLAME_WHEN_ABSENT;
    expect_stored(&run, new_text, sizeof(new_text));
    scratch_write(&scratch, "target", old_text, sizeof(old_text));
    prepare(&run);
    run.request.condition = FLAME_WHEN_ABSENT;
    expect_untouched(&run, FLAME_ERR_EXISTS);
}

Test(file_store, creates_nothing_over_a_file_that_came_meanwhile)
{
    struct plugin_run run;

    prepare(&run);
    run.request.condition = FLAME_WHEN_ABSENT;
    run.on_source = intrude;
    expect_untouched(&run, FLAME_ERR_EXISTS);
}

Test(file_store, replaces_only_the_version_asked_for)
{
    const char *url = scratch_url(&scratch, "target");
    struct plugin_run run;

    scratch_write(&scratch, "target", old_text, sizeof(old_text));
    prepare(&run);
    run.request.condition = FLAME_WHEN_SAME;
    run.request.validator = "1-2-3-4-5";
    expect_untouched(&run, FLAME_ERR_CHANGED);

    prepare(&run);
    run.request.condition = FLAME_WHEN_SAME;
    expect_untouched(&run, FLAME_ERR_CHANGED);

    prepare(&run);
    run.request.condition = FLAME_WHEN_SAME;
    run.request.validator = settled_validator(url);
    run.on_source = intrude;
    expect_untouched(&run, FLAME_ERR_CHANGED);

    prepare(&run);
    run.request.condition = FLAME_WHEN_SAME;
    run.request.validator = settled_validator(url);
    expect_stored(&run, new_text, sizeof(new_text));

    cr_assert_eq(unlink(scratch_path(&scratch, "target")), 0);
    prepare(&run);
    run.request.condition = FLAME_WHEN_SAME;
    run.request.validator = "1-2-3-4-5";
    check(&run, plugin_run_store, FLAME_ERR_CHANGED);
    plugin_run_done(&run);
    cr_assert_eq(scratch_count(&scratch), 0);
}

Test(file_store, refuses_conditions_and_flags_it_does_not_know)
{
    struct plugin_run run;

    scratch_write(&scratch, "target", old_text, sizeof(old_text));
    prepare(&run);
    run.request.condition = FLAME_WHEN_CHANGED;
    expect_untouched(&run, FLAME_ERR_UNSUPPORTED);
    prepare(&run);
    run.request.flags |= 0x10000u;
    expect_untouched(&run, FLAME_ERR_UNSUPPORTED);
}

/* ---- failures ---- */

static void cancel(struct plugin_run *run, uint64_t offset)
{
    (void)offset;
    plugin_run_cancel(run, FLAME_ERR_CANCELLED);
}

Test(file_store, a_cancel_leaves_everything_as_it_was)
{
    struct plugin_run run;

    scratch_write(&scratch, "target", old_text, sizeof(old_text));
    prepare(&run);
    run.on_source = cancel;
    expect_untouched(&run, FLAME_ERR_CANCELLED);
    prepare(&run);
    run.source_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    plugin_run_cancel(&run, FLAME_ERR_CANCELLED);
    (void)close(run.source_fd);
    run.source_fd = -1;
    expect_untouched(&run, FLAME_ERR_CANCELLED);
}

Test(file_store, a_source_that_is_not_its_size_is_not_stored)
{
    struct plugin_run run;

    scratch_write(&scratch, "target", old_text, sizeof(old_text));
    prepare(&run);
    run.request.source_size++;
    expect_untouched(&run, FLAME_ERR_TRUNCATED);
    prepare(&run);
    run.request.source_size--;
    expect_untouched(&run, FLAME_ERR_CHANGED);
}

static void touch_source(struct plugin_run *run, uint64_t offset)
{
    (void)offset;
    cr_assert_eq(pwrite(*(int *)run->data, "!", 1, 0), 1);
}

Test(file_store, a_source_that_changes_is_not_stored)
{
    int fd = memfd_create("source", MFD_CLOEXEC);
    struct plugin_run run;

    cr_assert_eq(write(fd, new_text, sizeof(new_text)), (ssize_t)sizeof(new_text));
    sleep_ms(SETTLE_MS);
    scratch_write(&scratch, "target", old_text, sizeof(old_text));
    prepare(&run);
    run.source_fd = fd;
    run.data = &fd;
    run.on_source = touch_source;
    expect_untouched(&run, FLAME_ERR_CHANGED);
    (void)close(fd);
}

Test(file_store, refuses_a_source_over_the_bound)
{
    struct plugin_run run;

    scratch_write(&scratch, "target", old_text, sizeof(old_text));
    for (int known = 0; known < 2; known++) {
        prepare(&run);
        run.request.max_bytes = sizeof(new_text) - 1;
        run.request.flags = known ? FLAME_REQUEST_SOURCE_SIZE : 0;
        expect_untouched(&run, FLAME_ERR_LIMIT);
    }
}

Test(file_store, a_write_that_fails_leaves_everything_as_it_was)
{
    struct rlimit limit = {5, RLIM_INFINITY};
    struct plugin_run run;

    (void)signal(SIGXFSZ, SIG_IGN);
    scratch_write(&scratch, "target", old_text, sizeof(old_text));
    prepare(&run);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    check(&run, plugin_run_store, FLAME_ERR_IO);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq(plugin_run_detail(&run, FLAME_DETAIL_ERRNO, 0), EFBIG);
    expect_target(old_text, sizeof(old_text));
    plugin_run_done(&run);
}

Test(file_store, refuses_places_that_are_no_place_for_a_file)
{
    char long_name[300];

    memset(long_name, 'x', sizeof(long_name));
    long_name[256] = '\0';
    cr_assert_eq(mkdir(scratch_path(&scratch, "dir"), 0777), 0);
    cr_assert_eq(mkfifo(scratch_path(&scratch, "fifo"), 0666), 0);
    expect(plugin_run_store, scratch_url(&scratch, "dir"), FLAME_ERR_POLICY);
    expect(plugin_run_store, scratch_url(&scratch, "dir/."), FLAME_ERR_POLICY);
    expect(plugin_run_store, scratch_url(&scratch, "dir/.."), FLAME_ERR_POLICY);
    expect(plugin_run_store, scratch_url(&scratch, "fifo"), FLAME_ERR_POLICY);
    expect(plugin_run_store, scratch_url(&scratch, "dir/"), FLAME_ERR_INVALID_URL);
    expect(plugin_run_store, scratch_url(&scratch, "missing/file"), FLAME_ERR_NOT_FOUND);
    expect(plugin_run_store, scratch_url(&scratch, "fifo/file"), FLAME_ERR_NOT_FOUND);
    expect(plugin_run_store, scratch_url(&scratch, long_name), FLAME_ERR_UNSAFE_NAME);
    expect(plugin_run_store, "file:///proc/self/comm", FLAME_ERR_POLICY);
    expect(plugin_run_store, "file:///sys/kernel/flame", FLAME_ERR_POLICY);
    expect(plugin_run_store, "file://otherhost/tmp/x", FLAME_ERR_INVALID_URL);
    cr_assert_eq(scratch_count(&scratch), 2);
}

Test(file_store, stays_below_the_allowed_directories)
{
    cr_assert_eq(mkdir(scratch_path(&scratch, "open"), 0777), 0);
    cr_assert_eq(symlink("..", scratch_path(&scratch, "open/up")), 0);
    plugin_host_option(host, "roots", scratch_path(&scratch, "open"));
    expect(plugin_run_store, scratch_url(&scratch, "open/file"), FLAME_OK);
    expect(plugin_run_store, scratch_url(&scratch, "open/up/file"), FLAME_ERR_POLICY);
    expect(plugin_run_store, scratch_url(&scratch, "open/../file"), FLAME_ERR_POLICY);
    expect(plugin_run_store, scratch_url(&scratch, "file"), FLAME_ERR_POLICY);
    cr_assert_eq(scratch_count(&scratch), 1);
}

/* A store that may make directories. */
static void expect_created(const char *name, int32_t status)
{
    struct plugin_run run;

    plugin_run_init(&run, host, scratch_url(&scratch, name));
    run.source = new_text;
    run.source_size = sizeof(new_text);
    run.request.flags = FLAME_REQUEST_CREATE_DIRS;
    check(&run, plugin_run_store, status);
    plugin_run_done(&run);
}

static bool is_there(const char *name)
{
    struct stat found;

    return lstat(scratch_path(&scratch, name), &found) == 0;
}

Test(file_store, makes_missing_directories_when_asked)
{
    expect(plugin_run_store, scratch_url(&scratch, "a/b/c/file"), FLAME_ERR_NOT_FOUND);
    cr_assert(!is_there("a"));
    expect_created("a/b/c/file", FLAME_OK);
    cr_assert(scratch_holds(scratch_path(&scratch, "a/b/c/file"), new_text, sizeof(new_text)));
    expect_created("a/b/file", FLAME_OK);
    expect_created("a/b/c/file", FLAME_OK);
    expect_created("a/b/c/file/below", FLAME_ERR_NOT_FOUND);
}

Test(file_store, makes_directories_where_no_link_of_others_leads_it)
{
    cr_assert_eq(mkdir(scratch_path(&scratch, "open"), 0777), 0);
    cr_assert_eq(symlink("../away", scratch_path(&scratch, "open/dangling")), 0);
    expect_created("open/dangling/file", FLAME_ERR_NOT_FOUND);
    cr_assert(!is_there("away"));
    plugin_host_option(host, "roots", scratch_path(&scratch, "open"));
    expect_created("other/file", FLAME_ERR_POLICY);
    cr_assert(!is_there("other"));
    expect_created("open/new/file", FLAME_OK);
    cr_assert(is_there("open/new/file"));
}
