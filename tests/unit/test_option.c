/* SPDX-License-Identifier: Apache-2.0 */
#include "config/option.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OFF "18446744073709551615"

struct sample {
    uint32_t type;
    const char *range;
    const char *text;
    const char *canonical; /* NULL = refused */
};

static int32_t canonical(const struct sample *sample, char **out, struct flame_error *err)
{
    const struct flame_option option = {
        .struct_size = sizeof(option),
        .type = sample->type,
        .name = "sample",
        .range = sample->range,
    };

    *err = FLAME_INIT(flame_error);
    *out = NULL;
    return fl_option_canonical(&option, sample->text, out, err);
}

static void expect(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sample *sample = &samples[i];
        struct flame_error err;
        fl_auto_free char *value = NULL;
        int32_t status = canonical(sample, &value, &err);

        cr_expect_eq(status, sample->canonical ? FLAME_OK : FLAME_ERR_INVALID, "'%s' in '%s': %s",
                     sample->text, sample->range ? sample->range : "", err.message);
        if (!sample->canonical)
            cr_expect(!value && strncmp(err.message, "option 'sample': ", 17) == 0, "'%s': %s",
                      sample->text, err.message);
        else if (value)
            cr_expect_str_eq(value, sample->canonical, "'%s'", sample->text);
    }
}

#define EXPECT(samples) expect(samples, sizeof(samples) / sizeof(*(samples)))

Test(option, a_duration_becomes_milliseconds)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_DURATION, NULL, "30s", "30000"},
        {FLAME_OPTION_DURATION, NULL, "500ms", "500"},
        {FLAME_OPTION_DURATION, NULL, "2m", "120000"},
        {FLAME_OPTION_DURATION, NULL, "1h", "3600000"},
        {FLAME_OPTION_DURATION, NULL, "7", "7000"},
        {FLAME_OPTION_DURATION, NULL, "0", "0"},
        {FLAME_OPTION_DURATION, NULL, "1.5", "1500"},
        {FLAME_OPTION_DURATION, NULL, "0.25s", "250"},
        {FLAME_OPTION_DURATION, NULL, "1.5h", "5400000"},
        {FLAME_OPTION_DURATION, NULL, "0.000001h", NULL}, /* 3.6 us: no whole millisecond */
        {FLAME_OPTION_DURATION, NULL, "0.5ms", NULL},
        {FLAME_OPTION_DURATION, NULL, "1.s", NULL},
        {FLAME_OPTION_DURATION, NULL, ".5s", NULL},
        {FLAME_OPTION_DURATION, NULL, "1.0000000s", NULL},
        {FLAME_OPTION_DURATION, NULL, "1.5.5", NULL},
        {FLAME_OPTION_DURATION, NULL, "-1s", NULL},
        {FLAME_OPTION_DURATION, NULL, "+1s", NULL},
        {FLAME_OPTION_DURATION, NULL, " 1s", NULL},
        {FLAME_OPTION_DURATION, NULL, "1s ", NULL},
        {FLAME_OPTION_DURATION, NULL, "1 s", NULL},
        {FLAME_OPTION_DURATION, NULL, "1S", NULL},
        {FLAME_OPTION_DURATION, NULL, "1d", NULL},
        {FLAME_OPTION_DURATION, NULL, "s", NULL},
        {FLAME_OPTION_DURATION, NULL, "", NULL},
        {FLAME_OPTION_DURATION, NULL, "1e3", NULL},
        {FLAME_OPTION_DURATION, NULL, "9223372036854775807h", NULL},
        {FLAME_OPTION_DURATION, NULL, "99999999999999999999", NULL},
    };

    EXPECT(samples);
}

Test(option, a_size_becomes_bytes)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_SIZE, NULL, "64k", "65536"},
        {FLAME_OPTION_SIZE, NULL, "64K", "65536"},
        {FLAME_OPTION_SIZE, NULL, "3m", "3145728"},
        {FLAME_OPTION_SIZE, NULL, "1G", "1073741824"},
        {FLAME_OPTION_SIZE, NULL, "1T", "1099511627776"},
        {FLAME_OPTION_SIZE, NULL, "8191P", "9222246136947933184"},
        {FLAME_OPTION_SIZE, NULL, "8192P", NULL},
        {FLAME_OPTION_SIZE, NULL, "123", "123"},
        {FLAME_OPTION_SIZE, NULL, "0", "0"},
        {FLAME_OPTION_SIZE, NULL, "1.5k", NULL},
        {FLAME_OPTION_SIZE, NULL, "1kB", NULL},
        {FLAME_OPTION_SIZE, NULL, "-1", NULL},
        {FLAME_OPTION_SIZE, NULL, "0x10", NULL},
        {FLAME_OPTION_SIZE, NULL, "k", NULL},
        {FLAME_OPTION_SIZE, NULL, "", NULL},
    };

    EXPECT(samples);
}

