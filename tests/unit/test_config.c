/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config_fixture.h"

#define ORIGIN "https://cache.example.org:443"

TestSuite(config, .init = enter_temp_dir, .fini = leave_temp_dir);

/* A text around `inner`, and what loading it says. */
static const char *refusal_in(const char *before, const char *inner, const char *after)
{
    char text[1024];

    (void)snprintf(text, sizeof(text), "%s%s%s", before, inner, after);
    return refusal(text);
}

#define EXPECT_REFUSAL(text, message) cr_expect_str_eq(refusal(text), message)

Test(config, without_any_file_the_defaults_hold)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct fl_config *config;
    const char *source = NULL;

    wish.file = "";
    config = loaded_with(&wish);
    cr_expect_str_eq(fl_config_option(config, NULL, "time.connect", &source), "30000");
    cr_expect_str_eq(source, "default");
    cr_expect_eq(fl_config_number(config, NULL, FL_OPT_TIME_TOTAL), UINT64_MAX);
    cr_expect_eq(fl_config_number(config, NULL, FL_OPT_LIMIT_BYTES), 16ull << 30);
    cr_expect_eq(fl_config_number(config, NULL, FL_OPT_ADDRESS_LOOPBACK), 1);
    cr_expect_null(fl_config_option(config, NULL, "tls.ca", NULL));
    cr_expect_null(fl_config_option(config, NULL, "no.such", NULL));
    cr_expect_null(fl_config_pin(config, "http"));
    cr_expect_null(fl_config_plugin_dirs(config)[0]);
    fl_config_free(config);
}

Test(config, a_whole_file_is_understood)
{
    struct fl_config *config =
        loaded("{\"plugin_path\": [\"/opt/a\", \"/opt/b\"],"
               " \"pins\": {\"data\": \"org.example.data\"},"
               " \"options\": {\"time.stall\": \"10s\", \"tls.ca\": \"/etc/ca.pem\"},"
               " \"origins\": {\"" ORIGIN "\": {\"auth.bearer\": \"token\", \"tls.min\": \"1.3\"}},"
               " \"plugins\": {\"org.example.data\": {\"depth\": \"3\"}}}");
    const char *source = NULL;

    cr_expect_str_eq(fl_config_plugin_dirs(config)[0], "/opt/a");
    cr_expect_str_eq(fl_config_plugin_dirs(config)[1], "/opt/b");
    cr_expect_null(fl_config_plugin_dirs(config)[2]);
    cr_expect_str_eq(fl_config_pin(config, "data"), "org.example.data");
    cr_expect_str_eq(fl_config_option(config, NULL, "time.stall", &source), "10000");
    cr_expect_str_eq(source, in_dir(CONFIG_FILE));
    cr_expect_str_eq(option_at(config, NULL, "tls.ca"), "/etc/ca.pem");
    cr_expect_str_eq(option_at(config, ORIGIN, "tls.min"), "1.3");
    cr_expect_str_eq(option_at(config, NULL, "tls.min"), "1.2");
    cr_expect_str_eq(fl_config_secret(config, ORIGIN, "auth.bearer"), "token");
    fl_config_free(config);
}

Test(config, json_numbers_and_booleans_are_values)
{
    struct fl_config *config =
        loaded("{\"options\": {\"time.stall\": 12, \"time.connect\": 0.5, \"limit.bytes\": 4096,"
               " \"tls.min\": 1.3, \"net.ip\": 4, \"tls.verify\": false,"
               " \"address.private\": true, \"limit.redirects\": 7,"
               " \"time.total\": 1.1}}");

    cr_expect_str_eq(option_at(config, NULL, "time.stall"), "12000");
    cr_expect_str_eq(option_at(config, NULL, "time.connect"), "500");
    cr_expect_str_eq(option_at(config, NULL, "limit.bytes"), "4096");
    cr_expect_str_eq(option_at(config, NULL, "tls.min"), "1.3");
    cr_expect_str_eq(option_at(config, NULL, "net.ip"), "4");
    cr_expect_str_eq(option_at(config, NULL, "tls.verify"), "0");
    cr_expect_str_eq(option_at(config, NULL, "address.private"), "1");
    cr_expect_eq(fl_config_number(config, NULL, FL_OPT_LIMIT_REDIRECTS), 7);
    cr_expect_str_eq(option_at(config, NULL, "time.total"), "1100");
    fl_config_free(config);
}

Test(config, unknown_keys_are_refused_at_every_level)
{
    EXPECT_REFUSAL("{\"option\": {}}", "option: there is no such key");
    EXPECT_REFUSAL("{\"\": {}}", ": there is no such key");
    EXPECT_REFUSAL("{\"options\": {\"tls.caa\": \"/x\"}}",
                   "options.tls.caa: there is no such option");
    EXPECT_REFUSAL("{\"options\": {\"depth\": 1}}",
                   "options.depth: there is no such option; a plugin's own stand below "
                   "plugins.<id>");
    EXPECT_REFUSAL("{\"origins\": {\"" ORIGIN "\": {\"tls.caa\": \"/x\"}}}",
                   "origins." ORIGIN ".tls.caa: there is no such option");
}

