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

Test(url_show, redacted_text_shows_no_secret)
{
    static const char *const cases[][2] = {
        {"http://h/p", "http://h/p"},
        {"http://u:geheim@h/p?token=geheim#geheim", "http://h/p?***"},
        {"http://u:ge@heim@h/p", "http://h/p"},
        {"http://u:ge/heim@h/p", "http://h/p"},
        {"http://u:geheim?@h/p", "http://?***"},
        {"http://u:geheim#@h/p", "http://"},
        {"http://u:1/geheim 1@h/p", "http://h/p"},
        {"http:/u:geheim@h/p", "h/p"},
        {"http:///u:geheim@h/p", "http://h/p"},
        {"http:u:geheim@h/p", "h/p"},
        {"http:\\\\u:geheim@h/p", "h/p"},
        {"http//u:geheim@h/p", "h/p"},
        {"//u:geheim@h/p", "h/p"},
        {"://u:geheim@h/p", "h/p"},
        {"geheim ://u@h/p", "h/p"},
        {" http://u:geheim@h/p?geheim", "h/p?***"},
        {"http://h:x/?a=@geheim", "http://?***"},
        {"geheim:geheim@h/p", "h/p"},
        {"geheim@h", "h"},
        {"http://geheim@h", "http://h"},
        {"http://h:80/a@b", "http://h:80/a@b"},
        {"http://h/a:b@c?geheim=@x", "http://h/a:b@c?***"},
        {"file:///a:b@c", "file:///a:b@c"},
        {"file:/a@b", "file:/a@b"},
        {"http://h/a b", "http://h/a b"},
        {"http://h/#geheim", "http://h/"},
        {"http://h/?geheim", "http://h/?***"},
        {"?geheim", "?***"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *shown = fl_url_redact(cases[i][0]);

        cr_expect_str_eq(shown, cases[i][1], "%s -> %s", cases[i][0], shown);
        free(shown);
    }
}

static void expect_name(const char *text, const char *wanted)
{
    struct fl_url url = {0};
    char *name = NULL;
    int32_t status;

    cr_assert_eq(parse(text, &url), FLAME_OK);
    status = fl_url_file_name(&url, &name, NULL);
    cr_expect_eq(status, wanted ? FLAME_OK : FLAME_ERR_UNSAFE_NAME, "%s", text);
    if (wanted && name)
        cr_expect_str_eq(name, wanted);
    free(name);
    fl_url_done(&url);
}

Test(url_show, the_last_segment_is_a_file_name_only_if_it_is_safe)
{
    expect_name("http://h/a/my%20app.tgz?x=/y", "my app.tgz");
    expect_name("http://h/%25", "%");
    expect_name("http://h/", NULL);
    expect_name("http://h/a%2Fb", NULL);
    expect_name("http://h/a%0Ab", NULL);
    expect_name("http://h/.flame-part-x", NULL);
    expect_name("file:///", NULL);
    expect_name("cat:.", NULL);
    expect_name("cat:..", NULL);
    expect_name("cat:...", "...");
    expect_name("cat:%252e%252e", "%2e%2e");
    expect_name("http://h/%2Fetc", NULL);
    expect_name("http://h/%7F", NULL);
    expect_name("http://h/%C3%A9", "\xc3\xa9");
    expect_name("http://h/.flame", ".flame");
}

Test(url_show, a_file_name_has_at_most_255_bytes)
{
    char text[512] = "http://h/";

    memset(text + 9, 'a', 255);
    expect_name(text, text + 9);
    text[9 + 255] = 'a';
    expect_name(text, NULL);
}

static void expect_decoded(const char *text, size_t size, const char *wanted)
{
    char *decoded = fl_url_decode(text, size);

    if (wanted)
        cr_expect(decoded && strcmp(decoded, wanted) == 0, "%s: %s", text, decoded);
    else
        cr_expect_null(decoded, "%s: %s", text, decoded);
    free(decoded);
}

Test(url_show, decoding_happens_once_and_never_makes_a_nul)
{
    expect_decoded("a%20b", 5, "a b");
    expect_decoded("%2541", 5, "%41");
    expect_decoded("%41%42", 5, "A%4");
    expect_decoded("%4", 2, "%4");
    expect_decoded("%zz%", 4, "%zz%");
    expect_decoded("", 0, "");
    expect_decoded("a%00b", 5, NULL);
    expect_decoded("a\0b", 3, NULL);
}
