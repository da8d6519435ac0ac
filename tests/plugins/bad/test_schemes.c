/* SPDX-License-Identifier: Apache-2.0 */
/* Who serves which scheme when several offer it. good.so offers "good", other.so "other good". */
#include "fixture.h"

TestSuite(schemes, .init = set_up, .fini = tear_down);

/* Directories "a" and "b" in that order, and no other. */
static void two_directories(void)
{
    (void)unlink(at("good.so"));
    here.plugin_dirs[0] = at("a");
    here.plugin_dirs[1] = at("b");
    cr_assert_eq(mkdir(at("a"), 0755), 0);
    cr_assert_eq(mkdir(at("b"), 0755), 0);
}

static void expect_serves(const char *scheme, const char *id)
{
    struct fl_plugin *plugin = NULL;

    cr_assert_eq(find(scheme, &plugin), FLAME_OK, "%s", here.err.message);
    cr_expect_str_eq(fl_plugin_id(plugin), id);
    cr_expect_eq(fl_registry_by_id(here.registry, id), plugin);
}

static void expect_nobody(const char *scheme, const char *reason)
{
    struct fl_plugin *plugin = NULL;

    cr_expect_eq(find(scheme, &plugin), FLAME_ERR_UNSUPPORTED);
    cr_expect_null(plugin);
    cr_expect_not_null(strstr(here.err.message, reason), "%s", here.err.message);
}

/* Taken, but without one of its schemes. */
static void expect_loss(const char *name, const char *code, const char *reason, const char *schemes)
{
    struct flame_plugin_info info = info_of(name);

    expect_code(&info, code, reason);
    cr_expect_eq(info.accepted, 1);
    cr_expect_str_eq(info.schemes, schemes);
}

static void expect_taken(const char *name, const char *schemes)
{
    struct flame_plugin_info info = info_of(name);

    cr_expect_eq(info.accepted, 1);
    cr_expect_null(info.code);
    cr_expect_null(info.reason);
    cr_expect_str_eq(info.schemes, schemes);
}

Test(schemes, a_taken_plugin_shows_its_manifest)
{
    struct flame_plugin_info info;

    open_registry();
    expect_taken("good.so", "good");
    info = info_of("good.so");
    cr_expect_str_eq(info.id, "org.example.good");
    cr_expect_str_eq(info.version, "1.0");
    cr_expect_str_eq(info.summary, "for tests");
    cr_expect_str_eq(info.tier, "in-process");
}

Test(schemes, ports_and_redirects_come_from_the_manifest)
{
    struct fl_plugin *plugin = NULL;

    (void)put("redirecting.so", "x.so");
    open_registry();
    cr_assert_eq(find("bad", &plugin), FLAME_OK);
    cr_expect_eq(fl_plugin_default_port(plugin, "bad"), 0);
    cr_expect(fl_plugin_may_redirect(plugin, "https"));
    cr_expect(fl_plugin_may_redirect(plugin, "s3"));
    cr_expect_not(fl_plugin_may_redirect(plugin, "bad"));
    cr_expect_not(fl_plugin_may_redirect(plugin, "http"));
    plugin = fl_registry_by_id(here.registry, "org.example.good");
    cr_expect_eq(fl_plugin_default_port(plugin, "good"), 70);
    cr_expect_eq(fl_plugin_default_port(plugin, "other"), 0);
}

Test(schemes, two_in_one_directory_make_that_scheme_ambiguous_and_no_other)
{
    (void)put("other.so", "other.so");
    open_registry();
    expect_nobody("good", "good.so' and by '");
    expect_nobody("good", "other.so': pin one of them");
    expect_serves("other", "org.example.other");
    expect_loss("good.so", "DUP_SCHEME", "other.so' in the same directory", "");
    expect_loss("other.so", "DUP_SCHEME", "good.so' in the same directory", "other");
}

Test(schemes, a_pin_decides_between_two_in_one_directory)
{
    here.settings = "{\"pins\": {\"good\": \"org.example.other\"}}";
    (void)put("other.so", "other.so");
    open_registry();
    expect_serves("good", "org.example.other");
    expect_loss("good.so", "DUP_SCHEME", "'good' is pinned to 'org.example.other'", "");
    expect_taken("other.so", "other good");
}

Test(schemes, a_pin_to_a_plugin_that_is_not_there_gives_the_scheme_to_nobody)
{
    here.settings = "{\"pins\": {\"good\": \"org.example.absent\"}}";
    open_registry();
    expect_nobody("good", "is pinned to 'org.example.absent', and no such plugin offers it");
}

