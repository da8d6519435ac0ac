/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and log lines never hold a secret of the task or of the configuration. */
#include "request/secret.h"

#include "config_fixture.h"

#include <flame/plugin.h>

static struct fl_task task;
static struct fl_config *config;

static void set_up(void)
{
    enter_temp_dir();
    memset(&task, 0, sizeof(task));
    config = loaded("{\"origins\": {\"https://other:443\": {\"auth.bearer\": \"configured\"}}}");
    cr_assert_eq(fl_url_parse("http://me:pass%20word@h/p?sig=abc%2Fdefgh&n=17&v=12345678", 80,
                              &task.url, NULL),
                 FLAME_OK);
}

static void tear_down(void)
{
    fl_url_done(&task.url);
    fl_config_free(config);
    leave_temp_dir();
}

TestSuite(redact, .init = set_up, .fini = tear_down);

static void expect(const char *text, const char *shown)
{
    char line[256];

    (void)snprintf(line, sizeof(line), "%s", text);
    fl_secret_redact(&task, config, line);
    cr_expect_str_eq(line, shown);
}

Test(redact, cuts_out_the_login_of_the_url_in_every_form)
{
    expect("the login me:pass word was bad", "the login *** was bad");
    expect("pass word?", "***?");
    expect("pass wordpass word", "******");
    expect("Basic bWU6cGFzcyB3b3Jk failed", "Basic *** failed");
}

Test(redact, cuts_out_values_of_the_query_in_every_form)
{
    expect("no abc%2Fdefgh here", "no *** here");
    expect("no abc/defgh here", "no *** here");
    expect("/p?sig=abc%2Fdefgh&n=17&v=12345678", "/p?***");
    expect("version 12345678", "version ***");
}

Test(redact, leaves_what_would_shred_any_text)
{
    expect("17 bytes of me", "17 bytes of me");
}

Test(redact, cuts_out_headers_and_their_credentials)
{
    static const char *const headers[] = {"Authorization", "Bearer tokentoken", "X-Key", "key-1234",
                                          NULL};

    task.said.headers = headers;
    expect("'Bearer tokentoken'", "'***'");
    expect("tokentoken", "***");
    expect("key-1234key-1234", "******");
}

Test(redact, cuts_out_secrets_and_the_forms_in_which_they_are_sent)
{
    static const char *const secrets[] = {
        FLAME_SECRET_BEARER, "bearer-1", FLAME_SECRET_PROXY, "you:open-sesame", "plugin.own",
        "its-own",           NULL};

    task.said.secrets = secrets;
    expect("bearer-1 its-own", "*** ***");
    expect("open-sesame", "***");
    expect("eW91Om9wZW4tc2VzYW1l", "***");
}

Test(redact, cuts_out_what_the_configuration_holds_for_anybody)
{
    expect("it said configured", "it said ***");
}

Test(redact, cuts_out_a_secret_that_the_end_of_the_text_cuts)
{
    static const char *const secrets[] = {FLAME_SECRET_BEARER, "abcdefghijkl", NULL};

    task.said.secrets = secrets;
    expect("answered abcdefghijk", "answered ***");
    expect("answered abcd", "answered ***");
    expect("answered abc", "answered abc");
    expect("abcd", "***");
}
