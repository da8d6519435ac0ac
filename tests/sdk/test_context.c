/* SPDX-License-Identifier: Apache-2.0 */
/* What a context says, and where it has it from. */
#include "context/environment.h"
#include "context_fixture.h"

#include <errno.h>
#include <pwd.h>
#include <sys/resource.h>
#include <time.h>

TestSuite(context, .init = enter_home, .fini = leave_home);

static const char everything[] = "current-context: lab\n"
                                 "contexts:\n"
                                 "  - name: other\n"
                                 "    cluster: {endpoint: 'http://other.example.org:1'}\n"
                                 "  - name: lab\n"
                                 "    workspace: physics\n"
                                 "    cluster:\n"
                                 "      endpoint: \"https://sessions.example.org:8443\"\n"
                                 "      tls:\n"
                                 "        ca_file: /lab/cluster-ca.pem\n"
                                 "        cert_file: /lab/cluster.pem\n"
                                 "        key_file: /lab/cluster.key\n"
                                 "    cache:\n"
                                 "      endpoint: grpcs://objects.example.org:9443\n"
                                 "      tls:\n"
                                 "        ca_file: /lab/cache-ca.pem\n"
                                 "        cert_file: /lab/cache.pem\n"
                                 "        key_file: /lab/cache.key\n"
                                 "      storage: /lab/objects\n"
                                 "    package:\n"
                                 "      storage: https://files.example.org/lab/\n"
                                 "      excludes:\n"
                                 "        - '*.log'\n"
                                 "        - build\n"
                                 "    runner:\n"
                                 "      template: lab-runner\n";

Test(context, every_key_is_read_and_tells_its_line)
{
    struct flame_context *context = opened(everything);

    is_text(context, NAME, "lab");
    comes_from_line(context, NAME, 1);
    is_text(context, CLUSTER_ENDPOINT, "https://sessions.example.org:8443");
    comes_from_line(context, CLUSTER_ENDPOINT, 8);
    is_text(context, CLUSTER_CA, "/lab/cluster-ca.pem");
    comes_from_line(context, CLUSTER_CA, 10);
    is_text(context, CLUSTER_CERT, "/lab/cluster.pem");
    comes_from_line(context, CLUSTER_CERT, 11);
    is_text(context, CLUSTER_KEY, "/lab/cluster.key");
    comes_from_line(context, CLUSTER_KEY, 12);
    is_text(context, CACHE_ENDPOINT, "grpcs://objects.example.org:9443");
    comes_from_line(context, CACHE_ENDPOINT, 14);
    is_text(context, CACHE_CA, "/lab/cache-ca.pem");
    comes_from_line(context, CACHE_CA, 16);
    is_text(context, CACHE_CERT, "/lab/cache.pem");
    comes_from_line(context, CACHE_CERT, 17);
    is_text(context, CACHE_KEY, "/lab/cache.key");
    comes_from_line(context, CACHE_KEY, 18);
    is_text(context, CACHE_STORAGE, "/lab/objects");
    comes_from_line(context, CACHE_STORAGE, 19);
    is_text(context, PACKAGE_STORAGE, "https://files.example.org/lab/");
    comes_from_line(context, PACKAGE_STORAGE, 21);
    is_text(context, PACKAGE_EXCLUDES, ".venv __pycache__ .gitignore *.pyc *.log build");
    comes_from_line(context, PACKAGE_EXCLUDES, 23);
    is_text(context, RUNNER_TEMPLATE, "lab-runner");
    comes_from_line(context, RUNNER_TEMPLATE, 26);
    flame_context_close(context);
}