Test(config, a_bad_value_is_named_with_file_and_path)
{
    EXPECT_REFUSAL("{\"options\": {\"tls.min\": \"1.1\"}}",
                   "options.tls.min: must be 1.2|1.3, not '1.1'");
    EXPECT_REFUSAL("{\"options\": {\"tls.ca\": \"ca.pem\"}}",
                   "options.tls.ca: must be an absolute path, not 'ca.pem'");
    EXPECT_REFUSAL("{\"options\": {\"time.stall\": -1}}",
                   "options.time.stall: must be a duration such as 500ms, 30s or 2m, not '-1'");
    EXPECT_REFUSAL("{\"options\": {\"time.connect\": \"2h\"}}",
                   "options.time.connect: must be 1ms..1h|off, not '2h'");
    EXPECT_REFUSAL("{\"origins\": {\"" ORIGIN "\": {\"tls.verify\": \"perhaps\"}}}",
                   "origins." ORIGIN ".tls.verify: must be yes or no, not 'perhaps'");
}

Test(config, wrong_json_types_are_refused)
{
    static const char *const values[] = {"null", "[]", "{}", "[\"1.3\"]"};
    static const char *const others[] = {"null", "1", "true", "\"x\"", "[]"};

    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        cr_expect_str_eq(refusal_in("{\"options\": {\"tls.min\": ", values[i], "}}"),
                         "options.tls.min: must be a string, a number, true or false");
        cr_expect_str_eq(refusal_in("{\"plugins\": {\"a.b\": {\"x\": ", values[i], "}}}"),
                         "plugins.a.b.x: must be a string, a number, true or false");
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        cr_expect_str_eq(refusal_in("{\"options\": ", others[i], "}"),
                         "options: must be an object");
        cr_expect_str_eq(refusal_in("{\"pins\": ", others[i], "}"), "pins: must be an object");
        cr_expect_str_eq(refusal_in("{\"origins\": {\"" ORIGIN "\": ", others[i], "}}"),
                         "origins." ORIGIN ": must be an object");
        cr_expect_str_eq(refusal_in("{\"plugins\": {\"a.b\": ", others[i], "}}"),
                         "plugins.a.b: must be an object");
    }
    EXPECT_REFUSAL("[]", "must be one JSON object");
    EXPECT_REFUSAL("{\"plugin_path\": \"/opt\"}", "plugin_path: must be an array");
    EXPECT_REFUSAL("{\"plugin_path\": {}}", "plugin_path: must be an array");
    EXPECT_REFUSAL("{\"plugin_path\": [\"/opt\", 1]}",
                   "plugin_path: must hold absolute paths only");
    EXPECT_REFUSAL("{\"plugin_path\": [\"opt\"]}", "plugin_path: must hold absolute paths only");
    EXPECT_REFUSAL("{\"plugin_path\": [\"\"]}", "plugin_path: must hold absolute paths only");
}

Test(config, pins_and_plugin_ids_have_a_shape)
{
    static const char *const pin = "must be the id of a plugin, such as \"org.example.data\"";
    static const char *const schemes[] = {"HTTP", "1a", "", "a:b", "a b"};
    char expected[128];

    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        (void)snprintf(expected, sizeof(expected), "pins%s%s: is no scheme in lower case",
                       schemes[i][0] ? "." : "", schemes[i]);
        cr_expect_str_eq(refusal_in("{\"pins\": {\"", schemes[i], "\": \"a.b\"}}"), expected);
    }
    (void)snprintf(expected, sizeof(expected), "pins.data: %s", pin);
    cr_expect_str_eq(refusal("{\"pins\": {\"data\": 1}}"), expected);
    cr_expect_str_eq(refusal("{\"pins\": {\"data\": \"../x\"}}"), expected);
    cr_expect_str_eq(refusal("{\"pins\": {\"data\": \"nodot\"}}"), expected);
    EXPECT_REFUSAL("{\"plugins\": {\"no dot\": {}}}", "plugins.no dot: is no id of a plugin");
    EXPECT_REFUSAL("{\"plugins\": {\"a.b\": {\"tls.ca\": \"/x\"}}}",
                   "plugins.a.b.tls.ca: is no option of a plugin; shared ones stand below options");
    EXPECT_REFUSAL("{\"plugins\": {\"a.b\": {\"Depth\": 1}}}",
                   "plugins.a.b.Depth: is no name of an option");
    EXPECT_REFUSAL("{\"plugins\": {\"a.b\": {\"\": 1}}}", "plugins.a.b: is no name of an option");
}

static void expect_syntax_error(const char *text, const char *line, const char *reason)
{
    const char *message = refusal(text);
    const char *colon = strchr(message, ':');

    cr_expect_eq(strncmp(message, line, strlen(line)), 0, "%s", message);
    cr_assert_not_null(colon);
    cr_expect_str_eq(colon + 2, reason);
}

