/* SPDX-License-Identifier: Apache-2.0 */
#include "file_fixture.h"

#include <ctype.h>
#include <dlfcn.h>

TestSuite(file_list, .init = set_up, .fini = tear_down, .timeout = 120);

/* ---- a directory that nobody has to make ---- */

static long made_up_names; /* so many come after the real ones of the scratch directory */
static ino_t made_up_in;   /* that directory */

static void make_up_names(long count)
{
    struct stat status;

    cr_assert_eq(stat(scratch.dir, &status), 0);
    made_up_in = status.st_ino;
    made_up_names = count;
}

static bool is_scratch(DIR *dir)
{
    struct stat status;

    return fstat(dirfd(dir), &status) == 0 && status.st_ino == made_up_in;
}

/* Goes before the C library's, also for the plugin. Its symbol is readdir64. */
__attribute__((visibility("default"))) struct dirent *readdir(DIR *dir)
{
    static struct dirent entry;
    struct dirent *(*real)(DIR *);
    struct dirent *found;
    void *symbol = dlsym(RTLD_NEXT, "readdir64");

    memcpy(&real, &symbol, sizeof(real));
    found = real(dir);
    if (found || made_up_names == 0 || !is_scratch(dir))
        return found;
    (void)snprintf(entry.d_name, sizeof(entry.d_name), "n%08ld", made_up_names--);
    return &entry;
}

/* ---- looking at a list ---- */

static const char *dir_url(const char *name)
{
    static char url[1024];

    (void)snprintf(url, sizeof(url), "%s", scratch_url(&scratch, name));
    return url;
}

/* What a list of the scratch directory says, one line an entry: the url behind the directory's. */
static const char *entries(const struct plugin_run *run)
{
    static char text[8192];
    size_t size = strlen(scratch_url(&scratch, ""));
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < run->object_count; i++) {
        cr_assert_eq(strncmp(run->objects[i].url, scratch_url(&scratch, ""), size), 0,
                     "not below the directory: %s", run->objects[i].url);
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%s\n", run->objects[i].url + size);
    }
    return text;
}

static void expect_list(const char *url, const char *expected)
{
    struct plugin_run run;

    plugin_run_init(&run, host, url);
    check(&run, plugin_run_list, FLAME_OK);
    cr_assert_str_eq(entries(&run), expected);
    cr_assert_eq(run.finishes, 1);
    cr_assert_eq(run.proof, FLAME_PROOF_COMPLETE);
    cr_assert_null(run.cursor);
    plugin_run_done(&run);
}

/* ---- entries ---- */

