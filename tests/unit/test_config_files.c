/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"
#include "config/parse.h"

#include "config_fixture.h"

#include <fcntl.h>
#include <stddef.h>

#define ORIGIN "https://cache.example.org:443"

TestSuite(config_files, .init = enter_temp_dir, .fini = leave_temp_dir);

static void make_user_file(const char *base, const char *text)
{
    char path[600];

    if (*base)
        cr_assert_eq(mkdir(base, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s%sflame", base, *base ? "/" : "");
    cr_assert_eq(mkdir(path, 0755), 0);
    (void)strcat(path, "/fetch.json");
    write_text(path, 0600, text);
}

static struct fl_config *standard(void)
{
    return loaded_with(NULL);
}

Test(config_files, missing_standard_files_are_fine)
{
    struct fl_config *config = standard();

    cr_expect_str_eq(option_at(config, NULL, "time.stall"), "30000");
    fl_config_free(config);
}

Test(config_files, the_users_file_is_found_below_xdg_config_home)
{
    struct fl_config *config;

    make_user_file("", "{\"options\": {\"time.stall\": 11}}");
    config = standard();
    cr_expect_str_eq(option_at(config, NULL, "time.stall"), "11000");
    fl_config_free(config);
}

Test(config_files, without_xdg_the_users_file_is_found_below_home)
{
    struct fl_config *config;
    static const char *const useless[] = {NULL, "", "relative"};

    make_user_file(".config", "{\"options\": {\"time.stall\": 12}}");
    for (size_t i = 0; i < sizeof(useless) / sizeof(*useless); i++) {
        (void)(useless[i] ? setenv("XDG_CONFIG_HOME", useless[i], 1) : unsetenv("XDG_CONFIG_HOME"));
        config = standard();
        cr_expect_str_eq(option_at(config, NULL, "time.stall"), "12000");
        fl_config_free(config);
    }
}

Test(config_files, no_home_at_all_is_fine)
{
    (void)unsetenv("XDG_CONFIG_HOME");
    (void)unsetenv("HOME");
    fl_config_free(standard());
    (void)setenv("HOME", ".", 1);
    make_user_file(".config", "nonsense");
    fl_config_free(standard());
}

Test(config_files, an_existing_standard_file_that_cannot_be_read_is_an_error)
{
    struct flame_error err;
    struct fl_config *config;

    cr_assert_eq(mkdir("flame", 0755), 0);
    cr_assert_eq(mkdir("flame/fetch.json", 0755), 0);
    cr_expect_eq(try_load(NULL, &config, &err), FLAME_ERR_IO);
    cr_expect_not_null(strstr(err.message, "/flame/fetch.json': not a regular file"), "%s",
                       err.message);
    cr_assert_eq(rmdir("flame/fetch.json"), 0);
    cr_assert_eq(symlink("fetch.json", "flame/fetch.json"), 0);
    cr_expect_eq(try_load(NULL, &config, &err), FLAME_ERR_IO);
    cr_expect_neq(err.errno_code, 0);
}

Test(config_files, an_explicit_file_replaces_the_standard_ones)
{
    struct fl_config *config;

    make_user_file("", "{\"options\": {\"time.stall\": 11}}");
    config = loaded("{}");
    cr_expect_str_eq(option_at(config, NULL, "time.stall"), "30000");
    fl_config_free(config);
}

Test(config_files, an_explicit_file_must_be_there)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct flame_error err;
    struct fl_config *config;

    wish.file = "missing.json";
    cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_IO);
    cr_expect_eq(err.errno_code, ENOENT);
    cr_expect_not_null(strstr(err.message, "cannot read 'missing.json': "), "%s", err.message);
}

Test(config_files, a_fifo_is_refused_and_not_waited_for)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct flame_error err;
    struct fl_config *config;

    cr_assert_eq(mkfifo("fifo", 0600), 0);
    wish.file = "fifo";
    cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_IO);
}

Test(config_files, a_daemon_reads_its_explicit_file_only)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct fl_config *config;

    make_user_file("", "{\"options\": {\"time.stall\": 11}}");
    (void)setenv("FLAME_PLUGIN_PATH", "/from/environment", 1);
    wish.flags = FLAME_CONFIG_NO_ENVIRONMENT;
    config = loaded_with(&wish);
    cr_expect_str_eq(option_at(config, NULL, "time.stall"), "30000");
    cr_expect_null(fl_config_plugin_dirs(config)[0]);
    fl_config_free(config);
    write_text("own.json", 0600, "{\"options\": {\"time.stall\": 13}}");
    wish.file = in_dir("own.json");
    config = loaded_with(&wish);
    cr_expect_str_eq(option_at(config, NULL, "time.stall"), "13000");
    cr_expect_null(fl_config_plugin_dirs(config)[0]);
    fl_config_free(config);
}

static int32_t parse(struct fl_config *config, const char *path, const char *text,
                     struct flame_error *err)
{
    char copy[1024];
    struct fl_file file = {.bytes = copy, .size = strlen(text), .mode = 0600};

    (void)strcpy(copy, text);
    return fl_config_parse(config, &file, path, err);
}