Test(option, a_number_outside_its_range_is_refused)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_INTEGER, "0..100", "0", "0"},
        {FLAME_OPTION_INTEGER, "0..100", "100", "100"},
        {FLAME_OPTION_INTEGER, "0..100", "007", "7"},
        {FLAME_OPTION_INTEGER, "0..100", "101", NULL},
        {FLAME_OPTION_INTEGER, "0..100", "-1", NULL},
        {FLAME_OPTION_INTEGER, "-5..5", "-5", "-5"},
        {FLAME_OPTION_INTEGER, "-5..5", "-6", NULL},
        {FLAME_OPTION_INTEGER, "0..100", "1k", NULL},
        {FLAME_OPTION_INTEGER, "0..100", "1.0", NULL},
        {FLAME_OPTION_INTEGER, "0..100", "--1", NULL},
        {FLAME_OPTION_SIZE, "1k..1M", "1k", "1024"},
        {FLAME_OPTION_SIZE, "1k..1M", "1023", NULL},
        {FLAME_OPTION_SIZE, "1k..1M", "1048577", NULL},
        {FLAME_OPTION_DURATION, "1ms..1h", "1ms", "1"},
        {FLAME_OPTION_DURATION, "1ms..1h", "0", NULL},
        {FLAME_OPTION_DURATION, "1ms..1h", "3601s", NULL},
    };

    EXPECT(samples);
}

Test(option, off_is_a_value_only_where_the_range_says_so)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_DURATION, "1ms..1h|off", "off", OFF},
        {FLAME_OPTION_DURATION, "1ms..1h|off", "1h", "3600000"},
        {FLAME_OPTION_DURATION, "1ms..1h|off", "Off", NULL},
        {FLAME_OPTION_SIZE, "1..1T|off", "off", OFF},
        {FLAME_OPTION_INTEGER, "0..100|off", "off", OFF},
        {FLAME_OPTION_INTEGER, "0..100|off", OFF, NULL},
        {FLAME_OPTION_INTEGER, "0..100", "off", NULL},
        {FLAME_OPTION_INTEGER, NULL, "off", NULL},
    };

    EXPECT(samples);
}

Test(option, a_range_that_cannot_be_read_is_an_error_and_no_licence)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_INTEGER, "1", "1", NULL},
        {FLAME_OPTION_INTEGER, "..", "1", NULL},
        {FLAME_OPTION_INTEGER, "1..", "1", NULL},
        {FLAME_OPTION_INTEGER, "a..b", "1", NULL},
        {FLAME_OPTION_INTEGER, "0..5|on", "1", NULL},
        {FLAME_OPTION_INTEGER, "0..00000000000000000000000000000000000000009", "1", NULL},
    };

    EXPECT(samples);
}

Test(option, a_switch_has_eight_spellings)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_SWITCH, NULL, "yes", "1"},  {FLAME_OPTION_SWITCH, NULL, "no", "0"},
        {FLAME_OPTION_SWITCH, NULL, "true", "1"}, {FLAME_OPTION_SWITCH, NULL, "false", "0"},
        {FLAME_OPTION_SWITCH, NULL, "on", "1"},   {FLAME_OPTION_SWITCH, NULL, "off", "0"},
        {FLAME_OPTION_SWITCH, NULL, "1", "1"},    {FLAME_OPTION_SWITCH, NULL, "0", "0"},
        {FLAME_OPTION_SWITCH, NULL, "", NULL},    {FLAME_OPTION_SWITCH, NULL, "YES", NULL},
        {FLAME_OPTION_SWITCH, NULL, "2", NULL},   {FLAME_OPTION_SWITCH, NULL, "maybe", NULL},
    };

    EXPECT(samples);
}

Test(option, a_choice_is_one_whole_word_of_its_range)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_CHOICE, "full|file|none", "full", "full"},
        {FLAME_OPTION_CHOICE, "full|file|none", "none", "none"},
        {FLAME_OPTION_CHOICE, "full|file|none", "fil", NULL},
        {FLAME_OPTION_CHOICE, "full|file|none", "files", NULL},
        {FLAME_OPTION_CHOICE, "full|file|none", "full|file", NULL},
        {FLAME_OPTION_CHOICE, "full|file|none", "", NULL},
        {FLAME_OPTION_CHOICE, NULL, "full", NULL},
    };

    EXPECT(samples);
}

Test(option, a_file_is_an_absolute_path)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_FILE, NULL, "/etc/ssl/ca.pem", "/etc/ssl/ca.pem"},
        {FLAME_OPTION_FILE, NULL, "ca.pem", NULL},
        {FLAME_OPTION_FILE, NULL, "./ca.pem", NULL},
        {FLAME_OPTION_FILE, NULL, "~/ca.pem", NULL},
        {FLAME_OPTION_FILE, NULL, "", NULL},
    };

    EXPECT(samples);
}

Test(option, a_text_has_no_control_characters)
{
    static const struct sample samples[] = {
        {FLAME_OPTION_TEXT, NULL, "flame-fetch", "flame-fetch"},
        {FLAME_OPTION_TEXT, NULL, "", ""},
        {FLAME_OPTION_TEXT, NULL, "Zürich", "Zürich"},
        {FLAME_OPTION_TEXT, NULL, "a\r\nX-Evil: 1", NULL},
        {FLAME_OPTION_TEXT, NULL, "a\x7f", NULL},
        {4711, NULL, "a type of the future is text", "a type of the future is text"},
    };

    EXPECT(samples);
}