Test(config, a_syntax_error_is_named_with_its_line)
{
    expect_syntax_error("{\n\n  \"options\": {,}\n}\n", "line 3, column 15", "not JSON");
    expect_syntax_error("{}\nx", "line 2, ", "something follows the closing brace");
    expect_syntax_error("{\"a\":\n99999999999999999999}", "line 2, ", "a number that is too large");
    expect_syntax_error("{\"a\":\n\"\xff\"}", "line 2, ", "not UTF-8");
    expect_syntax_error("{\"a\":\n\"\\u0000\"}", "line 2, ", "a zero byte");
    expect_syntax_error("{\"a\\u0000\":1}", "line 1, ", "a zero byte");
    expect_syntax_error("", "line 1, ", "ends too early");
}

Test(config, a_key_said_twice_is_refused_at_every_level)
{
    static const char *const texts[] = {
        "{\"options\": {}, \"options\": {}}",
        "{\"options\": {\"tls.min\": \"1.2\", \"tls.min\": \"1.3\"}}",
        "{\"origins\": {\"" ORIGIN "\": {}, \"" ORIGIN "\": {}}}",
        "{\"plugins\": {\"a.b\": {\"x\": 1, \"x\": 1}}}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const char *message = refusal(texts[i]);

        cr_expect_eq(strncmp(message, "line 1, ", 8), 0, "%s", message);
        cr_expect_not_null(strstr(message, ": the same key twice"), "%s", message);
    }
}

Test(config, every_truncation_of_a_file_is_refused)
{
    const char *text =
        "{\"plugin_path\":[\"/a\"],\"options\":{\"tls.min\":1.3,\"tls.verify\":true},"
        "\"origins\":{\"" ORIGIN "\":{\"net.ip\":\"\\u0034\"}}}";
    struct fl_config *config = loaded(text);

    cr_expect_str_eq(option_at(config, ORIGIN, "net.ip"), "4");
    fl_config_free(config);
    for (size_t size = 0; size < strlen(text); size++)
        cr_expect_eq(strncmp(refusal_of_bytes(text, size), "line 1, ", 8), 0);
}

Test(config, deep_nesting_is_refused_and_survived)
{
    size_t size = 500000;
    fl_auto_free char *text = malloc(size);

    cr_assert_not_null(text);
    memset(text, '[', size);
    cr_expect_not_null(strstr(refusal_of_bytes(text, size), "nested too deeply"));
    for (size_t i = 0; i + 5 <= size; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    cr_expect_not_null(strstr(refusal_of_bytes(text, size), "nested too deeply"));
    memset(text, '[', 2000);
    memset(text + 2000, ']', 2000);
    cr_expect_str_eq(refusal_of_bytes(text, 4000), "must be one JSON object");
}

Test(config, a_file_over_1_MiB_is_refused)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct flame_error err;
    struct fl_config *config;
    size_t size = 10u << 20;
    fl_auto_free char *text = malloc(size);

    cr_assert_not_null(text);
    memset(text, ' ', size);
    text[0] = '{', text[1] = '}';
    write_bytes(CONFIG_FILE, 0600, text, 1u << 20);
    wish.file = in_dir(CONFIG_FILE);
    fl_config_free(loaded_with(&wish));
    for (size_t too_large = (1u << 20) + 1; too_large <= size; too_large += size - (1u << 20) - 1) {
        write_bytes(CONFIG_FILE, 0600, text, too_large);
        cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_INVALID);
        cr_expect_not_null(strstr(err.message, "is larger than 1 MiB"), "%s", err.message);
    }
}

Test(config, an_object_with_too_many_keys_is_refused)
{
    enum { KEYS = 4097, KEY_SIZE = 32 };
    fl_auto_free char *text = malloc(KEYS * KEY_SIZE + 64);
    int used = sprintf(text, "{\"pins\":{");

    for (int i = 0; i < KEYS; i++)
        used += sprintf(text + used, "%s\"s%d\":\"a.b\"", i ? "," : "", i);
    (void)sprintf(text + used, "}}");
    cr_expect_str_eq(refusal(text), "pins: has more than 4096 entries");
}

Test(config, hostile_keys_cannot_crowd_out_the_reason)
{
    enum { KEY_SIZE = 100000 };
    fl_auto_free char *text = malloc(KEY_SIZE + 64);

    (void)strcpy(text, "{\"options\":{\"");
    memset(text + 13, 'a', KEY_SIZE);
    (void)strcpy(text + 13 + KEY_SIZE, ".b\":1}}");
    cr_expect_not_null(strstr(refusal(text), ": there is no such option"));
    EXPECT_REFUSAL("{\"options\": {\"a.\\u001b[31m\": 1}}",
                   "options.a.\\x1b[31m: there is no such option");
}
