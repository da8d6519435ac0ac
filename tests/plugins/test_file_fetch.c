/* SPDX-License-Identifier: Apache-2.0 */
#include "file_fixture.h"

TestSuite(file_fetch, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_bytes(const struct plugin_run *run, const char *path, uint64_t size)
{
    const struct plugin_object *seen = plugin_run_object(run);

    cr_assert(seen && seen->object.flags & FLAME_OBJECT_SIZE);
    cr_assert(seen->object.flags & FLAME_OBJECT_BODY_SIZE);
    cr_assert_eq(seen->object.total_size, size);
    cr_assert_eq(seen->object.body_size, run->body_size);
    cr_assert(scratch_holds(path, run->body, run->body_kept));
    cr_assert_eq(run->finishes, 1);
    cr_assert_eq(run->proof, FLAME_PROOF_COMPLETE);
}

static void fetch_of_size(size_t size, bool refuse_copy)
{
    const char *path = scratch_fill(&scratch, "source", size);
    struct plugin_run run;

    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    run.refuse_copy = refuse_copy;
    check(&run, plugin_run_fetch, FLAME_OK);
    cr_assert_eq(run.body_size, size);
    cr_assert_eq(refuse_copy ? run.copies : run.writes, 0);
    expect_bytes(&run, path, size);
    plugin_run_done(&run);
}

Test(file_fetch, delivers_the_bytes_of_any_size)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 5000001};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fetch_of_size(sizes[i], false);
        fetch_of_size(sizes[i], true);
    }
}

Test(file_fetch, finds_a_file_of_any_name)
{
    static const char *const names[] = {
        "with space", "100%", "a#b",      "what?",   "gr\xc3\xbc\xc3\x9f", "line\nend", "%2f%00",
        "a+b",        "-rf",  "\xff\xfe", "a:b;c=d", "back\\sl",           "'\"`",      "..."};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *path = scratch_write(&scratch, names[i], names[i], strlen(names[i]));
        struct plugin_run run;

        plugin_run_init(&run, host, scratch_url(&scratch, names[i]));
        check(&run, plugin_run_fetch, FLAME_OK);
        expect_bytes(&run, path, strlen(names[i]));
        plugin_run_done(&run);
    }
}

Test(file_fetch, states_size_time_and_ranges)
{
    struct timespec times[2] = {{1000, 5}, {1234567890, 123456789}};
    const char *path = scratch_fill(&scratch, "source", 1000);
    const struct plugin_object *seen;
    struct plugin_run run;

    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    check(&run, plugin_run_stat, FLAME_OK);
    seen = plugin_run_object(&run);
    cr_assert_eq(run.object_count, 1);
    cr_assert_eq(seen->object.total_size, 1000);
    cr_assert(seen->object.flags & FLAME_OBJECT_MTIME);
    cr_assert(seen->object.flags & FLAME_OBJECT_RANGES);
    cr_assert_eq(seen->object.mtime_ns, 1234567890123456789);
    cr_assert_eq(run.body_size, 0);
    plugin_run_done(&run);
}

Test(file_fetch, accepts_localhost_and_no_authority)
{
    char url[4096];

    scratch_fill(&scratch, "source", 10);
    (void)snprintf(url, sizeof(url), "file://localhost%s/source", scratch.dir);
    expect(plugin_run_fetch, url, FLAME_OK);
    (void)snprintf(url, sizeof(url), "file:%s/source", scratch.dir);
    expect(plugin_run_fetch, url, FLAME_OK);
}

Test(file_fetch, refuses_urls_that_name_no_local_file)
{
    static const char *const urls[] = {
        "file://otherhost/etc/passwd",
        "file://127.0.0.1/etc/passwd",
        "file:///etc/passwd?",
        "file:///etc/passwd?a=b",
        "file:///etc/passwd%00",
        "file:///etc%2fpasswd",
        "file:///etc/passwd%",
        "file:///etc/passwd%7",
        "file:///etc/%zz",
        "file:etc/passwd",
        "file:",
        "file://",
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        expect(plugin_run_fetch, urls[i], FLAME_ERR_INVALID_URL);
        expect(plugin_run_stat, urls[i], FLAME_ERR_INVALID_URL);
    }
}