Test(option, a_secret_is_never_an_option)
{
    static const struct sample sample = {FLAME_OPTION_SECRET, NULL, "hunter2", NULL};
    struct flame_error err;
    char *value;

    cr_assert_eq(canonical(&sample, &value, &err), FLAME_ERR_INVALID);
    cr_assert_null(strstr(err.message, "hunter2"));
}

Test(option, a_password_in_the_proxy_is_refused_and_not_repeated)
{
    const struct flame_option *proxy = fl_option_find(fl_options(), "net.proxy");
    struct flame_error err = FLAME_INIT(flame_error);
    char *value = NULL;

    cr_assert_eq(fl_option_canonical(proxy, "http://u:hunter2@proxy:3128", &value, &err),
                 FLAME_ERR_INVALID);
    cr_assert_null(value);
    cr_assert_null(strstr(err.message, "hunter2"));
    cr_assert_not_null(strstr(err.message, "net.proxy_auth"));
}

Test(option, a_message_says_what_would_be_right)
{
    const struct flame_option *option = fl_option_find(fl_options(), "tls.min");
    struct flame_error err = FLAME_INIT(flame_error);
    char *value;

    cr_assert_eq(fl_option_canonical(option, "1.4", &value, &err), FLAME_ERR_INVALID);
    cr_assert_str_eq(err.message, "option 'tls.min': must be 1.2|1.3, not '1.4'");
}

Test(option, the_table_has_every_option_once_and_in_order)
{
    const struct flame_option *const *options = fl_options();
    static const char *const names[] = {
#define FL_ROW_(macro, name, type, value, range, help) name,
        FL_CORE_OPTION_TABLE(FL_ROW_)
#undef FL_ROW_
#define FL_ROW_(name, type, value, range, help) name,
            FLAME_SHARED_OPTION_TABLE(FL_ROW_)
#undef FL_ROW_
    };
    size_t count = sizeof(names) / sizeof(*names);

    for (size_t i = 0; i < count; i++) {
        cr_assert_not_null(options[i]);
        cr_assert_str_eq(options[i]->name, names[i]);
        cr_assert_eq(fl_option_find(options, names[i]), options[i], "%s is there twice", names[i]);
    }
    cr_assert_null(options[count]);
}

Test(option, every_default_is_a_value_that_we_would_accept)
{
    for (const struct flame_option *const *option = fl_options(); *option; option++) {
        struct flame_error err = FLAME_INIT(flame_error);
        fl_auto_free char *value = NULL;

        if ((*option)->value)
            cr_expect_eq(fl_option_canonical(*option, (*option)->value, &value, &err), FLAME_OK,
                         "%s", err.message);
    }
}

Test(option, every_numeric_range_can_be_read)
{
    for (const struct flame_option *const *option = fl_options(); *option; option++) {
        struct flame_error err = FLAME_INIT(flame_error);
        fl_auto_free char *value = NULL;
        bool numeric = (*option)->type == FLAME_OPTION_INTEGER ||
                       (*option)->type == FLAME_OPTION_SIZE ||
                       (*option)->type == FLAME_OPTION_DURATION;

        if (numeric && fl_option_canonical(*option, "nonsense", &value, &err) != FLAME_OK)
            cr_expect_null(strstr(err.message, "cannot be read"), "%s", err.message);
    }
}

Test(option, core_options_are_found_by_their_number)
{
#define FL_ROW_(macro, text, ...) cr_expect_str_eq(fl_core_option(FL_OPT_##macro)->name, text);
    FL_CORE_OPTION_TABLE(FL_ROW_)
#undef FL_ROW_
}

Test(option, nothing_is_found_in_no_table)
{
    static const struct flame_option *const empty[] = {NULL};

    cr_assert_null(fl_option_find(NULL, "tls.ca"));
    cr_assert_null(fl_option_find(empty, "tls.ca"));
    cr_assert_null(fl_option_find(fl_options(), "tls.c"));
    cr_assert_null(fl_option_find(fl_options(), "tls.ca2"));
}

Test(option, secrets_are_known_by_name_and_are_no_options)
{
#define FL_ROW_(name, help)                                                                        \
    cr_expect(fl_is_secret(name), "%s", name);                                                     \
    cr_expect_null(fl_option_find(fl_options(), name), "%s", name);
    FLAME_SHARED_SECRET_TABLE(FL_ROW_)
#undef FL_ROW_
    cr_expect_not(fl_is_secret("tls.ca"));
    cr_expect_not(fl_is_secret("auth.beare"));
    cr_expect_not(fl_is_secret(""));
}

Test(option, off_is_larger_than_every_number)
{
    cr_assert_eq(fl_option_number(OFF), UINT64_MAX);
    cr_assert_eq(fl_option_number("30000"), 30000);
}
