/* SPDX-License-Identifier: Apache-2.0 */
#include "url/url.h"

#include <criterion/criterion.h>
#include <string.h>

static uint32_t default_port(const char *text)
{
    if (strncasecmp(text, "https:", 6) == 0)
        return 443;
    return strncasecmp(text, "http:", 5) == 0 ? 80 : 0;
}

static int32_t parse(const char *text, struct fl_url *url)
{
    return fl_url_parse(text, default_port(text), url, NULL);
}

static void expect_refused(const char *const *texts)
{
    for (size_t i = 0; texts[i]; i++) {
        struct fl_url url = {0};

        cr_expect_eq(parse(texts[i], &url), FLAME_ERR_INVALID_URL, "%s -> %s", texts[i], url.text);
        fl_url_done(&url);
    }
}

struct accepted {
    const char *text;
    const char *normal;
    const char *origin;
    const char *host;
    const char *path;
    const char *query;
    const char *userinfo;
    const char *fragment;
};

static void expect_text(const char *got, const char *wanted, const char *text)
{
    if (!wanted)
        cr_expect_null(got, "%s: %s", text, got);
    else
        cr_expect(got && strcmp(got, wanted) == 0, "%s: %s instead of %s", text, got, wanted);
}

static void expect_accepted(const struct accepted *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct accepted *wanted = &cases[i];
        struct fl_url url = {0};

        cr_assert_eq(parse(wanted->text, &url), FLAME_OK, "%s", wanted->text);
        expect_text(url.text, wanted->normal, wanted->text);
        expect_text(url.origin, wanted->origin, wanted->text);
        expect_text(url.host, wanted->host, wanted->text);
        expect_text(url.path, wanted->path, wanted->text);
        expect_text(url.query, wanted->query, wanted->text);
        expect_text(url.userinfo, wanted->userinfo, wanted->text);
        expect_text(url.fragment, wanted->fragment, wanted->text);
        fl_url_done(&url);
    }
}

#define EXPECT_ACCEPTED(cases) expect_accepted(cases, sizeof(cases) / sizeof(*(cases)))

Test(url, is_split_and_normalised_once)
{
    static const struct accepted cases[] = {
        {"HTTP://Example.COM/", "http://example.com/", "http://example.com:80", "example.com", "/",
         NULL, NULL, NULL},
        {"http://h", "http://h/", "http://h:80", "h", "/", NULL, NULL, NULL},
        {"http://h:80/a", "http://h/a", "http://h:80", "h", "/a", NULL, NULL, NULL},
        {"http://h:/a", "http://h/a", "http://h:80", "h", "/a", NULL, NULL, NULL},
        {"http://h:8080/a?b=c#d", "http://h:8080/a?b=c", "http://h:8080", "h", "/a", "b=c", NULL,
         "d"},
        {"https://h:443/", "https://h/", "https://h:443", "h", "/", NULL, NULL, NULL},
        {"http://h/a/./b/../c", "http://h/a/c", "http://h:80", "h", "/a/c", NULL, NULL, NULL},
        {"http://h/../../x", "http://h/x", "http://h:80", "h", "/x", NULL, NULL, NULL},
        {"http://h/%7ea%2fb%2E", "http://h/~a%2Fb.", "http://h:80", "h", "/~a%2Fb.", NULL, NULL,
         NULL},
        {"http://h/%2e%2e/x", "http://h/x", "http://h:80", "h", "/x", NULL, NULL, NULL},
        {"http://h/%20%23%3f%25%0A", "http://h/%20%23%3F%25%0A", "http://h:80", "h",
         "/%20%23%3F%25%0A", NULL, NULL, NULL},
        {"http://h?", "http://h/?", "http://h:80", "h", "/", "", NULL, NULL},
        {"http://h/?a/../b", "http://h/?a/../b", "http://h:80", "h", "/", "a/../b", NULL, NULL},
        {"http://[::1]:8080/", "http://[::1]:8080/", "http://[::1]:8080", "::1", "/", NULL, NULL,
         NULL},
        {"http://[0:0:0::0001]/", "http://[::1]/", "http://[::1]:80", "::1", "/", NULL, NULL, NULL},
        {"http://[::ffff:102:304]/", "http://[::ffff:1.2.3.4]/", "http://[::ffff:1.2.3.4]:80",
         "::ffff:1.2.3.4", "/", NULL, NULL, NULL},
        {"http://h:0080/a/b/..", "http://h/a/", "http://h:80", "h", "/a/", NULL, NULL, NULL},
        {"http://a_b-c.0x1g/a//b/.", "http://a_b-c.0x1g/a//b/", "http://a_b-c.0x1g:80",
         "a_b-c.0x1g", "/a//b/", NULL, NULL, NULL},
        {"http://h/!$&'()*+,;=:@?/?:@#/?%7e", "http://h/!$&'()*+,;=:@?/?:@", "http://h:80", "h",
         "/!$&'()*+,;=:@", "/?:@", NULL, "/?~"},
        {"http://127.0.0.1/", "http://127.0.0.1/", "http://127.0.0.1:80", "127.0.0.1", "/", NULL,
         NULL, NULL},
    };

    EXPECT_ACCEPTED(cases);
}

