/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins that look right until their code is there. */
#include "fixture.h"

#include "base/thread.h"

#include <fenv.h>
#include <float.h>
#include <locale.h>
#include <signal.h>

TestSuite(load, .init = set_up, .fini = tear_down);

static void fail_to_load(const char *plugin, const char *code, const char *reason)
{
    (void)put(plugin, "x.so");
    open_registry();
    cr_assert_eq(info_of("x.so").accepted, 1, "%s", info_of("x.so").reason);
    expect_unloadable("bad", code, reason);
}

Test(load, a_plugin_without_entry_says_so)
{
    fail_to_load("no-entry.so", "NO_ENTRY", "exports no 'flame_plugin_entry_v1'");
}

Test(load, the_entry_of_a_dependency_is_not_called)
{
    fail_to_load("foreign-entry.so", "FOREIGN_ENTRY", "belongs to another library");
}

Test(load, an_unresolved_symbol_is_named)
{
    fail_to_load("unresolved.so", "DLOPEN", "undefined symbol: not_there");
}

Test(load, a_missing_library_is_named)
{
    forge(put("needs-library.so", "x.so"), "libforeign.so", "libforeigm.so");
    open_registry();
    expect_unloadable("bad", "DLOPEN", "libforeigm.so");
}

Test(load, a_megabyte_of_static_thread_storage_is_the_linkers_refusal)
{
    fail_to_load("big-tls.so", "DLOPEN", "static TLS");
}

Test(load, a_null_table_is_refused)
{
    fail_to_load("null-table.so", "BAD_TABLE", "its entry returned null");
}

Test(load, a_table_of_another_library_is_refused)
{
    fail_to_load("foreign-table.so", "BAD_TABLE", "its table lies outside the plugin");
}

Test(load, a_table_of_size_0_is_refused)
{
    fail_to_load("size-0.so", "BAD_TABLE", "struct_size is 0");
}

Test(load, a_table_of_size_15_is_refused)
{
    fail_to_load("size-15.so", "BAD_TABLE", "struct_size is 15");
}

Test(load, a_table_shorter_than_that_of_version_1_0_is_refused)
{
    fail_to_load("size-short.so", "BAD_TABLE", "and should be between 96 and 65536");
}