Test(file_fetch, decodes_a_path_only_once)
{
    scratch_write(&scratch, "a%20b", "right", 5);
    scratch_write(&scratch, "a b", "wrong", 5);

    struct plugin_run run;

    plugin_run_init(&run, host, scratch_url(&scratch, "a%20b"));
    check(&run, plugin_run_fetch, FLAME_OK);
    cr_assert_eq(memcmp(run.body, "right", 5), 0);
    plugin_run_done(&run);
}

Test(file_fetch, says_not_found_where_nothing_can_be)
{
    char url[6000];

    scratch_fill(&scratch, "source", 10);
    expect(plugin_run_fetch, scratch_url(&scratch, "missing"), FLAME_ERR_NOT_FOUND);
    expect(plugin_run_fetch, scratch_url(&scratch, "source/below"), FLAME_ERR_NOT_FOUND);
    expect(plugin_run_stat, scratch_url(&scratch, "missing"), FLAME_ERR_NOT_FOUND);
    for (size_t length = 300; length < sizeof(url); length += 5000) {
        memset(url, 'x', length);
        memcpy(url, "file:///", 8);
        url[length] = '\0';
        expect(plugin_run_fetch, url, FLAME_ERR_NOT_FOUND);
    }
}

Test(file_fetch, an_unreadable_file_is_an_io_failure_with_its_errno)
{
    const char *path = scratch_fill(&scratch, "source", 10);
    struct plugin_run run;

    cr_assert_eq(chmod(path, 0), 0);
    cr_assert_eq(chmod(scratch.dir, 0755), 0);
    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
    check(&run, plugin_run_fetch, FLAME_ERR_IO);
    cr_assert_eq(seteuid(getuid()), 0);
    cr_assert_eq(plugin_run_detail(&run, FLAME_DETAIL_ERRNO, 0), EACCES);
    plugin_run_done(&run);
}

/* ---- parts ---- */

static void expect_part(uint64_t offset, uint64_t length, uint64_t size)
{
    static uint8_t bytes[100000];
    struct plugin_run run;
    int fd = open(scratch_path(&scratch, "source"), O_RDONLY | O_CLOEXEC);

    cr_assert_eq(pread(fd, bytes, size, (off_t)offset), (ssize_t)size);
    (void)close(fd);
    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    run.request.offset = offset;
    run.request.length = length;
    check(&run, plugin_run_fetch, FLAME_OK);
    cr_assert_eq(run.body_size, size);
    cr_assert_eq(plugin_run_object(&run)->object.offset, offset);
    cr_assert_eq(plugin_run_object(&run)->object.total_size, 100000);
    cr_assert_eq(plugin_run_object(&run)->object.body_size, size);
    cr_assert(size == 0 || memcmp(run.body, bytes, size) == 0);
    plugin_run_done(&run);
}

Test(file_fetch, delivers_exactly_the_part_asked_for)
{
    scratch_fill(&scratch, "source", 100000);
    expect_part(0, 1, 1);
    expect_part(99999, 1, 1);
    expect_part(70000, 0, 30000);
    expect_part(70000, 10, 10);
    expect_part(70000, UINT64_MAX, 30000);
    expect_part(100000, 0, 0);
}

Test(file_fetch, an_offset_behind_the_end_is_out_of_range)
{
    struct plugin_run run;

    scratch_fill(&scratch, "source", 100);
    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    run.request.offset = 101;
    check(&run, plugin_run_fetch, FLAME_ERR_RANGE);
    cr_assert_eq(run.object_count, 0);
    plugin_run_done(&run);
}

/* ---- versions ---- */