Test(url, userinfo_is_a_secret_and_never_part_of_the_text)
{
    static const struct accepted cases[] = {
        {"http://u:p%40ss@h/", "http://h/", "http://h:80", "h", "/", NULL, "u:p@ss", NULL},
        {"http://a@b", "http://b/", "http://b:80", "b", "/", NULL, "a", NULL},
        {"http://@h/", "http://h/", "http://h:80", "h", "/", NULL, "", NULL},
    };

    EXPECT_ACCEPTED(cases);
}

Test(url, schemes_without_a_default_port_need_no_host)
{
    static const struct accepted cases[] = {
        {"file:///a%20b", "file:///a%20b", "file://", "", "/a%20b", NULL, NULL, NULL},
        {"file:/a", "file:/a", "file:", "", "/a", NULL, NULL, NULL},
        {"file://localhost/a", "file://localhost/a", "file://localhost", "localhost", "/a", NULL,
         NULL, NULL},
        {"data:text/plain;base64,YQ==", "data:text/plain;base64,YQ==", "data:", "",
         "text/plain;base64,YQ==", NULL, NULL, NULL},
        {"cat:a/../b", "cat:a/../b", "cat:", "", "a/../b", NULL, NULL, NULL},
        {"cat:", "cat:", "cat:", "", "", NULL, NULL, NULL},
        {"cat:a?b/../c", "cat:a?b/../c", "cat:", "", "a", "b/../c", NULL, NULL},
        {"cat://h?x", "cat://h?x", "cat://h", "h", "", "x", NULL, NULL},
        {"cat://u@h:7/", "cat://h:7/", "cat://h:7", "h", "/", NULL, "u", NULL},
        {"file:/a/../b", "file:/b", "file:", "", "/b", NULL, NULL, NULL},
    };

    EXPECT_ACCEPTED(cases);
}