Test(load, a_plugin_with_a_longer_table_than_ours_works)
{
    (void)put("grown.so", "x.so");
    open_registry();
    cr_expect_eq(use("grown"), FLAME_OK, "%s", here.err.message);
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(load, a_huge_table_is_refused)
{
    fail_to_load("size-huge.so", "BAD_TABLE", "struct_size is 70000");
}

Test(load, a_null_init_is_named)
{
    fail_to_load("null-init.so", "BAD_TABLE", "the slot 'init' is null");
}

Test(load, a_null_shutdown_is_named)
{
    fail_to_load("null-shutdown.so", "BAD_TABLE", "the slot 'shutdown' is null");
}

Test(load, a_null_fetch_is_named)
{
    fail_to_load("null-fetch.so", "BAD_TABLE", "the slot 'fetch' is null");
}

Test(load, a_slot_of_another_library_is_named)
{
    fail_to_load("foreign-slot.so", "BAD_TABLE", "the slot 'store' lies outside the plugin");
}

Test(load, a_null_manifest_is_refused)
{
    fail_to_load("null-manifest.so", "BAD_TABLE", "'manifest' lies outside the plugin");
}

Test(load, a_manifest_of_another_library_is_refused)
{
    fail_to_load("foreign-manifest.so", "BAD_TABLE", "'manifest' lies outside the plugin");
}

Test(load, a_table_that_disagrees_with_the_note_is_refused)
{
    fail_to_load("mismatch.so", "NOTE_MISMATCH", "its table and its note differ");
}

Test(load, an_option_without_size_is_refused)
{
    fail_to_load("short-option.so", "BAD_TABLE", "the struct_size of an option is 0");
}

Test(load, an_option_that_reaches_into_the_core_is_named)
{
    fail_to_load("dotted-option.so", "BAD_TABLE", "'tls.ca' is no name for an option");
}

Test(load, a_failing_init_without_reason_keeps_its_status)
{
    (void)put("silent-init.so", "x.so");
    open_registry();
    cr_assert_eq(use("bad"), FLAME_ERR_IO);
    cr_expect_str_eq(here.err.message, "cannot use plugin 'org.example.bad': INIT_FAILED: plugin "
                                       "gave no reason");
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(load, the_reason_of_a_failing_init_is_passed_on)
{
    (void)put("telling-init.so", "x.so");
    open_registry();
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(use("bad"), FLAME_ERR_UNSUPPORTED);
        cr_expect_eq(here.err.status, FLAME_ERR_UNSUPPORTED);
        cr_expect_str_eq(here.err.message, "needs a better kernel");
        cr_expect_str_eq(here.err.plugin, "org.example.bad");
    }
    cr_expect_eq(atomic_load(&here.inits), 1, "a failed plugin stays failed");
}

Test(load, an_unknown_status_of_init_is_a_plugin_fault)
{
    fail_to_load("strange-init.so", "INIT_FAILED", "init returned the unknown status 4711");
}

Test(load, an_outcome_that_is_no_failure_is_a_plugin_fault)
{
    fail_to_load("redirecting-init.so", "INIT_FAILED", "init returned the unknown status 2");
}

Test(load, a_failed_plugin_is_not_shut_down)
{
    (void)put("silent-init.so", "x.so");
    open_registry();
    cr_assert_eq(use("bad"), FLAME_ERR_IO);
    fl_registry_close(here.registry);
    here.registry = NULL;
    cr_expect_eq(atomic_load(&here.shutdowns), 0);
}

Test(load, nothing_is_loaded_before_it_is_asked_for)
{
    (void)put("meddling.so", "x.so");
    open_registry();
    cr_assert_eq(use("good"), FLAME_OK);
    cr_expect_eq(umask(022), 022);
    cr_expect_eq(atomic_load(&here.inits), 1);
    cr_expect_null(fl_plugin_options(fl_registry_by_id(here.registry, "org.example.bad")));
}

Test(load, an_instance_is_shut_down_once)
{
    open_registry();
    cr_assert_eq(use("good"), FLAME_OK);
    cr_assert_eq(use("good"), FLAME_OK);
    fl_registry_close(here.registry);
    here.registry = NULL;
    cr_expect_eq(atomic_load(&here.inits), 1);
    cr_expect_eq(atomic_load(&here.shutdowns), 1);
}

Test(load, a_meddling_plugin_is_told_about)
{
    (void)setlocale(LC_ALL, "C");
    (void)put("meddling.so", "x.so");
    open_registry();
    cr_assert_eq(use("bad"), FLAME_OK, "%s", here.err.message);
    cr_expect_str_eq(here.log, "org.example.bad: changed while it was loaded: signal handlers, "
                               "working directory, umask, locale");
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(load, a_well_behaved_plugin_is_not_told_about)
{
    open_registry();
    cr_assert_eq(use("good"), FLAME_OK);
    cr_expect_str_eq(here.log, "");
}

Test(load, a_fast_math_plugin_leaves_our_floating_point_alone)
{
    volatile double smallest = DBL_MIN;

    (void)put("fast-math.so", "x.so");
    open_registry();
    cr_assert_eq(use("bad"), FLAME_OK, "%s", here.err.message);
    cr_expect_neq(smallest / 4, 0.0);
    cr_expect_str_eq(here.log, "org.example.bad: changed while it was loaded: floating point mode "
                               "(restored)");
}

Test(load, the_flags_of_our_floating_point_survive)
{
    open_registry();
    (void)feclearexcept(FE_ALL_EXCEPT);
    (void)feraiseexcept(FE_INEXACT);
    cr_assert_eq(use("good"), FLAME_OK);
    cr_expect_eq(fetestexcept(FE_ALL_EXCEPT), FE_INEXACT);
}

static int32_t inner_status;
static struct flame_error inner_error;

static void use_again(void)
{
    const struct flame_plugin *table;
    struct flame_instance *instance;

    inner_error = FLAME_INIT(flame_error);
    inner_status = fl_plugin_use(fl_registry_by_id(here.registry, "org.example.bad"), &table,
                                 &instance, &inner_error);
}

static void expect_reentrant(void)
{
    cr_expect_eq(inner_status, FLAME_ERR_PLUGIN);
    cr_expect_str_eq(inner_error.message,
                     "cannot use plugin 'org.example.bad': REENTRANT: asks for "
                     "itself while it is being loaded");
    cr_expect_eq(use("bad"), FLAME_OK, "the outer load must go on: %s", here.err.message);
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(load, a_constructor_that_asks_for_its_own_plugin_is_answered, .timeout = 20)
{
    void (*hook)(void) = use_again;
    uintptr_t number;
    char address[32];

    memcpy(&number, &hook, sizeof(number));
    (void)snprintf(address, sizeof(address), "%zx", (size_t)number);
    (void)setenv("FLAME_TEST_HOOK", address, 1);
    (void)put("recursive.so", "x.so");
    open_registry();
    cr_assert_eq(use("bad"), FLAME_OK, "%s", here.err.message);
    expect_reentrant();
}

static const void *ask_again(const struct flame_host *host, const char *id)
{
    (void)host;
    if (strcmp(id, "test.init") == 0)
        use_again();
    return NULL;
}

Test(load, an_init_that_asks_for_its_own_plugin_is_answered, .timeout = 20)
{
    struct flame_host host = test_host;
    struct flame_error err = FLAME_INIT(flame_error);

    host.get_extension = ask_again;
    (void)put("option.so", "x.so");
    open_registry();
    fl_registry_close(here.registry);
    cr_assert_eq(fl_registry_open(here.config, "/nonexistent", &host, &here, &here.registry, &err),
                 FLAME_OK);
    cr_assert_eq(use("bad"), FLAME_OK, "%s", here.err.message);
    cr_expect_eq(inner_status, FLAME_ERR_PLUGIN);
    cr_expect_not_null(strstr(inner_error.message, "REENTRANT"));
}

#define THREADS 16

static pthread_barrier_t start;

static void *use_good(void *data)
{
    const struct flame_plugin *table = NULL;
    struct flame_instance *instance = NULL;
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_plugin *plugin = NULL;

    (void)pthread_barrier_wait(&start);
    if (fl_registry_find(here.registry, data, &plugin, &err) == FLAME_OK &&
        fl_plugin_use(plugin, &table, &instance, &err) == FLAME_OK)
        (void)table->fetch(instance, NULL, NULL, NULL);
    return instance;
}

Test(load, threads_that_come_at_once_share_one_instance, .timeout = 60)
{
    pthread_t threads[THREADS];
    void *instances[THREADS];

    open_registry();
    (void)pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(fl_thread_start(&threads[i], "user", use_good, (void *)(uintptr_t) "good"), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], &instances[i]);
    cr_expect_eq(atomic_load(&here.inits), 1);
    cr_assert_not_null(instances[0]);
    for (int i = 1; i < THREADS; i++)
        cr_expect_eq(instances[i], instances[0]);
}

Test(load, threads_that_come_at_once_share_one_failure, .timeout = 60)
{
    pthread_t threads[THREADS];

    (void)put("silent-init.so", "x.so");
    open_registry();
    (void)pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(fl_thread_start(&threads[i], "user", use_good, (void *)(uintptr_t) "bad"), 0);
    for (int i = 0; i < THREADS; i++) {
        void *instance;

        (void)pthread_join(threads[i], &instance);
        cr_expect_null(instance);
    }
    cr_expect_eq(atomic_load(&here.inits), 1);
}

Test(load, a_file_replaced_after_the_scan_is_not_run)
{
    (void)put("option.so", "x.so");
    open_registry();
    (void)put("meddling.so", "new");
    cr_assert_eq(rename(at("new"), at("x.so")), 0);
    expect_unloadable("bad", "SWAPPED", "was replaced since it was found");
    cr_expect_eq(umask(022), 022);
}

Test(load, a_file_cut_short_after_the_scan_does_not_kill_us)
{
    (void)put("option.so", "x.so");
    open_registry();
    cr_assert_eq(truncate(at("x.so"), 5000), 0);
    expect_unloadable("bad", "TRUNCATED", "ends behind the end of the file");
}

Test(load, a_file_written_to_after_the_scan_is_not_run)
{
    (void)put("option.so", "x.so");
    open_registry();
    forge(at("x.so"), "for tests", "for tasks");
    expect_unloadable("bad", "SWAPPED", "was replaced since it was found");
}

Test(load, a_file_that_others_may_write_to_meanwhile_is_not_run)
{
    (void)put("option.so", "x.so");
    open_registry();
    cr_assert_eq(chmod(at("x.so"), 0666), 0);
    expect_unloadable("bad", "UNTRUSTED", "mode 0666");
}

Test(load, a_file_that_is_gone_says_so)
{
    (void)put("option.so", "x.so");
    open_registry();
    (void)unlink(at("x.so"));
    expect_unloadable("bad", "OPEN", "No such file or directory");
}

Test(load, a_newer_version_under_the_name_of_a_loaded_one_is_not_mistaken_for_it)
{
    struct fl_registry *first;
    struct fl_config *config;

    (void)put("option.so", "x.so");
    open_registry();
    cr_assert_eq(use("bad"), FLAME_OK, "%s", here.err.message);
    first = here.registry;
    config = here.config;
    forge(put("option.so", "new"), "version=1.0", "version=1.1");
    cr_assert_eq(rename(at("new"), at("x.so")), 0);
    open_registry();
    expect_unloadable("bad", "SWAPPED", "an older version of it is in use");
    fl_registry_close(first);
    fl_config_free(config);
}

Test(load, options_are_checked_before_init_and_copied)
{
    const struct flame_option *const *options;

    (void)put("option.so", "x.so");
    open_registry();
    cr_assert_eq(use("bad"), FLAME_OK, "%s", here.err.message);
    options = fl_plugin_options(fl_registry_by_id(here.registry, "org.example.bad"));
    cr_assert_not_null(options[0]);
    cr_expect_null(options[1]);
    cr_expect_eq(options[0]->struct_size, sizeof(struct flame_option));
    cr_expect_str_eq(options[0]->name, "depth");
    cr_expect_str_eq(options[0]->help, "");
}

Test(load, a_wrong_option_of_the_configuration_fails_the_plugin)
{
    here.settings = "{\"plugins\": {\"org.example.bad\": {\"depth\": 10}}}";
    (void)put("option.so", "x.so");
    open_registry();
    cr_assert_eq(use("bad"), FLAME_ERR_INVALID, "%s", here.err.message);
    cr_expect_not_null(strstr(here.err.message, "depth"), "%s", here.err.message);
    cr_expect_eq(atomic_load(&here.inits), 0);
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(load, the_host_of_a_plugin_leads_back_to_it)
{
    const struct fl_plugin_host *host;
    const struct flame_plugin *table;
    struct flame_instance *instance;
    struct fl_plugin *plugin = NULL;

    open_registry();
    cr_assert_eq(find("good", &plugin), FLAME_OK);
    cr_assert_eq(fl_plugin_use(plugin, &table, &instance, &here.err), FLAME_OK);
    host = (const struct fl_plugin_host *)(const void *)instance;
    cr_expect_eq(host->table.impl, host);
    cr_expect_eq(host->core, &here);
    cr_expect_eq(host->plugin, plugin);
}