Test(file_list, names_files_and_directories_in_the_order_of_their_bytes)
{
    static const char *const files[] = {"b", "a", "B", "aa", "a.b", "\xc3\xa9", "z"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        scratch_fill(&scratch, files[i], i);
    cr_assert_eq(mkdir(scratch_path(&scratch, "m"), 0777), 0);
    scratch_fill(&scratch, "m/inside", 1);
    expect_list(dir_url(""), "B\na\na.b\naa\nb\nm/\nz\n%C3%A9\n");
    expect_list(dir_url("m/"), "m/inside\n");
    expect_list(dir_url("m"), "m/inside\n");
}

Test(file_list, says_of_a_file_what_stat_says)
{
    struct plugin_run listed, asked;
    const struct plugin_object *entry, *object;

    scratch_fill(&scratch, "file", 1234);
    cr_assert_eq(mkdir(scratch_path(&scratch, "sub"), 0777), 0);
    sleep_ms(SETTLE_MS);
    plugin_run_init(&listed, host, dir_url(""));
    check(&listed, plugin_run_list, FLAME_OK);
    cr_assert_eq(listed.object_count, 2);
    entry = &listed.objects[0];
    plugin_run_init(&asked, host, entry->url);
    check(&asked, plugin_run_stat, FLAME_OK);
    object = plugin_run_object(&asked);
    cr_assert_eq(entry->object.total_size, 1234);
    cr_assert_eq(entry->object.flags, object->object.flags);
    cr_assert_eq(entry->object.mtime_ns, object->object.mtime_ns);
    cr_assert_str_eq(entry->validator, object->validator);
    cr_assert_eq(listed.objects[1].object.flags, FLAME_OBJECT_PREFIX);
    cr_assert_null(listed.objects[1].validator);
    plugin_run_done(&asked);
    plugin_run_done(&listed);
}

/* Every url leads back to the file that it is of. */
Test(file_list, escapes_names_so_that_they_lead_back)
{
    static const char *const names[] = {
        "a b",         "100%",       "%41",         "x#y", "q?r",  "new\nline", "\xff\xfe",
        "back\\slash", "\"quoted\"", "semi;colon:", "...", "~+&=", "\x01\x7f",  "\xe2\x82\xac"};
    size_t count = sizeof(names) / sizeof(names[0]);
    struct plugin_run run;

    for (size_t i = 0; i < count; i++)
        scratch_write(&scratch, names[i], names[i], strlen(names[i]));
    plugin_run_init(&run, host, dir_url(""));
    check(&run, plugin_run_list, FLAME_OK);
    cr_assert_eq(run.object_count, count);
    for (size_t i = 0; i < count; i++) {
        struct plugin_run back;

        for (const char *at = run.objects[i].url + strlen("file://"); *at; at++)
            cr_assert(strchr("/-._~%", *at) || (*at < 0x7f && isalnum((unsigned char)*at)), "%s",
                      run.objects[i].url);
        plugin_run_init(&back, host, run.objects[i].url);
        check(&back, plugin_run_fetch, FLAME_OK);
        cr_assert_eq(
            access(scratch_path(&scratch, strndupa((char *)back.body, back.body_size)), F_OK), 0);
        plugin_run_done(&back);
    }
    plugin_run_done(&run);
}

Test(file_list, keeps_the_requests_spelling_of_the_directory)
{
    char url[1024];
    struct plugin_run run;

    cr_assert_eq(mkdir(scratch_path(&scratch, "a b"), 0777), 0);
    scratch_fill(&scratch, "a b/c d", 1);
    (void)snprintf(url, sizeof(url), "file://localhost%s/%%61%%20b", scratch.dir);
    plugin_run_init(&run, host, url);
    check(&run, plugin_run_list, FLAME_OK);
    (void)snprintf(url, sizeof(url), "file://localhost%s/%%61%%20b/c%%20d", scratch.dir);
    cr_assert_eq(run.object_count, 1);
    cr_assert_str_eq(run.objects[0].url, url);
    plugin_run_done(&run);
}

Test(file_list, leaves_out_what_is_neither_file_nor_directory_and_what_is_ours)
{
    scratch_fill(&scratch, "file", 1);
    scratch_fill(&scratch, ".flame-0123456789abcdef", 1);
    scratch_fill(&scratch, ".hidden", 1);
    cr_assert_eq(mkfifo(scratch_path(&scratch, "fifo"), 0666), 0);
    cr_assert_eq(symlink("file", scratch_path(&scratch, "link")), 0);
    cr_assert_eq(symlink(".", scratch_path(&scratch, "dirlink")), 0);
    cr_assert_eq(symlink("missing", scratch_path(&scratch, "dangling")), 0);
    cr_assert_eq(mknod(scratch_path(&scratch, "socket"), S_IFSOCK | 0666, 0), 0);
    expect_list(dir_url(""), ".hidden\nfile\n");
}

Test(file_list, an_empty_directory_is_an_empty_list)
{
    cr_assert_eq(mkdir(scratch_path(&scratch, "empty"), 0777), 0);
    expect_list(dir_url("empty"), "");
}

Test(file_list, a_file_is_the_one_entry_of_its_list)
{
    struct plugin_run run;

    scratch_fill(&scratch, "file", 77);
    expect_list(dir_url("file"), "file\n");
    plugin_run_init(&run, host, dir_url("file"));
    run.report_answer = FLAME_ENOUGH;
    check(&run, plugin_run_list, FLAME_OK);
    cr_assert_eq(plugin_run_object(&run)->object.total_size, 77);
    cr_assert_null(run.cursor);
    plugin_run_done(&run);
}

Test(file_list, refuses_what_has_no_entries)
{
    scratch_fill(&scratch, "file", 1);
    cr_assert_eq(mkfifo(scratch_path(&scratch, "fifo"), 0666), 0);
    expect(plugin_run_list, dir_url("missing"), FLAME_ERR_NOT_FOUND);
    expect(plugin_run_list, dir_url("missing/deeper"), FLAME_ERR_NOT_FOUND);
    expect(plugin_run_list, dir_url("file/"), FLAME_ERR_NOT_FOUND);
    expect(plugin_run_list, dir_url("fifo"), FLAME_ERR_POLICY);
    expect(plugin_run_list, "file:///dev/null", FLAME_ERR_POLICY);
    expect(plugin_run_list, "file:///proc/self/fd", FLAME_ERR_POLICY);
    expect(plugin_run_list, "file:///proc/self/comm", FLAME_ERR_POLICY);
    expect(plugin_run_list, "file://elsewhere/tmp", FLAME_ERR_INVALID_URL);
}

Test(file_list, stays_below_the_allowed_directories)
{
    cr_assert_eq(mkdir(scratch_path(&scratch, "open"), 0777), 0);
    scratch_fill(&scratch, "open/file", 1);
    cr_assert_eq(symlink("..", scratch_path(&scratch, "open/up")), 0);
    plugin_host_option(host, "roots", scratch_path(&scratch, "open"));
    expect_list(dir_url("open"), "open/file\n");
    expect(plugin_run_list, dir_url(""), FLAME_ERR_POLICY);
    expect(plugin_run_list, dir_url("open/up"), FLAME_ERR_POLICY);
    expect(plugin_run_list, dir_url("open/../"), FLAME_ERR_POLICY);
}

/* ---- parts ---- */

/* One page; returns the cursor it ends with, "" = none. */
static const char *page(const char *cursor, uint32_t max_entries, int32_t answer,
                        const char *expected)
{
    static char next[1024];
    struct plugin_run run;

    plugin_run_init(&run, host, dir_url(""));
    run.request.cursor = cursor;
    run.request.max_entries = max_entries;
    run.report_answer = answer;
    check(&run, plugin_run_list, FLAME_OK);
    cr_assert_str_eq(entries(&run), expected);
    cr_assert_eq(run.proof, FLAME_PROOF_COMPLETE);
    (void)snprintf(next, sizeof(next), "%s", run.cursor ? run.cursor : "");
    plugin_run_done(&run);
    return next;
}

Test(file_list, goes_on_behind_the_cursor_until_nothing_is_left)
{
    static const char *const files[] = {"1", "2 %", "3", "4", "5"};
    char cursor[64];

    for (size_t i = 0; i < 5; i++)
        scratch_fill(&scratch, files[i], 1);
    cr_assert_str_eq(page(NULL, 2, FLAME_OK, "1\n2%20%25\n"), "2%20%25");
    cr_assert_str_eq(page("2%20%25", 2, FLAME_OK, "3\n4\n"), "4");
    cr_assert_str_eq(page("4", 2, FLAME_OK, "5\n"), "");
    cr_assert_str_eq(page(NULL, 5, FLAME_OK, "1\n2%20%25\n3\n4\n5\n"), "");
    cr_assert_str_eq(page(NULL, 1, FLAME_OK, "1\n"), "1");
    (void)strcpy(cursor, "3");
    cr_assert_eq(unlink(scratch_path(&scratch, "3")), 0);
    cr_assert_str_eq(page(cursor, 9, FLAME_OK, "4\n5\n"), "", "a cursor that is gone");
    cr_assert_str_eq(page("9", 9, FLAME_OK, ""), "");
}

Test(file_list, stops_where_the_host_has_enough)
{
    scratch_fill(&scratch, "1", 1);
    scratch_fill(&scratch, "2", 1);
    cr_assert_str_eq(page(NULL, 0, FLAME_ENOUGH, "1\n"), "1");
    cr_assert_str_eq(page("1", 0, FLAME_ENOUGH, "2\n"), "");
}

/* Nothing is left when what is left would not be listed. */
Test(file_list, the_last_page_says_that_it_is_the_last)
{
    scratch_fill(&scratch, "1", 1);
    cr_assert_eq(mkfifo(scratch_path(&scratch, "2"), 0666), 0);
    cr_assert_str_eq(page(NULL, 1, FLAME_OK, "1\n"), "");
}

Test(file_list, refuses_cursors_conditions_and_flags_that_it_did_not_make)
{
    static const struct {
        const char *cursor;
        uint32_t condition, flags;
        int32_t status;
    } rows[] = {
        {"", 0, 0, FLAME_ERR_INVALID},
        {"%", 0, 0, FLAME_ERR_INVALID},
        {"%zz", 0, 0, FLAME_ERR_INVALID},
        {"%00", 0, 0, FLAME_ERR_INVALID},
        {"a/b", 0, 0, FLAME_ERR_INVALID},
        {"a%2Fb", 0, 0, FLAME_ERR_INVALID},
        {NULL, FLAME_WHEN_SAME, 0, FLAME_ERR_UNSUPPORTED},
        {NULL, 0, FLAME_REQUEST_PREFIX, FLAME_ERR_UNSUPPORTED},
        {NULL, 0, 0x10000u, FLAME_ERR_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct plugin_run run;

        plugin_run_init(&run, host, dir_url(""));
        run.request.cursor = rows[i].cursor;
        run.request.condition = rows[i].condition;
        run.request.flags = rows[i].flags;
        check(&run, plugin_run_list, rows[i].status);
        cr_assert_eq(run.finishes, 0);
        plugin_run_done(&run);
    }
    scratch_fill(&scratch, "file", 1);
    expect_list(dir_url("file"), "file\n");
}

/* ---- bounds ---- */

Test(file_list, refuses_a_directory_with_more_names_than_it_may_hold_in_memory)
{
    struct plugin_run run;

    make_up_names(1000001);
    expect(plugin_run_list, dir_url(""), FLAME_ERR_LIMIT);
    make_up_names(1000000); /* none of them is there: each is gone meanwhile */
    plugin_run_init(&run, host, dir_url(""));
    check(&run, plugin_run_list, FLAME_OK);
    cr_assert_eq(run.object_count, 0);
    plugin_run_done(&run);
}

Test(file_list, stops_when_it_is_no_longer_wanted)
{
    struct plugin_run run;

    scratch_fill(&scratch, "file", 1);
    plugin_run_init(&run, host, dir_url(""));
    plugin_run_cancel(&run, FLAME_ERR_CANCELLED);
    check(&run, plugin_run_list, FLAME_ERR_CANCELLED);
    cr_assert_eq(run.object_count, 0);
    plugin_run_done(&run);

    make_up_names(100000); /* in the middle of it */
    plugin_run_init(&run, host, dir_url(""));
    check(&run, plugin_run_list, FLAME_OK);
    cr_assert_gt(run.cancel_checks, 100000 + 90);
    plugin_run_done(&run);
}

Test(file_list, gives_back_what_the_host_refuses_an_entry_with)
{
    struct plugin_run run;

    scratch_fill(&scratch, "1", 1);
    scratch_fill(&scratch, "2", 1);
    plugin_run_init(&run, host, dir_url(""));
    run.report_answer = FLAME_ERR_LIMIT;
    check(&run, plugin_run_list, FLAME_ERR_LIMIT);
    cr_assert_eq(run.object_count, 1);
    cr_assert_eq(run.finishes, 0);
    plugin_run_done(&run);
}