Test(file_fetch, sends_nothing_when_the_version_is_still_current)
{
    const char *url = scratch_url(&scratch, "source");
    struct plugin_run run;

    scratch_fill(&scratch, "source", 100);
    plugin_run_init(&run, host, url);
    run.request.condition = FLAME_WHEN_CHANGED;
    run.request.validator = settled_validator(url);
    check(&run, plugin_run_fetch, FLAME_NOT_MODIFIED);
    cr_assert_eq(run.body_size + run.finishes, 0);
    check(&run, plugin_run_stat, FLAME_NOT_MODIFIED);
    plugin_run_done(&run);
}

/* The same bytes, size and mtime: only the ctime tells. */
static void touch_back(const char *path)
{
    struct stat before;

    cr_assert_eq(stat(path, &before), 0);
    scratch_fill(&scratch, "source", 100);
    cr_assert_eq(utimensat(AT_FDCWD, path, (struct timespec[]){before.st_atim, before.st_mtim}, 0),
                 0);
}

Test(file_fetch, sends_the_whole_when_another_version_is_there)
{
    static const uint32_t conditions[] = {FLAME_WHEN_CHANGED, FLAME_WHEN_SAME};
    const char *url = scratch_url(&scratch, "source");
    const char *path = scratch_fill(&scratch, "source", 100);
    const char *validator = settled_validator(url);

    touch_back(path);
    sleep_ms(SETTLE_MS);
    for (size_t i = 0; i < 4; i++) {
        struct plugin_run run;

        plugin_run_init(&run, host, url);
        run.request.condition = conditions[i % 2];
        run.request.validator = i < 2 ? validator : NULL;
        run.request.offset = i % 2 ? 40 : 0;
        run.request.length = i % 2 ? 20 : 0;
        check(&run, plugin_run_fetch, FLAME_OK);
        cr_assert_eq(plugin_run_object(&run)->object.offset, 0);
        expect_bytes(&run, path, 100);
        plugin_run_done(&run);
    }
}

Test(file_fetch, continues_the_same_version)
{
    const char *url = scratch_url(&scratch, "source");
    struct plugin_run run;

    scratch_fill(&scratch, "source", 100);
    plugin_run_init(&run, host, url);
    run.request.condition = FLAME_WHEN_SAME;
    run.request.validator = settled_validator(url);
    run.request.offset = 40;
    check(&run, plugin_run_fetch, FLAME_OK);
    cr_assert_eq(plugin_run_object(&run)->object.offset, 40);
    cr_assert(plugin_run_object(&run)->object.flags & FLAME_OBJECT_STRONG);
    cr_assert_eq(run.body_size, 60);
    plugin_run_done(&run);
}

/* A second change within the same tick of the kernel's clock would go unnoticed. */
Test(file_fetch, a_file_just_written_has_no_strong_validator)
{
    const char *url = scratch_url(&scratch, "source");
    bool seen = false;

    for (int tries = 0; tries < 100 && !seen; tries++) {
        struct plugin_run first, second;

        scratch_fill(&scratch, "source", 100);
        plugin_run_init(&first, host, url);
        plugin_run_init(&second, host, url);
        check(&first, plugin_run_stat, FLAME_OK);
        second.request.condition = FLAME_WHEN_CHANGED;
        second.request.validator = plugin_run_object(&first)->validator;
        if (!(plugin_run_object(&first)->object.flags & FLAME_OBJECT_STRONG)) {
            seen = true;
            check(&second, plugin_run_fetch, FLAME_OK);
        }
        plugin_run_done(&first);
        plugin_run_done(&second);
    }
    cr_assert(seen, "a file was never young");
}

/* ---- bounds ---- */

Test(file_fetch, refuses_a_file_over_the_bound_before_a_byte)
{
    const char *path = scratch_fill(&scratch, "sparse", 0);
    struct plugin_run run;

    cr_assert_eq(truncate(path, (off_t)1 << 40), 0);
    plugin_run_init(&run, host, scratch_url(&scratch, "sparse"));
    run.request.max_bytes = (uint64_t)16 << 30;
    check(&run, plugin_run_fetch, FLAME_ERR_LIMIT);
    cr_assert_eq(run.body_size, 0);
    plugin_run_done(&run);
}