Test(url, says_whether_there_is_an_authority_and_a_port)
{
    static const struct {
        const char *text;
        uint32_t default_port;
        bool has_authority;
        uint32_t port;
    } cases[] = {{"http://h/", 80, true, 80}, {"http://h:81/", 80, true, 81},
                 {"cat://h/", 0, true, 0},    {"cat://h:81/", 0, true, 81},
                 {"file:///a", 0, true, 0},   {"file:/a", 0, false, 0},
                 {"cat:a", 0, false, 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct fl_url url = {0};

        cr_assert_eq(fl_url_parse(cases[i].text, cases[i].default_port, &url, NULL), FLAME_OK);
        cr_expect_eq(url.has_authority, cases[i].has_authority, "%s", cases[i].text);
        cr_expect_eq(url.port, cases[i].port, "%s", cases[i].text);
        fl_url_done(&url);
    }
}

Test(url, refuses_paths_and_places_that_would_read_as_another_authority)
{
    static const char *const texts[] = {"cat:/.//h/a", "cat:/a/..//h", "cat://:5/a",
                                        "cat://u@/a",  "file://:/a",   NULL};

    expect_refused(texts);
}

Test(url, refuses_control_bytes_and_nul_in_userinfo)
{
    static const char *const texts[] = {
        "http://u%00@h/",   "http://u:%0a@h/",      "http://u%7F@h/",
        "http://u%1b:p@h/", "http://u\x01@h/",      "http://u:p@p@h/",
        "http://u:p/@h/",   "http://u:\xc3\xa9@h/", NULL};

    expect_refused(texts);
}

Test(url, the_scheme_is_lower_case_and_bounded)
{
    char scheme[FL_SCHEME_MAX] = "untouched";

    cr_expect_eq(fl_url_scheme("0123456789:", scheme, NULL), FLAME_ERR_INVALID_URL);
    cr_expect_eq(fl_url_scheme("a2345678901234567890123456789012:", scheme, NULL),
                 FLAME_ERR_INVALID_URL);
    cr_expect_str_eq(scheme, "untouched");
    cr_expect_eq(fl_url_scheme("A23456789012345678901234567+.-Z:", scheme, NULL), FLAME_OK);
    cr_expect_str_eq(scheme, "a23456789012345678901234567+.-z");
}

Test(url, refuses_text_that_is_no_url)
{
    static const char *const texts[] = {"",     "not-a-url", "://h/",      "1http://h/", "http",
                                        "/a/b", "//h/a",     "ht tp://h/", NULL};

    expect_refused(texts);
}

Test(url, refuses_a_network_url_without_a_host)
{
    static const char *const texts[] = {
        "http:/h/x", "http:///h", "http:h", "http:", "http://", "http://:80/", "http://u@/", NULL};

    expect_refused(texts);
}

Test(url, refuses_raw_bytes_that_rfc_3986_does_not_know)
{
    static const char *const texts[] = {"http://h/a b",
                                        "http://h/\t",
                                        "http://h/a\n",
                                        "http://h\\@b/",
                                        "http://h/\\",
                                        "http://h/\x7f",
                                        "http://h/\xc3\xa9",
                                        "http://h/<a>",
                                        "http://h/{}",
                                        "http://h/a|b",
                                        "http://h/a^b",
                                        "http://h/`",
                                        "http://h/\"",
                                        "http://h/[a]",
                                        "http://h/?[",
                                        "http://h\xc3\xa9/",
                                        "http://h%41/",
                                        "http://h%00/",
                                        "http://h/%00",
                                        "http://h/%",
                                        "http://h/%2",
                                        "http://h/%zz",
                                        "http://h/#\x01",
                                        "http://h/?\x80",
                                        NULL};

    expect_refused(texts);
}

Test(url, refuses_every_other_spelling_of_an_ipv4_address)
{
    static const char *const texts[] = {"http://2130706433/",
                                        "http://0x7f000001/",
                                        "http://127.1/",
                                        "http://0177.0.0.1/",
                                        "http://127.0.0.01/",
                                        "http://1.2.3.256/",
                                        "http://1.2.3.4.5/",
                                        "http://0x7f.0.0.1/",
                                        "http://a.0x1/",
                                        "http://host.1/",
                                        "http://127.0.0.1./",
                                        "http://0x/",
                                        NULL};

    expect_refused(texts);
}

Test(url, refuses_malformed_hosts)
{
    static const char *const texts[] = {
        "http://[::1/", "http://::1/",       "http://[::1%25eth0]/", "http://[fe80::1%eth0]/",
        "http://[]/",   "http://[1.2.3.4]/", "http://[::1]x/",       "http://a..b/",
        "http://.a/",   "http://a./",        "http://a@b@c/",        "http://a!b/",
        "http://a,b/",  "http://[v1.a]/",    "http://[::1]]/",       NULL};

    expect_refused(texts);
}

Test(url, refuses_ports_out_of_range)
{
    static const char *const texts[] = {"http://h:0/",
                                        "http://h:65536/",
                                        "http://h:99999/",
                                        "http://h:8x/",
                                        "http://h:-1/",
                                        "http://h:+80/",
                                        "http://h:99999999999999999999/",
                                        NULL};

    expect_refused(texts);
}

Test(url, refuses_more_than_eight_kib)
{
    char text[FL_URL_MAX + 2];
    struct fl_url url = {0};

    memset(text, 'a', sizeof(text));
    memcpy(text, "http://h/", 9);
    text[FL_URL_MAX + 1] = '\0';
    cr_expect_eq(parse(text, &url), FLAME_ERR_INVALID_URL);
    text[FL_URL_MAX] = '\0';
    cr_expect_eq(parse(text, &url), FLAME_OK);
    fl_url_done(&url);
    text[strlen("http://h")] = '?'; /* the path that is added makes one byte more */
    cr_expect_eq(parse(text, &url), FLAME_ERR_INVALID_URL);
}

Test(url, a_failure_leaves_the_result_untouched_and_tells_no_secret)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_url url;
    struct fl_url before;

    memset(&url, 0x5a, sizeof(url));
    memcpy(&before, &url, sizeof(url));
    cr_expect_eq(fl_url_parse("http://me:geheim@h:0/", 80, &url, &err), FLAME_ERR_INVALID_URL);
    cr_expect_eq(memcmp(&before, &url, sizeof(url)), 0);
    cr_expect_null(strstr(err.message, "geheim"));
}

Test(url, same_origin_means_scheme_host_and_port)
{
    struct fl_url a = {0};
    struct fl_url b = {0};
    static const char *const others[] = {"https://h/", "http://h:81/", "http://i/", "http://h.h/"};

    cr_assert_eq(parse("http://h/x", &a), FLAME_OK);
    cr_assert_eq(parse("HTTP://u@H:80/y", &b), FLAME_OK);
    cr_expect(fl_url_same_origin(&a, &b));
    fl_url_done(&b);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        cr_assert_eq(parse(others[i], &b), FLAME_OK);
        cr_expect_not(fl_url_same_origin(&a, &b), "%s", others[i]);
        fl_url_done(&b);
    }
    fl_url_done(&a);
}
