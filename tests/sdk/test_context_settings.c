/* SPDX-License-Identifier: Apache-2.0 */
/* What the context has for the task of a URL: to whom it goes, and that it is overwritten. */
#undef _FORTIFY_SOURCE /* it would hide the function that is replaced below */
#include "context_fixture.h"

#include <flame/plugin.h>

#include <stdint.h>

#define MIB (1u << 20)
#define CERT_TEXT "-----BEGIN CERTIFICATE-----\nour certificate\n"
#define KEY_TEXT "-----BEGIN PRIVATE KEY-----\nour key\n"

static int keys_wiped;
static void *volatile wiped; /* hides from the compiler that nobody may read such memory */

/* In place of the C library's, to see what it is called for. */
static void wipe(void *memory, size_t size)
{
    volatile char *bytes = memory;

    wiped = memory;
    if (size == strlen(KEY_TEXT) && memcmp(wiped, KEY_TEXT, size) == 0)
        keys_wiped++;
    while (size-- > 0)
        *bytes++ = 0;
}

void explicit_bzero(void *memory, size_t size)
{
    wipe(memory, size);
}

void __explicit_bzero_chk(void *memory, size_t size, size_t capacity);
void __explicit_bzero_chk(void *memory, size_t size, size_t capacity)
{
    (void)capacity;
    wipe(memory, size);
}

static void enter(void)
{
    enter_home();
    (void)scratch_write(&scratch, "our.pem", CERT_TEXT, strlen(CERT_TEXT));
    (void)scratch_write(&scratch, "our.key", KEY_TEXT, strlen(KEY_TEXT));
}

TestSuite(context_settings, .init = enter, .fini = leave_home);

#define CACHE SAMPLE_HEAD "  cache:\n    endpoint: grpcs://cache.example.org\n    tls:\n"
#define WITH_CA "      ca_file: /etc/flame/ca.pem\n"
#define WITH_CERT "      cert_file: our.pem\n"
#define WITH_KEY "      key_file: our.key\n"

static struct flame_settings settings_of(const struct flame_context *context, const char *url)
{
    struct flame_settings settings = FLAME_INIT(flame_settings);
    struct flame_error err = FLAME_INIT(flame_error);

    cr_assert_eq(flame_context_settings(context, url, &settings, &err), FLAME_OK, "%s",
                 err.message);
    return settings;
}

/* The value of a name in a list of names and values. */
static const char *get(const char *const *list, const char *name)
{
    for (; list && list[0]; list += 2)
        if (strcmp(list[0], name) == 0)
            return list[1];
    return NULL;
}

/* Does a task for this URL get the authorities, the certificate and the key? */
static void expect_settings(const char *yaml, const char *url, bool authorities, bool certificate)
{
    struct flame_context *context = opened(yaml);
    struct flame_settings settings = settings_of(context, url);

    cr_expect_eq(settings.options != NULL, authorities, "%s", url);
    cr_expect_eq(settings.secrets != NULL, certificate, "%s", url);
    if (authorities)
        cr_expect_str_eq(get(settings.options, FLAME_OPT_TLS_CA), "/etc/flame/ca.pem");
    if (certificate) {
        cr_expect_str_eq(get(settings.secrets, FLAME_SECRET_TLS_CERT), CERT_TEXT);
        cr_expect_str_eq(get(settings.secrets, FLAME_SECRET_TLS_KEY), KEY_TEXT);
    }
    flame_settings_done(&settings);
    cr_expect_null(settings.options);
    cr_expect_null(settings.secrets);
    flame_settings_done(&settings);
    flame_context_close(context);
}

static const char *refused_settings(const char *yaml, int32_t status)
{
    static struct flame_error err;
    struct flame_settings settings = FLAME_INIT(flame_settings);
    struct flame_context *context = opened(yaml);

    err = FLAME_INIT(flame_error);
    cr_assert_eq(
        flame_context_settings(context, "grpcs://cache.example.org/a/b/c", &settings, &err), status,
        "%d %s", err.status, err.message);
    cr_expect_null(settings.options);
    cr_expect_null(settings.secrets);
    cr_expect_null(settings.owner);
    flame_context_close(context);
    return err.message;
}

