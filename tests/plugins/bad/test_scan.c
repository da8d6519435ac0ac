/* SPDX-License-Identifier: Apache-2.0 */
/* Directories: how many files, whose, how fast. */
#include "fixture.h"
#include "skip.h"

#include "base/clock.h"

TestSuite(scan, .init = set_up, .fini = tear_down);

/* `count` links to nothing would be refused at once; these are files of their own. */
static void fill(size_t count, const char *plugin)
{
    char source[1024];
    size_t size;
    void *bytes;

    (void)snprintf(source, sizeof(source), "%s/%s", BAD_DIR, plugin);
    bytes = slurp(source, &size);
    for (size_t i = 0; i < count; i++) {
        char path[512];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/lib%05zu.so", here.scratch.dir, i);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        cr_assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
        (void)close(fd);
    }
    free(bytes);
}

static int32_t count_codes(void *data, const struct flame_plugin_info *info)
{
    size_t *counts = data;

    counts[info->accepted ? 0 : strcmp(info->code, "NOT_A_PLUGIN") == 0 ? 1 : 2]++;
    return 0;
}

Test(scan, five_thousand_libraries_are_cut_at_the_limit, .timeout = 60)
{
    size_t counts[3] = {0};
    struct flame_plugin_info info;

    fill(4999, "libforeign.so");
    (void)put("other.so", "zzz.so");
    open_registry();
    fl_registry_visit(here.registry, count_codes, counts);
    cr_expect_eq(counts[0], 1, "good.so sorts first");
    cr_expect_eq(counts[1], 4095);
    cr_expect_eq(counts[2], 1);
    info = info_at(here.scratch.dir);
    expect_code(&info, "TOO_MANY", "holds 5001 files, only the first 4096 are looked at");
    cr_expect_eq(use("good"), FLAME_OK);
    cr_expect_eq(use("other"), FLAME_ERR_UNSUPPORTED);
}

Test(scan, more_names_than_fit_at_once_still_leave_the_first, .timeout = 60)
{
    struct flame_plugin_info info;

    for (size_t i = 0; i < 9000; i++) {
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/z%05zu.so", here.scratch.dir, 8999 - i);
        cr_assert_eq(symlink("nowhere", path), 0);
    }
    open_registry();
    info = info_at(here.scratch.dir);
    expect_code(&info, "TOO_MANY", "holds 9001 files");
    expect_refused("z04094.so", "OPEN", "No such file");
}

Test(scan, names_are_taken_in_the_order_of_their_bytes)
{
    (void)put("good.so", "Z.so");
    open_registry();
    cr_expect_eq(info_of("Z.so").accepted, 1);
    expect_refused("good.so", "SHADOWED", "Z.so'");
}

Test(scan, other_names_and_subdirectories_are_left_alone)
{
    size_t counts[3] = {0};

    (void)put("other.so", "other.so.1");
    (void)put("other.so", ".other.so");
    (void)put("other.so", "so");
    cr_assert_eq(mkdir(at("sub"), 0755), 0);
    (void)put("other.so", "sub/other.so");
    open_registry();
    fl_registry_visit(here.registry, count_codes, counts);
    cr_expect_eq(counts[0], 1);
    cr_expect_eq(counts[1] + counts[2], 0);
}

