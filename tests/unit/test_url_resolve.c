/* SPDX-License-Identifier: Apache-2.0 */
#include "url/url.h"

#include <criterion/criterion.h>
#include <string.h>

static uint32_t default_port(const char *text)
{
    return strncasecmp(text, "http:", 5) == 0 ? 80 : 0;
}

static int32_t parse(const char *text, struct fl_url *url)
{
    return fl_url_parse(text, default_port(text), url, NULL);
}

static void expect_resolved(const char *base_text, const char *const (*cases)[2], size_t count)
{
    struct fl_url base = {0};

    cr_assert_eq(parse(base_text, &base), FLAME_OK);
    for (size_t i = 0; i < count; i++) {
        struct fl_url url = {0};
        char *text = NULL;

        cr_assert_eq(fl_url_resolve(&base, cases[i][0], &text, NULL), FLAME_OK);
        cr_assert_eq(parse(text, &url), FLAME_OK, "%s", text);
        cr_expect_str_eq(url.text, cases[i][1], "%s: %s", cases[i][0], url.text);
        fl_url_done(&url);
        free(text);
    }
    fl_url_done(&base);
}

Test(url_resolve, references_resolve_as_in_rfc_3986_5_4)
{
    static const char *const cases[][2] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"https://o/x", "https://o/x"},
        {"HTTP://O/x", "http://o/x"},
    };

    expect_resolved("http://a/b/c/d;p?q", cases, sizeof(cases) / sizeof(*cases));
}

Test(url_resolve, a_reference_keeps_the_bases_port_and_loses_its_userinfo)
{
    static const char *const cases[][2] = {{"/x", "http://h:81/x"}, {"y", "http://h:81/y"}};

    expect_resolved("http://u:p@h:81", cases, 2);
}

Test(url_resolve, bases_without_a_host_serve_too)
{
    static const char *const file[][2] = {{"../c", "file:///c"},
                                          {"/c", "file:///c"},
                                          {"//localhost/c", "file://localhost/c"},
                                          {"?q", "file:///a/b?q"}};
    static const char *const opaque[][2] = {
        {"d", "cat:b/d"}, {"/d", "cat:/d"}, {"?q", "cat:b/c?q"}, {"", "cat:b/c?x"}};
    static const char *const empty[][2] = {{"d", "cat://h/d"}, {"?q", "cat://h?q"}};

    expect_resolved("file:///a/b", file, 4);
    expect_resolved("cat:b/c?x", opaque, 4);
    expect_resolved("cat://h", empty, 2);
}

Test(url_resolve, a_colon_in_the_first_segment_ends_a_scheme_or_is_refused)
{
    static const char *const references[] = {"http://h/waytoolongtobetakenforascheme:x",
                                             "waytoolongtobetakenforascheme123://h/x", "1a:b", ":b",
                                             "a b:c"};
    struct fl_url base = {0};
    char *text = NULL;

    cr_assert_eq(parse("http://h/", &base), FLAME_OK);
    for (size_t i = 1; i < sizeof(references) / sizeof(*references); i++)
        cr_expect_eq(fl_url_resolve(&base, references[i], &text, NULL), FLAME_ERR_INVALID_URL, "%s",
                     references[i]);
    cr_expect_null(text);
    cr_expect_eq(fl_url_resolve(&base, references[0], &text, NULL), FLAME_OK);
    cr_expect_str_eq(text, references[0]);
    free(text);
    fl_url_done(&base);
}

Test(url_resolve, what_a_peer_may_not_say_is_refused_when_it_is_parsed)
{
    static const char *const references[] = {"/a\r\nX: y", "a b",     "http:x", "///x",
                                             "//h:0/",     "//1.2/x", "/%00",   "\\\\h\\x"};
    struct fl_url base = {0};

    cr_assert_eq(parse("http://h/", &base), FLAME_OK);
    for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
        struct fl_url url = {0};
        char *text = NULL;

        cr_assert_eq(fl_url_resolve(&base, references[i], &text, NULL), FLAME_OK);
        cr_expect_eq(parse(text, &url), FLAME_ERR_INVALID_URL, "%s", text);
        free(text);
    }
    fl_url_done(&base);
}

Test(url_resolve, refuses_a_reference_of_more_than_eight_kib)
{
    char reference[FL_URL_MAX + 2];
    struct fl_url base = {0};
    char *text = NULL;

    cr_assert_eq(parse("http://h/", &base), FLAME_OK);
    memset(reference, 'a', sizeof(reference));
    reference[FL_URL_MAX + 1] = '\0';
    cr_expect_eq(fl_url_resolve(&base, reference, &text, NULL), FLAME_ERR_INVALID_URL);
    cr_expect_null(text);
    fl_url_done(&base);
}