Test(schemes, the_earlier_directory_wins)
{
    two_directories();
    (void)put("other.so", "a/other.so");
    (void)put("good.so", "b/good.so");
    open_registry();
    expect_serves("good", "org.example.other");
    expect_taken("a/other.so", "other good");
    expect_loss("b/good.so", "DUP_SCHEME", "'good' is offered earlier by '", "");
}

Test(schemes, a_pin_beats_the_earlier_directory)
{
    two_directories();
    here.settings = "{\"pins\": {\"good\": \"org.example.good\"}}";
    (void)put("other.so", "a/other.so");
    (void)put("good.so", "b/good.so");
    open_registry();
    expect_serves("good", "org.example.good");
    expect_loss("a/other.so", "DUP_SCHEME", "'good' is pinned to 'org.example.good'", "other");
    expect_taken("b/good.so", "good");
}

Test(schemes, a_later_directory_does_not_settle_a_quarrel)
{
    two_directories();
    (void)put("other.so", "a/other.so");
    (void)put("good.so", "a/good.so");
    forge(put("good.so", "b/third.so"), "org.example.good", "org.example.late");
    open_registry();
    expect_nobody("good", "pin one of them");
    expect_loss("b/third.so", "DUP_SCHEME", "'good' is offered earlier by '", "");
}

Test(schemes, a_built_in_scheme_is_not_for_others)
{
    (void)put("http.so", "http.so");
    open_registry();
    expect_nobody("http", "belongs to the plugin 'org.flame.http', which is not there");
    expect_serves("good-http", "org.example.http");
    expect_loss("http.so", "BUILTIN_SCHEME",
                "'http' belongs to 'org.flame.http' unless it is pinned", "good-http");
}

Test(schemes, a_built_in_scheme_goes_to_its_owner_from_any_directory)
{
    two_directories();
    (void)put("http.so", "a/http.so");
    (void)put("http-owner.so", "b/http.so");
    open_registry();
    expect_serves("http", "org.flame.http");
    expect_serves("https", "org.flame.http");
    expect_taken("b/http.so", "http https");
    expect_loss("a/http.so", "BUILTIN_SCHEME", "'http' belongs to", "good-http");
}

Test(schemes, a_built_in_scheme_is_replaced_by_a_pin)
{
    here.settings = "{\"pins\": {\"http\": \"org.example.http\"}}";
    (void)put("http.so", "http.so");
    (void)put("http-owner.so", "owner.so");
    open_registry();
    expect_serves("http", "org.example.http");
    expect_serves("https", "org.flame.http");
    expect_taken("http.so", "http good-http");
    expect_loss("owner.so", "DUP_SCHEME", "'http' is pinned to 'org.example.http'", "https");
}

Test(schemes, an_id_seen_before_is_shadowed)
{
    two_directories();
    (void)put("good.so", "a/good.so");
    (void)put("good.so", "b/good.so");
    open_registry();
    expect_taken("a/good.so", "good");
    expect_refused("b/good.so", "SHADOWED", "a/good.so'");
}

Test(schemes, an_id_seen_before_in_the_same_directory_is_shadowed_too)
{
    (void)put("good.so", "z.so");
    open_registry();
    expect_taken("good.so", "good");
    expect_refused("z.so", "SHADOWED", "good.so'");
}

Test(schemes, a_link_to_a_file_seen_before_is_an_alias)
{
    cr_assert_eq(symlink("good.so", at("z.so")), 0);
    cr_assert_eq(link(at("good.so"), at("zz.so")), 0);
    open_registry();
    expect_taken("good.so", "good");
    expect_refused("z.so", "ALIAS", "good.so'");
    expect_refused("zz.so", "ALIAS", "good.so'");
}

Test(schemes, a_refused_file_shadows_nobody)
{
    two_directories();
    cr_assert_eq(chmod(put("good.so", "a/good.so"), 0777), 0);
    (void)put("good.so", "b/good.so");
    open_registry();
    expect_taken("b/good.so", "good");
    expect_refused("a/good.so", "UNTRUSTED", "mode 0777");
}

Test(schemes, an_unknown_scheme_is_told_which_there_are)
{
    (void)put("http.so", "http.so");
    open_registry();
    expect_nobody("ftp", "no plugin for the scheme 'ftp' (there are: good, good-http)");
    cr_expect_null(fl_registry_by_id(here.registry, "org.example.ftp"));
}

Test(schemes, without_any_plugin_it_says_none)
{
    (void)unlink(at("good.so"));
    open_registry();
    expect_nobody("ftp", "(there are: none)");
}
