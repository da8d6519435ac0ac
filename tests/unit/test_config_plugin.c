/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config_fixture.h"

#include "base/text.h"
#include "config/settings.h"

#define ID "org.example.data"
#define SECTION(entries) "{\"plugins\": {\"" ID "\": {" entries "}}}"
#define ROW(kind, option, default_value, allowed)                                                  \
    &(const struct flame_option)                                                                   \
    {                                                                                              \
        .struct_size = sizeof(struct flame_option), .type = FLAME_OPTION_##kind, .name = option,   \
        .value = default_value, .range = allowed                                                   \
    }

static const struct flame_option *const table[] = {
    ROW(INTEGER, "depth", "3", "1..9"), ROW(DURATION, "pause", NULL, NULL),
    ROW(SECRET, "token", "never", NULL), ROW(TEXT, "label", NULL, NULL), NULL};

TestSuite(config_plugin, .init = enter_temp_dir, .fini = leave_temp_dir);

static int32_t check(struct fl_config *config, struct flame_error *err)
{
    *err = FLAME_INIT(flame_error);
    return fl_config_check_plugin(config, ID, table, err);
}

static const char *own(const struct fl_config *config, const char *name, const char **source)
{
    struct fl_scope scope = {.plugin_id = ID, .plugin_options = table};

    return fl_config_option(config, &scope, name, source);
}

static const char *section_refusal(const char *text)
{
    static struct flame_error err;
    struct fl_config *config = loaded(text);
    size_t prefix = strlen(in_dir(CONFIG_FILE)) + 2;

    cr_expect_eq(check(config, &err), FLAME_ERR_INVALID);
    cr_expect_null(own(config, "depth", NULL), "a refused section must not answer");
    cr_expect_eq(check(config, &err), FLAME_ERR_INVALID, "a refused section must stay refused");
    fl_config_free(config);
    return err.message + prefix;
}

Test(config_plugin, a_section_answers_once_it_is_checked)
{
    struct fl_config *config = loaded(SECTION("\"depth\": 5, \"pause\": \"2m\""));
    struct flame_error err;
    const char *source;

    cr_expect_null(own(config, "depth", NULL));
    cr_assert_eq(check(config, &err), FLAME_OK, "%s", err.message);
    cr_expect_str_eq(own(config, "depth", &source), "5");
    cr_expect_str_eq(source, in_dir(CONFIG_FILE));
    cr_expect_str_eq(own(config, "pause", NULL), "120000");
    cr_expect_null(own(config, "label", NULL));
    cr_expect_null(own(config, "unknown", NULL));
    fl_config_free(config);
}

Test(config_plugin, defaults_answer_without_a_section)
{
    struct fl_config *config = loaded("{}");
    struct flame_error err;
    const char *source;

    cr_assert_eq(check(config, &err), FLAME_OK);
    cr_expect_str_eq(own(config, "depth", &source), "3");
    cr_expect_str_eq(source, "default");
    cr_expect_null(own(config, "token", NULL), "a secret must not be an option");
    fl_config_free(config);
}

Test(config_plugin, one_plugins_options_are_not_anothers)
{
    struct fl_config *config = loaded(SECTION("\"depth\": 5"));
    struct fl_scope other = {.plugin_id = "org.example.other"};
    struct flame_error err;

    cr_assert_eq(check(config, &err), FLAME_OK);
    cr_expect_null(fl_config_option(config, &other, "depth", NULL));
    cr_expect_null(fl_config_option(config, NULL, "depth", NULL));
    cr_assert_eq(fl_config_check_plugin(config, other.plugin_id, NULL, &err), FLAME_OK);
    cr_expect_null(fl_config_option(config, &other, "depth", NULL));
    cr_expect_str_eq(own(config, "depth", NULL), "5");
    fl_config_free(config);
}

Test(config_plugin, a_bad_section_is_refused_with_file_and_path)
{
    cr_expect_str_eq(section_refusal(SECTION("\"dept\": 5")),
                     "plugins." ID ".dept: the plugin has no such option");
    cr_expect_str_eq(section_refusal(SECTION("\"depth\": 10")),
                     "plugins." ID ".depth: must be 1..9, not '10'");
    cr_expect_str_eq(section_refusal(SECTION("\"token\": \"hunter2\"")),
                     "plugins." ID ".token: is a secret and cannot be set as an option");
}

Test(config_plugin, a_section_of_a_plugin_without_options_is_refused)
{
    struct fl_config *config = loaded(SECTION("\"depth\": 5"));
    struct flame_error err = FLAME_INIT(flame_error);

    cr_expect_eq(fl_config_check_plugin(config, ID, NULL, &err), FLAME_ERR_INVALID);
    fl_config_free(config);
}