Test(file_fetch, returns_what_the_host_refuses_with)
{
    struct plugin_run run;

    scratch_fill(&scratch, "source", 3 << 20);
    for (int i = 0; i < 2; i++) {
        plugin_run_init(&run, host, scratch_url(&scratch, "source"));
        run.refuse_copy = i;
        run.limit_bytes = 1000;
        check(&run, plugin_run_fetch, FLAME_ERR_LIMIT);
        cr_assert_eq(run.finishes, 0);
        plugin_run_done(&run);
    }
    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    run.report_answer = FLAME_ERR_CHANGED;
    check(&run, plugin_run_fetch, FLAME_ERR_CHANGED);
    cr_assert_eq(run.body_size, 0);
    plugin_run_done(&run);
}

Test(file_fetch, looks_for_a_cancel_between_pieces)
{
    static const uint64_t most[] = {64 << 20, 1 << 20};
    const char *path = scratch_fill(&scratch, "large", 10);

    cr_assert_eq(truncate(path, 200 << 20), 0);
    for (int i = 0; i < 2; i++) {
        struct plugin_run run;

        plugin_run_init(&run, host, scratch_url(&scratch, "large"));
        run.keep_bytes = 0;
        run.refuse_copy = i;
        check(&run, plugin_run_fetch, FLAME_OK);
        cr_assert_leq(run.largest_piece, most[i]);
        cr_assert_geq(atomic_load(&run.cancel_checks), 200 * 1048576 / most[i]);
        plugin_run_done(&run);

        plugin_run_init(&run, host, scratch_url(&scratch, "large"));
        run.keep_bytes = 0;
        run.refuse_copy = i;
        run.cancel_after_bytes = 1;
        check(&run, plugin_run_fetch, FLAME_ERR_CANCELLED);
        cr_assert_leq(run.body_size, most[i]);
        cr_assert_eq(run.finishes, 0);
        plugin_run_done(&run);
    }
}

Test(file_fetch, delivers_no_byte_when_it_is_not_wanted_any_more)
{
    struct plugin_run run;

    scratch_fill(&scratch, "source", 100);
    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    plugin_run_cancel(&run, FLAME_ERR_TIMEOUT);
    check(&run, plugin_run_fetch, FLAME_ERR_TIMEOUT);
    cr_assert_eq(run.body_size, 0);
    plugin_run_done(&run);
}

Test(file_fetch, refuses_flags_and_conditions_it_does_not_know)
{
    static const uint32_t flags[] = {0x8000u, 0x10000u, 0x80000000u};
    struct plugin_run run;

    scratch_fill(&scratch, "source", 100);
    for (size_t i = 0; i < 3; i++) {
        plugin_run_init(&run, host, scratch_url(&scratch, "source"));
        run.request.flags = flags[i];
        check(&run, plugin_run_fetch, i == 0 ? FLAME_OK : FLAME_ERR_UNSUPPORTED);
        plugin_run_done(&run);
    }
    plugin_run_init(&run, host, scratch_url(&scratch, "source"));
    run.request.condition = 77;
    check(&run, plugin_run_fetch, FLAME_ERR_UNSUPPORTED);
    check(&run, plugin_run_stat, FLAME_ERR_UNSUPPORTED);
    plugin_run_done(&run);
}

Test(file_fetch, needs_no_error_struct)
{
    const struct flame_plugin *plugin = plugin_host_plugin(host);
    struct plugin_run run;

    plugin_run_init(&run, host, scratch_url(&scratch, "missing"));
    cr_assert_eq(plugin->fetch(plugin_host_instance(host), &run.request,
                               (struct flame_transfer *)&run, NULL),
                 FLAME_ERR_NOT_FOUND);
    plugin_run_done(&run);
}