Test(config_files, a_later_file_goes_over_an_earlier_one_key_by_key)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_config *config;
    const char *source;

    cr_assert_eq(fl_config_new(&config, &err), FLAME_OK);
    cr_assert_eq(parse(config, "system.json",
                       "{\"options\": {\"time.stall\": 1, \"net.ip\": 4},"
                       " \"pins\": {\"a\": \"x.a\", \"b\": \"x.b\"},"
                       " \"plugin_path\": [\"/system\"],"
                       " \"origins\": {\"" ORIGIN "\": {\"auth.bearer\": \"old\","
                       "               \"auth.basic\": \"u:p\", \"tls.min\": 1.3}}}",
                       &err),
                 FLAME_OK, "%s", err.message);
    cr_assert_eq(parse(config, "user.json",
                       "{\"options\": {\"time.stall\": 2}, \"pins\": {\"b\": \"y.b\"},"
                       " \"origins\": {\"" ORIGIN "\": {\"auth.bearer\": \"new\"}}}",
                       &err),
                 FLAME_OK, "%s", err.message);
    cr_expect_str_eq(fl_config_option(config, NULL, "time.stall", &source), "2000");
    cr_expect_str_eq(source, "user.json");
    cr_expect_str_eq(fl_config_option(config, NULL, "net.ip", &source), "4");
    cr_expect_str_eq(source, "system.json");
    cr_expect_str_eq(fl_config_pin(config, "a"), "x.a");
    cr_expect_str_eq(fl_config_pin(config, "b"), "y.b");
    cr_expect_str_eq(fl_config_secret(config, ORIGIN, "auth.bearer"), "new");
    cr_expect_str_eq(fl_config_secret(config, ORIGIN, "auth.basic"), "u:p");
    cr_expect_str_eq(option_at(config, ORIGIN, "tls.min"), "1.3");
    fl_config_free(config);
}

Test(config_files, plugin_directories_come_from_caller_environment_and_file_in_this_order)
{
    static const char *const dirs[] = {"relative/is/fine", "/caller", NULL};
    struct flame_config wish = FLAME_INIT(flame_config);
    const char *const *got;
    struct fl_config *config;

    make_user_file("", "{\"plugin_path\": [\"/file\"]}");
    (void)setenv("FLAME_PLUGIN_PATH", ":/env/a::/env/b:", 1);
    wish.plugin_dirs = dirs;
    config = loaded_with(&wish);
    got = fl_config_plugin_dirs(config);
    cr_expect_str_eq(got[0], "relative/is/fine");
    cr_expect_str_eq(got[1], "/caller");
    cr_expect_str_eq(got[2], "/env/a");
    cr_expect_str_eq(got[3], "/env/b");
    cr_expect_str_eq(got[4], "/file");
    cr_expect_null(got[5]);
    fl_config_free(config);
}

Test(config_files, plugin_path_of_a_later_file_replaces_that_of_an_earlier_one)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_config *config;

    cr_assert_eq(fl_config_new(&config, &err), FLAME_OK);
    cr_assert_eq(parse(config, "a", "{\"plugin_path\": [\"/a\", \"/b\"]}", &err), FLAME_OK);
    cr_assert_eq(parse(config, "b", "{\"plugin_path\": [\"/c\"]}", &err), FLAME_OK);
    cr_assert_eq(config->file_dirs.count, 1);
    cr_expect_str_eq(config->file_dirs.items[0], "/c");
    fl_config_free(config);
}

Test(config_files, a_relative_entry_of_flame_plugin_path_is_refused_by_name)
{
    struct flame_error err;
    struct fl_config *config;

    (void)setenv("FLAME_PLUGIN_PATH", "/good:plugins", 1);
    cr_expect_eq(try_load(NULL, &config, &err), FLAME_ERR_INVALID);
    cr_expect_str_eq(err.message, "FLAME_PLUGIN_PATH: 'plugins' is no absolute path");
}

Test(config_files, an_empty_plugin_directory_of_the_caller_is_refused)
{
    static const char *const dirs[] = {"", NULL};
    struct flame_config wish = FLAME_INIT(flame_config);
    struct flame_error err;
    struct fl_config *config;

    wish.plugin_dirs = dirs;
    cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_INVALID);
}

/* The bytes behind an older, shorter struct belong to somebody else. */
Test(config_files, nothing_is_read_behind_a_shorter_struct)
{
    static const char *const poison[] = {"no.such", "option", NULL};
    struct flame_config wish = FLAME_INIT(flame_config);
    struct flame_error err;
    struct fl_config *config;

    wish.file = "";
    wish.plugin_dirs = poison;
    wish.options = poison;
    cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_INVALID);
    wish.struct_size = offsetof(struct flame_config, options);
    config = loaded_with(&wish);
    cr_expect_str_eq(fl_config_plugin_dirs(config)[0], "no.such");
    fl_config_free(config);
    wish.struct_size = offsetof(struct flame_config, plugin_dirs);
    config = loaded_with(&wish);
    cr_expect_null(fl_config_plugin_dirs(config)[0]);
    fl_config_free(config);
    wish.struct_size = offsetof(struct flame_config, file);
    wish.file = "missing.json";
    fl_config_free(loaded_with(&wish));
}

Test(config_files, a_struct_that_was_not_initialised_is_refused)
{
    struct flame_config wish = {0};
    struct flame_error err;
    struct fl_config *config;

    cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_INVALID);
}

Test(config_files, a_flag_of_the_future_is_refused)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct flame_error err;
    struct fl_config *config;

    wish.flags = 0x8000u;
    cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_INVALID);
}

Test(config_files, an_error_is_not_needed_and_nothing_is_freed_twice)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct fl_config *config = NULL;

    wish.file = "missing.json";
    cr_expect_eq(fl_config_load(&wish, &config, NULL), FLAME_ERR_IO);
    cr_expect_null(config);
    fl_config_free(NULL);
}
