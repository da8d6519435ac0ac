/* SPDX-License-Identifier: Apache-2.0 */
/* The loader of a later version, whose tables have two members more at their tails. */
#include "fixture.h"

static int32_t answer(void)
{
    return FLAME_ERR_BUSY;
}

TestSuite(growth, .init = set_up, .fini = tear_down);

static const struct flame_plugin *table_of(const char *scheme)
{
    const struct flame_plugin *table = NULL;
    struct flame_instance *instance = NULL;
    struct fl_plugin *plugin = NULL;

    cr_assert_eq(find(scheme, &plugin), FLAME_OK, "%s", here.err.message);
    cr_assert_eq(fl_plugin_use(plugin, &table, &instance, &here.err), FLAME_OK, "%s",
                 here.err.message);
    return table;
}

Test(growth, an_older_plugin_has_zeros_where_its_table_ends)
{
    const struct flame_plugin *table;

    open_registry();
    table = table_of("good");
    cr_expect_lt(table->struct_size, sizeof(*table));
    cr_expect_null(table->grown_call);
    cr_expect_eq(table->grown_number, 0);
    cr_expect_not(FLAME_HAS(table, grown_call));
    cr_expect_eq(use("good"), FLAME_OK);
}

Test(growth, a_plugin_of_the_same_version_shows_its_whole_table)
{
    const struct flame_plugin *table;

    (void)put("grown.so", "grown.so");
    open_registry();
    table = table_of("grown");
    cr_expect_eq(table->struct_size, sizeof(*table));
    cr_expect_eq(table->grown_number, 7);
}

Test(growth, a_plugin_of_the_same_version_sees_the_whole_host)
{
    struct flame_host host = test_host;
    struct flame_error err = FLAME_INIT(flame_error);

    host.grown_call = answer;
    (void)put("grown.so", "grown.so");
    open_registry();
    fl_registry_close(here.registry);
    cr_assert_eq(fl_registry_open(here.config, "/nonexistent", &host, &here, &here.registry, &err),
                 FLAME_OK);
    cr_expect_eq(use("grown"), FLAME_ERR_BUSY);
}