Test(context, a_value_carries_its_name_and_its_help)
{
    struct flame_context *context = opened(everything);

#define FLAME_ROW_(key_, path, kind, variable, fallback, help_)                                    \
    cr_expect_str_eq(value_of(context, FLAME_CONTEXT_##key_).name, path);                          \
    cr_expect_str_eq(value_of(context, FLAME_CONTEXT_##key_).help, help_);                         \
    cr_expect_eq(value_of(context, FLAME_CONTEXT_##key_).key, FLAME_CONTEXT_##key_);
    FLAME_CONTEXT_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    flame_context_close(context);
}

Test(context, another_context_can_be_asked_for_by_name)
{
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_context *context;

    config.file = scratch_write(&scratch, "flame.yaml", everything, strlen(everything));
    config.name = "other";
    context = opened_with(&config);
    is_text(context, NAME, "other");
    comes_from_line(context, NAME, 3);
    is_text(context, CLUSTER_ENDPOINT, "http://other.example.org:1");
    is_unset(context, CACHE_ENDPOINT);
    flame_context_close(context);
}

Test(context, who_asks_by_name_needs_no_current_context)
{
    static const char text[] = "contexts: [{name: a, cache: {endpoint: 'grpc://a:1'}}]\n";
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_context *context;

    config.file = scratch_write(&scratch, "flame.yaml", text, strlen(text));
    config.name = "a";
    context = opened_with(&config);
    is_text(context, CACHE_ENDPOINT, "grpc://a:1");
    flame_context_close(context);
}

Test(context, the_first_of_two_contexts_of_one_name_applies)
{
    struct flame_context *context = opened(SAMPLE_HEAD "  runner: {template: one}\n"
                                                       "- name: home\n"
                                                       "  runner: {template: two}\n");

    is_text(context, RUNNER_TEMPLATE, "one");
    flame_context_close(context);
}

/* ---- where the file is ----------------------------------------------------------------------- */

static void write_default_file(const char *text)
{
    FILE *file;

    cr_assert(mkdir(".flame", 0700) == 0 || errno == EEXIST);
    file = fopen(".flame/flame.yaml", "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

Test(context, the_file_below_HOME_is_the_default)
{
    struct flame_context *context;
    char source[512];

    write_default_file(SAMPLE_HEAD "  runner: {template: mine}\n");
    context = opened_with(NULL);
    is_text(context, RUNNER_TEMPLATE, "mine");
    (void)snprintf(source, sizeof(source), "%s/.flame/flame.yaml:4", scratch.dir);
    comes_from(context, RUNNER_TEMPLATE, source);
    flame_context_close(context);
}

Test(context, without_HOME_the_user_database_says_where_home_is)
{
    const struct passwd *user = getpwuid(getuid());
    char expected[512] = "";
    char *path;

    cr_assert_eq(unsetenv("HOME"), 0);
    cr_assert(fl_default_file(&path));
    if (user && *user->pw_dir)
        (void)snprintf(expected, sizeof(expected), "%s/.flame/flame.yaml", user->pw_dir);
    cr_expect_str_eq(path ? path : "", expected);
    free(path);
    cr_assert_eq(setenv("HOME", "", 1), 0);
    cr_assert(fl_default_file(&path));
    cr_expect_str_eq(path ? path : "", expected);
    free(path);
}

Test(context, without_a_default_file_the_defaults_apply)
{
    struct flame_context *context = opened_with(NULL);

    is_unset(context, NAME);
    is_text(context, CLUSTER_ENDPOINT, "http://127.0.0.1:8080");
    comes_from(context, CLUSTER_ENDPOINT, "default");
    is_unset(context, CLUSTER_CA);
    is_unset(context, CACHE_ENDPOINT);
    is_unset(context, CACHE_CA);
    is_unset(context, CACHE_STORAGE);
    is_unset(context, PACKAGE_STORAGE);
    is_text(context, PACKAGE_EXCLUDES, ".venv __pycache__ .gitignore *.pyc");
    comes_from(context, PACKAGE_EXCLUDES, "default");
    is_text(context, RUNNER_TEMPLATE, "flmrun");
    flame_context_close(context);
}

Test(context, a_plain_file_in_place_of_the_directory_is_no_default_file)
{
    struct flame_context *context;

    (void)scratch_write(&scratch, ".flame", "", 0);
    context = opened_with(NULL);
    is_unset(context, NAME);
    flame_context_close(context);
}

Test(context, a_broken_default_file_is_an_error)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context = NULL;

    write_default_file("[");
    cr_expect_eq(flame_context_open(NULL, &context, &err), FLAME_ERR_INVALID);
    cr_expect_not_null(strstr(err.message, "/.flame/flame.yaml:"), "%s", err.message);
}

Test(context, a_file_that_was_named_must_be_there)
{
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context = NULL;

    config.file = scratch_path(&scratch, "nowhere.yaml");
    cr_expect_eq(flame_context_open(&config, &context, &err), FLAME_ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.message, "nowhere.yaml"), "%s", err.message);
    cr_expect_null(context);
}

Test(context, an_empty_file_name_reads_none)
{
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_context *context;

    write_default_file("[");
    config.file = "";
    context = opened_with(&config);
    is_unset(context, NAME);
    flame_context_close(context);
}

Test(context, a_name_without_a_file_is_an_error)
{
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context = NULL;

    config.name = "lab";
    cr_expect_eq(flame_context_open(&config, &context, &err), FLAME_ERR_INVALID);
    cr_expect_str_eq(err.message, "there is no context 'lab', for there is no file");
}

/* ---- variables ------------------------------------------------------------------------------- */

static const char three_endpoints[] =
    SAMPLE_HEAD "  cluster: {endpoint: 'http://file:1', tls: {ca_file: /file/ca}}\n"
                "  cache: {endpoint: 'grpc://file:2', storage: /file}\n";

static void set(const char *name, const char *value)
{
    cr_assert_eq(setenv(name, value, 1), 0);
}

Test(context, the_variables_of_endpoints_and_storage_go_before_the_file)
{
    struct flame_context *context;

    set("FLAME_ENDPOINT", "http://variable:1");
    set("FLAME_CACHE_ENDPOINT", "grpc://variable:2");
    set("FLAME_CACHE_STORAGE", "/variable");
    context = opened(three_endpoints);
    is_text(context, CLUSTER_ENDPOINT, "http://variable:1");
    comes_from(context, CLUSTER_ENDPOINT, "FLAME_ENDPOINT");
    is_text(context, CACHE_ENDPOINT, "grpc://variable:2");
    comes_from(context, CACHE_ENDPOINT, "FLAME_CACHE_ENDPOINT");
    is_text(context, CACHE_STORAGE, "/variable");
    comes_from(context, CACHE_STORAGE, "FLAME_CACHE_STORAGE");
    flame_context_close(context);
}

Test(context, the_variables_of_tls_fill_only_what_the_file_leaves_open)
{
    struct flame_context *context;

    set("FLAME_CA_FILE", "/variable/ca");
    set("FLAME_CERT_FILE", "/variable/cert");
    set("FLAME_KEY_FILE", "/variable/key");
    context = opened(three_endpoints);
    is_text(context, CLUSTER_CA, "/file/ca");
    comes_from_line(context, CLUSTER_CA, 4);
    is_text(context, CLUSTER_CERT, "/variable/cert");
    is_text(context, CLUSTER_KEY, "/variable/key");
    is_text(context, CACHE_CA, "/variable/ca");
    comes_from(context, CACHE_CA, "FLAME_CA_FILE");
    is_text(context, CACHE_CERT, "/variable/cert");
    comes_from(context, CACHE_CERT, "FLAME_CERT_FILE");
    is_text(context, CACHE_KEY, "/variable/key");
    comes_from(context, CACHE_KEY, "FLAME_KEY_FILE");
    flame_context_close(context);
}

Test(context, variables_alone_make_a_context)
{
    struct flame_context *context;

    set("FLAME_CACHE_ENDPOINT", "grpcs://variable:2");
    set("FLAME_CA_FILE", "/variable/ca");
    context = opened_with(NULL);
    is_text(context, CACHE_ENDPOINT, "grpcs://variable:2");
    is_text(context, CACHE_CA, "/variable/ca");
    is_text(context, CLUSTER_CA, "/variable/ca");
    flame_context_close(context);
}

Test(context, an_empty_variable_is_an_unset_one)
{
    struct flame_context *context;

    set("FLAME_ENDPOINT", "");
    set("FLAME_CACHE_ENDPOINT", "");
    set("FLAME_CA_FILE", "");
    context = opened(three_endpoints);
    is_text(context, CLUSTER_ENDPOINT, "http://file:1");
    is_text(context, CACHE_ENDPOINT, "grpc://file:2");
    is_unset(context, CACHE_CA);
    flame_context_close(context);
}

Test(context, a_daemon_reads_no_variable_of_flame_but_knows_its_home)
{
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_context *context;

    write_default_file(three_endpoints);
    set("FLAME_ENDPOINT", "http://variable:1");
    set("FLAME_CA_FILE", "/variable/ca");
    config.flags = FLAME_CONTEXT_NO_ENVIRONMENT;
    context = opened_with(&config);
    is_text(context, CLUSTER_ENDPOINT, "http://file:1");
    is_unset(context, CACHE_CA);
    flame_context_close(context);
}

Test(context, a_control_character_in_a_variable_is_an_error)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context = NULL;

    set("FLAME_CACHE_ENDPOINT", "grpc://a\n:1");
    cr_expect_eq(flame_context_open(NULL, &context, &err), FLAME_ERR_INVALID);
    cr_expect_str_eq(err.message, "FLAME_CACHE_ENDPOINT: must not hold control characters");
}

/* ---- package --------------------------------------------------------------------------------- */

Test(context, a_package_section_with_only_excludes_counts)
{
    struct flame_context *context = opened(SAMPLE_HEAD "  package: {excludes: ['*.ckpt']}\n");

    is_unset(context, PACKAGE_STORAGE);
    is_text(context, PACKAGE_EXCLUDES, ".venv __pycache__ .gitignore *.pyc *.ckpt");
    flame_context_close(context);
}

Test(context, excludes_are_the_defaults_then_the_users_each_once)
{
    static const char *const expected[] = {".venv", "__pycache__", ".gitignore", "*.pyc",
                                           "b c",   "a",           NULL};
    struct flame_context *context =
        opened(SAMPLE_HEAD "  package: {excludes: ['b c', '*.pyc', a, 'b c', .venv]}\n");
    const char *const *values = value_of(context, FLAME_CONTEXT_PACKAGE_EXCLUDES).values;
    size_t i = 0;

    for (; expected[i] && values[i]; i++)
        cr_expect_str_eq(values[i], expected[i]);
    cr_expect_null(expected[i]);
    cr_expect_null(values[i]);
    flame_context_close(context);
}

/* ---- how values are written ------------------------------------------------------------------ */

Test(context, null_and_empty_are_unset)
{
    struct flame_context *context = opened(SAMPLE_HEAD "  cluster: {endpoint: ''}\n"
                                                       "  cache:\n"
                                                       "    endpoint: ~\n"
                                                       "    storage:\n"
                                                       "    tls: NULL\n"
                                                       "  package: {storage: null, excludes: }\n"
                                                       "  runner:\n");

    is_text(context, CLUSTER_ENDPOINT, "http://127.0.0.1:8080");
    is_unset(context, CACHE_ENDPOINT);
    is_unset(context, CACHE_STORAGE);
    is_unset(context, CACHE_CA);
    is_unset(context, PACKAGE_STORAGE);
    comes_from(context, PACKAGE_EXCLUDES, "default");
    is_text(context, RUNNER_TEMPLATE, "flmrun");
    flame_context_close(context);
}

Test(context, a_quoted_null_is_a_text)
{
    struct flame_context *context = opened(SAMPLE_HEAD "  runner: {template: 'null'}\n");

    is_text(context, RUNNER_TEMPLATE, "null");
    flame_context_close(context);
}

Test(context, numbers_and_switches_are_the_text_that_is_written)
{
    struct flame_context *context = opened("current-context: 2026\n"
                                           "contexts: [{name: 2026, cache: {storage: 007},\n"
                                           "  runner: {template: yes}}]\n");

    is_text(context, NAME, "2026");
    is_text(context, CACHE_STORAGE, "007");
    is_text(context, RUNNER_TEMPLATE, "yes");
    flame_context_close(context);
}

Test(context, unknown_keys_are_ignored)
{
    struct flame_context *context =
        opened("version: [1, {a: b}]\n" SAMPLE_HEAD "  workspace: physics\n"
               "  cache: {endpoint: 'grpc://a:1', colour: {a: [b]}}\n"
               "  later: {endpoint: x}\n");

    is_text(context, CACHE_ENDPOINT, "grpc://a:1");
    flame_context_close(context);
}

Test(context, a_key_that_begins_like_another_is_another)
{
    struct flame_context *context =
        opened(SAMPLE_HEAD "  cache: {endpoints: a, end: b, endpoint: 'grpc://a:1', '': c}\n");

    is_text(context, CACHE_ENDPOINT, "grpc://a:1");
    flame_context_close(context);
}

Test(context, a_quoted_merge_key_is_a_key_like_any_other)
{
    struct flame_context *context = opened(SAMPLE_HEAD "  labels: {'<<': shift}\n");

    is_text(context, NAME, "home");
    flame_context_close(context);
}

Test(context, a_bom_and_line_ends_of_windows_do_no_harm)
{
    struct flame_context *context = opened("\xef\xbb\xbf"
                                           "current-context: a\r\n"
                                           "contexts:\r\n"
                                           "- name: a\r\n"
                                           "  cache:\r\n"
                                           "    endpoint: grpc://a:1\r\n");

    is_text(context, CACHE_ENDPOINT, "grpc://a:1");
    comes_from_line(context, CACHE_ENDPOINT, 5);
    flame_context_close(context);
}

Test(context, text_beyond_ascii_stays_as_it_is)
{
    struct flame_context *context =
        opened(SAMPLE_HEAD "  package: {storage: 'file:///home/j\xc3\xb6rg/\xe5\x8c\x85'}\n");

    is_text(context, PACKAGE_STORAGE, "file:///home/j\xc3\xb6rg/\xe5\x8c\x85");
    flame_context_close(context);
}

/* ---- aliases --------------------------------------------------------------------------------- */

Test(context, an_alias_stands_for_what_it_names)
{
    struct flame_context *context = opened(SAMPLE_HEAD "  cluster: {tls: &tls {ca_file: /ca}}\n"
                                                       "  cache: {tls: *tls}\n");

    is_text(context, CLUSTER_CA, "/ca");
    is_text(context, CACHE_CA, "/ca");
    comes_from_line(context, CACHE_CA, 4);
    flame_context_close(context);
}

Test(context, an_alias_of_what_it_stands_in_does_no_harm)
{
    struct flame_context *context =
        opened(SAMPLE_HEAD "  cache: &me {endpoint: 'grpc://a:1', self: *me, tls: *me}\n");

    is_text(context, CACHE_ENDPOINT, "grpc://a:1");
    is_unset(context, CACHE_CA);
    flame_context_close(context);
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long resident_kib(void)
{
    struct rusage usage;

    cr_assert_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* Each level names the one before it nine times: 9^20 items for who expands them. */
static size_t write_bomb(char *text, size_t capacity)
{
    size_t used = (size_t)snprintf(text, capacity, "l0: &l0 [x, x, x, x, x, x, x, x, x]\n");

    for (int level = 1; level <= 20; level++) {
        used += (size_t)snprintf(text + used, capacity - used, "l%d: &l%d [", level, level);
        for (int i = 0; i < 9; i++)
            used += (size_t)snprintf(text + used, capacity - used, "*l%d, ", level - 1);
        used += (size_t)snprintf(text + used, capacity - used, "]\n");
    }
    cr_assert_lt(used, capacity);
    return used;
}

Test(context, an_alias_bomb_costs_neither_time_nor_memory)
{
    double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    long before = resident_kib();
    struct flame_context *context;
    char text[8192];
    size_t used = write_bomb(text, sizeof(text));

    (void)snprintf(text + used, sizeof(text) - used,
                   SAMPLE_HEAD "  runner: {template: calm}\n  bomb: *l20\n");
    context = opened(text);
    is_text(context, RUNNER_TEMPLATE, "calm");
    flame_context_close(context);
    cr_expect_lt(resident_kib() - before, 16 << 10);
    cr_expect_lt(seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start, 2.0);
}

/* ---- the structs ----------------------------------------------------------------------------- */

Test(context, a_number_that_is_no_key_is_unset)
{
    struct flame_context *context = opened_with(NULL);
    struct flame_context_value value = value_of(context, FLAME_CONTEXT_KEY_COUNT);

    cr_expect_null(value.value);
    cr_expect_null(value.name);
    cr_expect_null(flame_context_text(context, 4711));
    flame_context_close(context);
    flame_context_close(NULL);
}

Test(context, nothing_is_written_behind_the_callers_struct)
{
    struct flame_context *context = opened_with(NULL);
    struct flame_context_value value = {.struct_size = offsetof(struct flame_context_value, values),
                                        .source = "untouched"};

    flame_context_get(context, FLAME_CONTEXT_RUNNER_TEMPLATE, &value);
    cr_expect_str_eq(value.value, "flmrun");
    cr_expect_str_eq(value.source, "untouched");
    cr_expect_eq(value.struct_size, offsetof(struct flame_context_value, values));
    flame_context_close(context);
}

Test(context, a_configuration_of_another_kind_is_refused)
{
    struct flame_context_config config = {0};
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context = NULL;

    cr_expect_eq(flame_context_open(&config, &context, &err), FLAME_ERR_INVALID);
    config = FLAME_INIT(flame_context_config);
    config.flags = 0x2;
    cr_expect_eq(flame_context_open(&config, &context, NULL), FLAME_ERR_INVALID);
    cr_expect_null(context);
}
