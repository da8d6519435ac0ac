/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config_fixture.h"

#define ORIGIN "https://cache.example.org:443"
#define PASSWORD "hunter2-hunter2"

/* In place of the C library's, in both of its names: how often were bytes with the password
 * overwritten? */
static unsigned wiped;

static void wipe(char *bytes, size_t size)
{
    wiped += memmem(bytes, size, PASSWORD, strlen(PASSWORD)) != NULL;
    for (size_t i = 0; i < size; i++)
        ((volatile char *)bytes)[i] = 0;
}

/* The C library declares that its function only writes; the compiler must not hold ours to it. */
static void (*volatile const hidden_wipe)(char *bytes, size_t size) = wipe;

void explicit_bzero(void *memory, size_t size)
{
    hidden_wipe(memory, size);
}

void __explicit_bzero_chk(void *memory, size_t size, size_t capacity);
void __explicit_bzero_chk(void *memory, size_t size, size_t capacity)
{
    (void)capacity;
    hidden_wipe(memory, size);
}

TestSuite(config_secrets, .init = enter_temp_dir, .fini = leave_temp_dir);

static const char *with_secret(const char *value)
{
    static char text[1024];

    (void)snprintf(text, sizeof(text), "{\"origins\": {\"" ORIGIN "\": {\"auth.bearer\": %s}}}",
                   value);
    return text;
}

static const char *with_secret_file(const char *name)
{
    char value[600];

    (void)snprintf(value, sizeof(value), "\"@%s\"", in_dir(name));
    return with_secret(value);
}

static int32_t status_of(const char *text, struct flame_error *err)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct fl_config *config;
    int32_t status;

    write_text(CONFIG_FILE, 0600, text);
    wish.file = in_dir(CONFIG_FILE);
    status = try_load(&wish, &config, err);
    fl_config_free(config);
    return status;
}

Test(config_secrets, every_secret_may_stand_at_an_exact_origin)
{
    struct fl_config *config;
    const char *other = "https://other.example.org:443";

#define FL_ROW_(name, help) "\"" name "\": \"value of " name "\","
    config = loaded("{\"origins\": {\"" ORIGIN
                    "\": {" FLAME_SHARED_SECRET_TABLE(FL_ROW_) "\"net.ip\": 4}}}");
#undef FL_ROW_
#define FL_ROW_(name, help)                                                                        \
    cr_expect_str_eq(fl_config_secret(config, ORIGIN, name), "value of " name);                    \
    cr_expect_null(fl_config_secret(config, other, name));                                         \
    cr_expect_null(option_at(config, ORIGIN, name));
    FLAME_SHARED_SECRET_TABLE(FL_ROW_)
#undef FL_ROW_
    cr_expect_null(fl_config_secret(config, ORIGIN, "net.ip"));
    fl_config_free(config);
}

Test(config_secrets, a_secret_is_for_its_very_origin_only)
{
    static const char *const others[] = {
        "http://cache.example.org:443",
        "https://cache.example.org:8443",
        "https://example.org:443",
        "https://x.cache.example.org:443",
        "https://cache.example.org:44",
        "https://cache.example.org",
        "",
    };
    struct fl_config *config = loaded(with_secret("\"token\""));

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        cr_expect_null(fl_config_secret(config, others[i], "auth.bearer"), "%s", others[i]);
    fl_config_free(config);
}

Test(config_secrets, a_pattern_of_origins_cannot_hold_one)
{
    cr_expect_str_eq(
        refusal("{\"origins\": {\"https://*.example.org:443\": {\"auth.bearer\": \"" PASSWORD
                "\"}}}"),
        "origins.https://*.example.org:443.auth.bearer: a secret needs an exact origin, not a "
        "pattern");
}

Test(config_secrets, none_may_stand_anywhere_else_and_none_is_repeated)
{
    const char *message = refusal("{\"options\": {\"auth.bearer\": \"" PASSWORD "\"}}");

    cr_expect_str_eq(message, "options.auth.bearer: is a secret: it may stand below one of the "
                              "origins only");
    message = refusal("{\"plugins\": {\"a.b\": {\"auth.bearer\": \"" PASSWORD "\"}}}");
    cr_expect_null(strstr(message, PASSWORD));
}

Test(config_secrets, a_syntax_error_beside_one_does_not_repeat_it)
{
    static const char *const texts[] = {
        "{\"auth.bearer\": \"" PASSWORD,
        "{\"auth.bearer\": " PASSWORD "}",
        "{\"auth.bearer\": \"" PASSWORD "\" \"" PASSWORD "\"}",
        "{\"auth.bearer\": \"" PASSWORD "\n\"}",
        "{\"auth.bearer\": \"" PASSWORD "\xff\"}",
        "{\"auth.bearer\": \"x\"} \"" PASSWORD "\"",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        cr_expect_null(strstr(refusal(texts[i]), "hunter2"));
}

Test(config_secrets, a_file_with_a_literal_secret_must_not_be_readable_by_others)
{
    static const mode_t modes[] = {0640, 0604, 0644, 0444};
    struct flame_config wish = FLAME_INIT(flame_config);

    wish.file = in_dir(CONFIG_FILE);
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        struct flame_error err;
        struct fl_config *config;

        write_text(CONFIG_FILE, 0600, with_secret("\"" PASSWORD "\""));
        cr_assert_eq(chmod(CONFIG_FILE, modes[i]), 0);
        cr_expect_eq(try_load(&wish, &config, &err), FLAME_ERR_INVALID, "%o", modes[i]);
        cr_expect_not_null(strstr(err.message, "chmod 600"), "%s", err.message);
        cr_expect_null(strstr(err.message, PASSWORD));
        cr_assert_eq(chmod(CONFIG_FILE, 0600), 0);
    }
    fl_config_free(loaded(with_secret("\"" PASSWORD "\"")));
}

