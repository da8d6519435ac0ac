/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config_fixture.h"

#include "config/origin.h"

#define ORIGIN "https://cache.example.org:443"

TestSuite(config_origins, .init = enter_temp_dir, .fini = leave_temp_dir);

Test(config_origins, an_origin_is_scheme_host_and_port_in_lower_case)
{
    static const char *const good[] = {
        "https://host:443",         "grpc+tls://h:1",
        "http://a-b.c_d.org:65535", "http://127.0.0.1:80",
        "http://[::1]:80",          "http://[2001:db8::1]:8080",
        "http://4host.org:80",      "https://*.example.org:443",
        "https://*.local:443",      "https://xn--bcher-kva.example:443",
    };
    static const char *const bad[] = {
        "",
        "host",
        "host:443",
        "https://host",
        "https://host/",
        "https://host:443/",
        "https://host:",
        "https://host:0",
        "https://host:0443",
        "https://host:65536",
        "https://host:99999",
        "https://host:4 3",
        "https://host:-1",
        "https://:443",
        "https://Host:443",
        "HTTPS://host:443",
        "https//host:443",
        "://host:443",
        "1http://host:443",
        "https://user@host:443",
        "https://ho st:443",
        "https://host.:443",
        "https://.host:443",
        "https://a..b:443",
        "https://h\xc3\xb6st:443",
        "https://[::1:443",
        "https://[::1]",
        "https://[::G]:443",
        "https://[0:0:0:0:0:0:0:1]:443",
        "https://[]:443",
        "https://[::1]x:443",
        "https://1.2.3:80",
        "https://0177.0.0.1:80",
        "https://256.1.1.1:80",
        "https://0x7f000001:80",
        "https://2130706433:80",
        "https://*:443",
        "https://*.:443",
        "https://*example.org:443",
        "https://a.*.org:443",
        "https://*.*.org:443",
        "https://*.0.0.1:443",
        "https://*.[::1]:443",
        "*://host:443",
        "https://host:*",
        "aaaaaaaaaabbbbbbbbbbccccccccccdd://host:443",
    };
    char text[256];

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        (void)snprintf(text, sizeof(text), "{\"origins\": {\"%s\": {\"net.ip\": 4}}}", good[i]);
        fl_config_free(loaded(text));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        (void)snprintf(text, sizeof(text), "{\"origins\": {\"%s\": {}}}", bad[i]);
        cr_expect_eq(strncmp(refusal(text), "origins", 7), 0, "%s", bad[i]);
    }
}

Test(config_origins, a_host_longer_than_any_name_is_refused)
{
    char key[400];

    (void)snprintf(key, sizeof(key), "https://%0253d:443", 0);
    memset(key + 8, 'a', 253);
    cr_expect_null(fl_origin_fault(key));
    (void)snprintf(key, sizeof(key), "https://%0254d:443", 0);
    memset(key + 8, 'a', 254);
    cr_expect_not_null(fl_origin_fault(key));
}

Test(config_origins, options_are_looked_up_at_the_longest_matching_origin)
{
    struct fl_config *config =
        loaded("{\"options\": {\"net.user_agent\": \"all\"},"
               " \"origins\": {"
               "  \"https://*.org:443\": {\"net.user_agent\": \"org\", \"tls.min\": 1.3},"
               "  \"https://a.b.example.org:443\": {\"net.user_agent\": \"exact\"},"
               "  \"https://*.example.org:443\": {\"net.user_agent\": \"example\"},"
               "  \"https://*.b.example.org:443\": {\"net.user_agent\": \"b\"}}}");
    static const char *const expected[][2] = {
        {"https://a.b.example.org:443", "exact"},
        {"https://c.b.example.org:443", "b"},
        {"https://x.a.b.example.org:443", "b"},
        {"https://b.example.org:443", "example"},
        {"https://example.org:443", "org"},
        {"https://org:443", "all"},
        {"https://xb.example.org:443", "example"},
        {"https://fakeexample.org:443", "org"},
        {"https://fakeorg:443", "all"},
        {"https://a.org:8443", "all"},
        {"http://a.org:443", "all"},
        {"http://ab.org:443", "all"},
        {"grpcs://a.org:443", "all"},
        {"https://a.org:4430", "all"},
        {"https://.org:443", "all"},
    };

    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
        cr_expect_str_eq(option_at(config, expected[i][0], "net.user_agent"), expected[i][1], "%s",
                         expected[i][0]);
    cr_expect_str_eq(option_at(config, NULL, "net.user_agent"), "all");
    /* The exact origin says nothing of tls.min, so the next longest that does is asked. */
    cr_expect_str_eq(option_at(config, "https://a.b.example.org:443", "tls.min"), "1.3");
    fl_config_free(config);
}

Test(config_origins, the_order_of_lookup_is_task_host_origin_options_default)
{
    static const char *const host_options[] = {"time.stall", "4s", NULL};
    static const char *const task_options[] = {"time.stall", "5000", NULL};
    struct flame_config wish = FLAME_INIT(flame_config);
    struct fl_scope scope = {.origin = ORIGIN};
    struct fl_config *config = loaded("{\"options\": {\"time.stall\": 2}}");
    const char *source;

    cr_expect_str_eq(fl_config_option(config, &scope, "time.stall", &source), "2000");
    cr_expect_str_eq(source, in_dir(CONFIG_FILE));
    fl_config_free(config);
    config = loaded("{\"options\": {\"time.stall\": 2},"
                    " \"origins\": {\"" ORIGIN "\": {\"time.stall\": 3}}}");
    cr_expect_str_eq(fl_config_option(config, &scope, "time.stall", &source), "3000");
    cr_expect_eq(fl_config_number(config, &scope, FL_OPT_TIME_STALL), 3000);
    fl_config_free(config);
    wish.file = in_dir(CONFIG_FILE);
    wish.options = host_options;
    config = loaded_with(&wish);
    cr_expect_str_eq(fl_config_option(config, &scope, "time.stall", &source), "4000");
    cr_expect_str_eq(source, "option");
    scope.task_options = task_options;
    cr_expect_str_eq(fl_config_option(config, &scope, "time.stall", &source), "5000");
    cr_expect_str_eq(source, "task");
    fl_config_free(config);
}

Test(config_origins, an_empty_text_at_an_origin_undoes_the_shared_one)
{
    struct fl_config *config = loaded("{\"options\": {\"net.proxy\": \"http://proxy:3128\"},"
                                      " \"origins\": {\"" ORIGIN "\": {\"net.proxy\": \"\"}}}");

    cr_expect_str_eq(option_at(config, ORIGIN, "net.proxy"), "");
    cr_expect_str_eq(option_at(config, "https://other:443", "net.proxy"), "http://proxy:3128");
    fl_config_free(config);
}

Test(config_origins, the_last_of_4096_origins_is_still_found)
{
    enum { ORIGINS = 4096, KEY_SIZE = 64 };
    fl_auto_free char *text = malloc(ORIGINS * KEY_SIZE + 64);
    int used = sprintf(text, "{\"origins\":{");
    struct fl_config *config;

    for (int i = 0; i < ORIGINS; i++)
        used +=
            sprintf(text + used, "%s\"http://h%d:80\":{\"time.stall\":%d}", i ? "," : "", i, i + 1);
    (void)sprintf(text + used, "}}");
    config = loaded(text);
    cr_expect_str_eq(option_at(config, "http://h4095:80", "time.stall"), "4096000");
    fl_config_free(config);
}