/* ---- to whom --------------------------------------------------------------------------------- */

Test(context_settings, only_flight_over_tls_gets_any)
{
    static const char *const others[] = {"grpc://cache.example.org:9090/a",
                                         "https://cache.example.org:9090/a",
                                         "file:///a",
                                         "grpcs",
                                         "",
                                         "a b",
                                         "grpcs-proxy://cache.example.org/a",
                                         "grpc+tcp://cache.example.org/a"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        expect_settings(CACHE WITH_CA WITH_CERT WITH_KEY, others[i], false, false);
    expect_settings(CACHE WITH_CA WITH_CERT WITH_KEY, "grpcs://other.example.org/a", true, true);
    expect_settings(CACHE WITH_CA WITH_CERT WITH_KEY, "grpc+tls://other.example.org/a", true, true);
    expect_settings(CACHE WITH_CA WITH_CERT WITH_KEY, "GRPCS://other.example.org/a", true, true);
}

Test(context_settings, a_context_without_tls_has_none)
{
    expect_settings(SAMPLE_HEAD, "grpcs://cache.example.org/a", false, false);
}

Test(context_settings, the_tls_of_the_cluster_is_not_the_caches)
{
    expect_settings(SAMPLE_HEAD "  cluster:\n    tls:\n" WITH_CA WITH_CERT WITH_KEY,
                    "grpcs://cache.example.org/a", false, false);
}

Test(context_settings, without_authorities_the_certificate_goes_to_the_cache_alone)
{
    static const char yaml[] = CACHE WITH_CERT WITH_KEY;

    expect_settings(yaml, "grpcs://cache.example.org/a", false, true);
    expect_settings(yaml, "grpcs://Cache.Example.org:9090/a/b?c#d", false, true);
    expect_settings(yaml, "grpcs://cache.example.org:9091/a", false, false);
    expect_settings(yaml, "grpcs://cache.example.org.evil.example/a", false, false);
    expect_settings(yaml, "grpcs://cache.example.org@evil.example/a", false, false);
    expect_settings(yaml, "grpc+tls://cache.example.org/a", false, false);
    expect_settings(yaml, "grpcs://cache.example.org\\@evil.example/a", false, false);
}

Test(context_settings, without_authorities_and_cache_the_certificate_goes_nowhere)
{
    static const char *const endpoints[] = {"", "    endpoint: 'no url'\n",
                                            "    endpoint: grpc://cache.example.org\n"};
    char yaml[512];

    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        (void)snprintf(yaml, sizeof(yaml), SAMPLE_HEAD "  cache:\n%s    tls:\n" WITH_CERT WITH_KEY,
                       endpoints[i]);
        expect_settings(yaml, "grpcs://cache.example.org/a", false, false);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

Test(context_settings, a_relative_name_is_one_of_the_working_directory)
{
    struct flame_context *context = opened(CACHE "      ca_file: sub/ca.pem\n");
    struct flame_settings settings = settings_of(context, "grpcs://cache.example.org/a");

    cr_expect_str_eq(get(settings.options, FLAME_OPT_TLS_CA), scratch_path(&scratch, "sub/ca.pem"));
    flame_settings_done(&settings);
    flame_context_close(context);
}

Test(context_settings, a_renewed_certificate_counts_for_the_next_task)
{
    struct flame_context *context = opened(CACHE WITH_CERT WITH_KEY);
    struct flame_settings settings = settings_of(context, "grpcs://cache.example.org/a");

    flame_settings_done(&settings);
    (void)scratch_write(&scratch, "our.pem", "renewed", 7);
    settings = settings_of(context, "grpcs://cache.example.org/a");
    cr_expect_str_eq(get(settings.secrets, FLAME_SECRET_TLS_CERT), "renewed");
    flame_settings_done(&settings);
    flame_context_close(context);
}

Test(context_settings, one_of_certificate_and_key_alone_is_an_error)
{
    char expected[512];

    (void)snprintf(expected, sizeof(expected),
                   "cache.tls.cert_file (%s/flame.yaml:7) is of no use without cache.tls.key_file",
                   scratch.dir);
    cr_expect_str_eq(refused_settings(CACHE WITH_CERT, FLAME_ERR_INVALID), expected);
    cr_assert_eq(setenv("FLAME_KEY_FILE", "our.key", 1), 0);
    cr_expect_str_eq(refused_settings(CACHE WITH_CA, FLAME_ERR_INVALID),
                     "cache.tls.key_file (FLAME_KEY_FILE) is of no use without "
                     "cache.tls.cert_file");
}

Test(context_settings, a_missing_file_is_named_with_its_key)
{
    char expected[512];

    (void)snprintf(expected, sizeof(expected),
                   "cache.tls.key_file (%s/flame.yaml:8): cannot read 'no.key': No such file or "
                   "directory",
                   scratch.dir);
    cr_expect_str_eq(refused_settings(CACHE WITH_CERT "      key_file: no.key\n", FLAME_ERR_IO),
                     expected);
}

Test(context_settings, a_fifo_is_refused_and_not_waited_for, .timeout = 10)
{
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    cr_expect_not_null(
        strstr(refused_settings(CACHE WITH_CERT "      key_file: pipe\n", FLAME_ERR_IO),
               "'pipe': not a regular file"));
}

Test(context_settings, a_file_without_text_is_refused)
{
    (void)scratch_write(&scratch, "our.key", "", 0);
    cr_expect_not_null(strstr(refused_settings(CACHE WITH_CERT WITH_KEY, FLAME_ERR_INVALID),
                              "'our.key' holds no text"));
    (void)scratch_write(&scratch, "our.key", "a\0b", 3);
    cr_expect_not_null(strstr(refused_settings(CACHE WITH_CERT WITH_KEY, FLAME_ERR_INVALID),
                              "'our.key' holds no text"));
}

Test(context_settings, a_file_of_one_mib_is_read_and_one_byte_more_is_not)
{
    char *text = malloc(MIB + 1);
    struct flame_context *context;
    struct flame_settings settings;

    cr_assert_not_null(text);
    memset(text, 'x', MIB + 1);
    (void)scratch_write(&scratch, "our.key", text, MIB);
    context = opened(CACHE WITH_CERT WITH_KEY);
    settings = settings_of(context, "grpcs://cache.example.org/a");
    cr_expect_eq(strlen(get(settings.secrets, FLAME_SECRET_TLS_KEY)), MIB);
    flame_settings_done(&settings);
    flame_context_close(context);
    (void)scratch_write(&scratch, "our.key", text, MIB + 1);
    cr_expect_not_null(strstr(refused_settings(CACHE WITH_CERT WITH_KEY, FLAME_ERR_LIMIT),
                              "'our.key' is larger than 1024 KiB"));
    free(text);
}

/* ---- secrets --------------------------------------------------------------------------------- */

Test(context_settings, secrets_are_overwritten)
{
    struct flame_context *context = opened(CACHE WITH_CERT WITH_KEY);
    struct flame_settings settings = settings_of(context, "grpcs://cache.example.org/a");

    cr_expect_eq(keys_wiped, 1, "the buffer that the file was read into");
    flame_settings_done(&settings);
    cr_expect_eq(keys_wiped, 2, "the secret");
    flame_context_close(context);
}

Test(context_settings, a_struct_that_was_not_initialised_is_refused)
{
    struct flame_context *context = opened(CACHE WITH_CERT WITH_KEY);
    struct flame_settings settings = {0};
    struct flame_error err = FLAME_INIT(flame_error);

    cr_expect_eq(flame_context_settings(context, "grpcs://a/b", &settings, &err),
                 FLAME_ERR_INVALID);
    settings = FLAME_INIT(flame_settings);
    cr_expect_eq(flame_context_settings(context, NULL, &settings, NULL), FLAME_ERR_INVALID);
    flame_settings_done(&settings);
    flame_settings_done(NULL);
    flame_context_close(context);
}