Test(config_secrets, a_file_that_only_names_secret_files_may_be_readable)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct fl_config *config;

    write_text("token", 0600, "token\n");
    write_text(CONFIG_FILE, 0644, with_secret_file("token"));
    wish.file = in_dir(CONFIG_FILE);
    config = loaded_with(&wish);
    cr_expect_str_eq(fl_config_secret(config, ORIGIN, "auth.bearer"), "token");
    fl_config_free(config);
}

Test(config_secrets, one_trailing_line_end_of_a_file_is_removed)
{
    static const char *const samples[][2] = {
        {"token", "token"},
        {"token\n", "token"},
        {"token\r\n", "token"},
        {"token\n\n", "token\n"},
        {"token\r", "token\r"},
        {"a\nb\n", "a\nb"},
        {"token\r\n\r\n", "token\r\n"},
        {" token ", " token "},
        {"@/etc/passwd", "@/etc/passwd"},
    };

    for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
        struct fl_config *config;

        write_text("token", 0600, samples[i][0]);
        config = loaded(with_secret_file("token"));
        cr_expect_str_eq(fl_config_secret(config, ORIGIN, "auth.bearer"), samples[i][1]);
        fl_config_free(config);
    }
}

/* Orchestrators mount secrets as links that they can swap. */
Test(config_secrets, a_link_to_a_file_is_followed)
{
    struct fl_config *config;

    write_text("token", 0600, "token");
    cr_assert_eq(symlink("token", "link"), 0);
    config = loaded(with_secret_file("link"));
    cr_expect_str_eq(fl_config_secret(config, ORIGIN, "auth.bearer"), "token");
    fl_config_free(config);
}

Test(config_secrets, a_file_that_cannot_be_read_is_named_with_its_key)
{
    struct flame_error err;
    char expected[700];

    cr_expect_eq(status_of(with_secret_file("missing"), &err), FLAME_ERR_IO);
    (void)snprintf(expected, sizeof(expected),
                   "%s: origins." ORIGIN
                   ".auth.bearer: cannot read '%s': No such file or directory",
                   in_dir(CONFIG_FILE), in_dir("missing"));
    cr_expect_str_eq(err.message, expected);
    cr_expect_eq(err.errno_code, ENOENT);
    cr_expect_eq(status_of(with_secret_file("."), &err), FLAME_ERR_IO);
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    cr_expect_eq(status_of(with_secret_file("fifo"), &err), FLAME_ERR_IO);
    cr_expect_eq(status_of(with_secret("\"@/dev/zero\""), &err), FLAME_ERR_IO);
}

Test(config_secrets, values_that_are_no_secret_are_refused)
{
    static const char *const values[] = {"\"\"", "\"@\"", "\"@relative\"", "\"@~/token\"",
                                         "1",    "true",  "null",          "[]"};
    struct flame_error err;

    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        cr_expect_eq(status_of(with_secret(values[i]), &err), FLAME_ERR_INVALID, "%s", values[i]);
    write_text("token", 0600, "\r\n");
    cr_expect_eq(status_of(with_secret_file("token"), &err), FLAME_ERR_INVALID);
    cr_expect_not_null(strstr(err.message, "the secret is empty"));
    write_bytes("token", 0600, "to\0ken", 6);
    cr_expect_eq(status_of(with_secret_file("token"), &err), FLAME_ERR_INVALID);
    cr_expect_not_null(strstr(err.message, "zero byte"));
    cr_expect_null(strstr(err.message, "to\\x00"));
}

Test(config_secrets, a_secret_file_is_bounded_to_1_MiB)
{
    size_t size = (1u << 20) + 1;
    fl_auto_free char *bytes = malloc(size);
    struct fl_config *config;
    struct flame_error err;

    cr_assert_not_null(bytes);
    memset(bytes, 'x', size);
    write_bytes("token", 0600, bytes, size - 1);
    config = loaded(with_secret_file("token"));
    cr_expect_eq(strlen(fl_config_secret(config, ORIGIN, "auth.bearer")), size - 1);
    fl_config_free(config);
    write_bytes("token", 0600, bytes, size);
    cr_expect_eq(status_of(with_secret_file("token"), &err), FLAME_ERR_INVALID);
    cr_expect_not_null(strstr(err.message, "is larger than 1 MiB"));
}

Test(config_secrets, every_copy_is_overwritten_when_it_is_no_longer_needed)
{
    struct fl_config *config = loaded(with_secret("\"" PASSWORD "\""));

    cr_expect_eq(wiped, 3, "the file's bytes, the JSON's string, the copy on its way");
    wiped = 0;
    fl_config_free(config);
    cr_expect_eq(wiped, 1, "the configuration's own");
    wiped = 0;
    write_text("token", 0600, PASSWORD);
    config = loaded(with_secret_file("token"));
    cr_expect_eq(wiped, 2, "the file's bytes, the copy on its way");
    fl_config_free(config);
    cr_expect_eq(wiped, 3);
}

Test(config_secrets, a_refused_file_is_overwritten_too)
{
    (void)refusal("{\"options\": {\"auth.bearer\": \"" PASSWORD "\"}}");
    cr_expect_eq(wiped, 2, "the file's bytes, the JSON's string");
    wiped = 0;
    (void)refusal("{\"options\": [\"" PASSWORD "\"]}");
    cr_expect_eq(wiped, 2);
}