Test(config_plugin, a_bad_default_is_the_plugins_fault_and_says_so)
{
    const struct flame_option *const bad[] = {ROW(INTEGER, "depth", "x", NULL), NULL};
    struct fl_config *config = loaded("{}");
    struct flame_error err = FLAME_INIT(flame_error);

    cr_expect_eq(fl_config_check_plugin(config, ID, bad, &err), FLAME_ERR_INVALID);
    cr_expect_str_eq(err.message, ID ": default.depth: must be a whole number, not 'x'");
    fl_config_free(config);
}

enum { THREADS = 8, PLUGINS = 200 };

struct race {
    struct fl_config *config;
    pthread_barrier_t start; /* of each plugin */
};

static void *check_and_look(void *data)
{
    struct race *race = data;
    void *fault = NULL;

    for (int i = 0; i < PLUGINS; i++) {
        char id[32];
        struct flame_error err = FLAME_INIT(flame_error);
        struct fl_scope scope = {.plugin_id = id};
        const char *value;

        (void)snprintf(id, sizeof(id), "org.example.p%d", i);
        (void)pthread_barrier_wait(&race->start);
        if (fl_config_check_plugin(race->config, id, table, &err) != FLAME_OK)
            fault = race;
        value = fl_config_option(race->config, &scope, "depth", NULL);
        if (!value || strcmp(value, "3") != 0)
            fault = race;
    }
    return fault;
}

Test(config_plugin, threads_that_check_one_plugin_at_once_check_it_once)
{
    struct race race = {.config = loaded("{}")};
    pthread_t threads[THREADS];
    size_t checked = 0;

    cr_assert_eq(pthread_barrier_init(&race.start, NULL, THREADS), 0);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, check_and_look, &race), 0);
    for (int i = 0; i < THREADS; i++) {
        void *fault;

        cr_assert_eq(pthread_join(threads[i], &fault), 0);
        cr_expect_null(fault);
    }
    (void)pthread_barrier_destroy(&race.start);
    for (const struct fl_checked *entry = race.config->checked; entry; entry = entry->next)
        checked++;
    cr_expect_eq(checked, PLUGINS);
    fl_config_free(race.config);
}

Test(config_plugin, task_options_are_checked_and_made_canonical)
{
    static const char *const options[] = {"depth", "4", "tls.verify", "off", "depth", "5", NULL};
    struct fl_pairs out = {.count = 77}; /* is overwritten */
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_config *config = loaded("{}");
    struct fl_scope scope = {.plugin_id = ID};

    cr_assert_eq(fl_config_check_task(options, table, &out, &err), FLAME_OK, "%s", err.message);
    cr_expect_eq(out.count, 4);
    cr_expect_str_eq(fl_pairs_get(&out, "depth"), "5");
    cr_expect_str_eq(fl_pairs_get(&out, "tls.verify"), "0");
    scope.task_options = fl_pairs_list(&out);
    cr_expect_str_eq(fl_config_option(config, &scope, "depth", NULL), "5");
    fl_pairs_done(&out, false);
    cr_assert_eq(fl_config_check_task(NULL, NULL, &out, &err), FLAME_OK);
    cr_expect_eq(out.count, 0);
    fl_config_free(config);
}

Test(config_plugin, task_options_that_are_none_are_refused)
{
    static const char *const lists[][4] = {
        {"dept", "4"},
        {"tls.caa", "/x"},
        {"tls.ca", NULL},
        {"depth", "0"},
        {"token", "hunter2"},
        {"auth.bearer", "hunter2"},
        {"tls.verify", "yes", "", "x"},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        const char *options[] = {lists[i][0], lists[i][1], lists[i][2], lists[i][3], NULL};
        struct fl_pairs out = {.count = 77};
        struct flame_error err = FLAME_INIT(flame_error);

        cr_expect_eq(fl_config_check_task(options, table, &out, &err), FLAME_ERR_INVALID);
        cr_expect_eq(out.count, 77, "untouched on failure");
        cr_expect_eq(strncmp(err.message, "option '", 8), 0, "%s", err.message);
        cr_expect_null(strstr(err.message, "hunter2"), "%s", err.message);
    }
}

Test(config_plugin, a_secret_among_the_options_is_called_one)
{
    static const char *const options[] = {"auth.bearer", "hunter2", NULL};
    struct fl_pairs out;
    struct flame_error err = FLAME_INIT(flame_error);

    cr_expect_eq(fl_config_check_task(options, NULL, &out, &err), FLAME_ERR_INVALID);
    cr_expect_str_eq(err.message, "option 'auth.bearer': is a secret, not an option");
}

Test(config_plugin, the_host_program_sets_shared_options_only)
{
    static const char *const lists[][3] = {
        {"depth", "4", NULL}, {"auth.bearer", "hunter2", NULL}, {"tls.min", "1.1", NULL}};
    struct flame_config wish = FLAME_INIT(flame_config);

    wish.file = "";
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        struct flame_error err;
        struct fl_config *config;

        wish.options = lists[i];
        cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_INVALID);
        cr_expect_null(strstr(err.message, "hunter2"));
    }
}