Test(scan, a_directory_that_is_not_there_is_skipped)
{
    here.plugin_dirs[1] = here.plugin_dirs[0];
    here.plugin_dirs[0] = at("absent");
    open_registry();
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(scan, a_file_in_place_of_a_directory_says_so)
{
    struct flame_plugin_info info;

    here.plugin_dirs[1] = at("good.so");
    open_registry();
    cr_expect_eq(use("good"), FLAME_OK);
    here.plugin_dirs[0] = here.plugin_dirs[1];
    here.plugin_dirs[1] = NULL;
    fl_registry_close(here.registry);
    fl_config_free(here.config);
    open_registry();
    info = info_of("good.so");
    expect_code(&info, "OPEN", "Not a directory");
}

Test(scan, visiting_ends_when_the_visitor_wants)
{
    struct seen seen = {.path = at("a.so")};

    (void)put("good.so", "a.so");
    open_registry();
    fl_registry_visit(here.registry, see, &seen);
    cr_expect_eq(seen.count, 1);
}

/* ---- trust ---- */

static void distrust_directory(mode_t mode, const char *reason)
{
    struct flame_plugin_info info;

    here.plugin_dirs[1] = at("theirs");
    cr_assert_eq(mkdir(at("theirs"), 0755), 0);
    (void)put("other.so", "theirs/other.so");
    cr_assert_eq(chmod(at("theirs"), mode), 0);
    open_registry();
    info = info_of("theirs");
    expect_code(&info, "UNTRUSTED", reason);
    cr_expect_eq(info.accepted, 0);
    cr_expect_eq(use("other"), FLAME_ERR_UNSUPPORTED);
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(scan, a_directory_that_all_may_write_to_is_not_trusted)
{
    distrust_directory(0777, "theirs' can be changed by others (mode 0777)");
}

Test(scan, a_directory_that_its_group_may_write_to_is_not_trusted)
{
    distrust_directory(0775, "mode 0775");
}

Test(scan, a_sticky_bit_does_not_make_a_plugin_directory_safe)
{
    distrust_directory(01777, "mode 1777");
}

static void distrust_parent(mode_t mode, bool is_trusted)
{
    here.plugin_dirs[1] = at("up/down");
    cr_assert_eq(mkdir(at("up"), 0755), 0);
    cr_assert_eq(mkdir(at("up/down"), 0755), 0);
    forge(put("other.so", "up/down/plugin.so"), "schemes=other good", "schemes=other nice");
    cr_assert_eq(chmod(at("up"), mode), 0);
    open_registry();
    cr_expect_eq(use("other") == FLAME_OK, is_trusted, "%s", here.err.message);
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(scan, a_directory_below_one_that_others_may_write_to_is_not_trusted)
{
    struct flame_plugin_info info;

    distrust_parent(0777, false);
    info = info_of("up/down");
    expect_code(&info, "UNTRUSTED", "up' can be changed by others (mode 0777)");
}

Test(scan, a_directory_below_a_sticky_one_is_trusted)
{
    distrust_parent(01777, true);
}

Test(scan, a_file_that_others_may_write_to_is_not_trusted)
{
    cr_assert_eq(chmod(put("other.so", "x.so"), 0757), 0);
    open_registry();
    expect_refused("x.so", "UNTRUSTED", "x.so' can be changed by others (mode 0757)");
}

Test(scan, a_file_that_its_group_may_write_to_is_not_trusted)
{
    cr_assert_eq(chmod(put("other.so", "x.so"), 0775), 0);
    open_registry();
    expect_refused("x.so", "UNTRUSTED", "mode 0775");
}

Test(scan, a_link_is_judged_by_where_it_leads)
{
    cr_assert_eq(mkdir(at("theirs"), 0755), 0);
    (void)put("other.so", "theirs/other.so");
    cr_assert_eq(chmod(at("theirs"), 0777), 0);
    cr_assert_eq(symlink("theirs/other.so", at("x.so")), 0);
    open_registry();
    expect_refused("x.so", "UNTRUSTED", "theirs' can be changed by others (mode 0777)");
}

Test(scan, a_file_of_another_user_is_not_trusted)
{
    if (geteuid() != 0)
        skip_loudly("only root can make a file that belongs to somebody else");
    cr_assert_eq(chown(put("other.so", "x.so"), 12345, 0), 0);
    open_registry();
    expect_refused("x.so", "UNTRUSTED", "belongs to user 12345, not to root or to us");
}

Test(scan, a_directory_of_another_user_is_not_trusted)
{
    if (geteuid() != 0)
        skip_loudly("only root can make a directory that belongs to somebody else");
    here.plugin_dirs[1] = at("theirs");
    cr_assert_eq(mkdir(at("theirs"), 0755), 0);
    cr_assert_eq(chown(at("theirs"), 12345, 0), 0);
    open_registry();
    cr_expect_str_eq(info_of("theirs").code, "UNTRUSTED");
}

/* ---- speed ---- */

static int compare_times(const void *one, const void *other)
{
    const uint64_t a = *(const uint64_t *)one;
    const uint64_t b = *(const uint64_t *)other;

    return a < b ? -1 : a > b;
}

/* 2,000 plugins, each with an id and a scheme of its own. */
static void fill_with_plugins(void)
{
    fill(2000, "other.so");
    for (size_t i = 0; i < 2000; i++) {
        char path[32];
        char id[32];
        char schemes[32];

        (void)snprintf(schemes, sizeof(schemes), "schemes=other s%03zx", i);
        (void)snprintf(path, sizeof(path), "lib%05zu.so", i);
        (void)snprintf(id, sizeof(id), "org.example.%05zu", i);
        forge(at(path), "org.example.other", id);
        forge(at(path), "schemes=other good", schemes);
    }
}

Test(scan, two_thousand_plugins_take_less_than_50_ms, .timeout = 120)
{
    const char *sanitizer = getenv("FLAME_SANITIZE");
    uint64_t times[5];

    fill_with_plugins();
    open_registry();
    for (int i = 0; i < 5; i++) {
        struct flame_error err = FLAME_INIT(flame_error);
        uint64_t before = fl_now_ns();

        fl_registry_close(here.registry);
        cr_assert_eq(
            fl_registry_open(here.config, "/nonexistent", &test_host, &here, &here.registry, &err),
            FLAME_OK);
        times[i] = fl_now_ns() - before;
    }
    qsort(times, 5, sizeof(*times), compare_times);
    cr_log_info("2,000 plugins: %.1f ms\n", (double)times[2] / FL_NS_PER_MS);
    cr_expect_eq(use("s7cf"), FLAME_OK, "%s", here.err.message);
    if (!sanitizer || !*sanitizer)
        cr_expect_lt(times[2], 50 * FL_NS_PER_MS);
}
