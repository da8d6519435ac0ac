/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"
#include "messages.h"

#include <criterion/criterion.h>
#include <string.h>

#define ANY (FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION | FL_FLIGHT_KEY_APPLICATION)

static struct fl_flight_fault fault;

static void refuse(const char *text, uint32_t kinds, const char *word)
{
    struct fl_flight_key key = {.text = "untouched"};

    fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
    cr_expect_not(fl_flight_key_parse(&key, fl_flight_text(text), kinds, &fault), "'%s'", text);
    cr_expect_eq(fault.code, FL_FLIGHT_KEY);
    cr_expect(fault.why && strstr(fault.why, word), "'%s' is not in '%s'", word, fault.why);
    cr_expect_str_eq(key.text, "untouched");
}

static struct fl_flight_key parsed(const char *text)
{
    struct fl_flight_key key;

    cr_assert(fl_flight_key_parse(&key, fl_flight_text(text), ANY, &fault), "'%s'", text);
    cr_expect_str_eq(key.text, text);
    return key;
}

Test(key, two_or_three_parts_make_a_key)
{
    cr_expect_eq(parsed("app/session/object").kind, FL_FLIGHT_KEY_OBJECT);
    cr_expect_eq(parsed("app/session").kind, FL_FLIGHT_KEY_SESSION);
    cr_expect_eq(parsed("app/*").kind, FL_FLIGHT_KEY_APPLICATION);
    cr_expect_eq(parsed("a/b/c d?#%.tar.gz").kind, FL_FLIGHT_KEY_OBJECT);
    cr_expect_eq(parsed("a/b/\xc3\xa9\xf0\x9f\x94\xa5").kind, FL_FLIGHT_KEY_OBJECT);
    cr_expect_eq(parsed("a/b/*c").kind, FL_FLIGHT_KEY_OBJECT);
}

Test(key, what_the_cache_could_not_keep_is_refused)
{
    refuse("", ANY, "empty part");
    refuse("app", ANY, "<application>");
    refuse("a/b/c/d", ANY, "<application>");
    refuse("a//c", ANY, "empty part");
    refuse("/b/c", ANY, "empty part");
    refuse("a/b/", ANY, "empty part");
    refuse("a/../c", ANY, "'..'");
    refuse("a/b/x..tgz", ANY, "'..'");
    refuse("a/b/c\\d", ANY, "backslash");
    refuse("a/b/c:1", ANY, "':'");
    refuse("*/b", ANY, "wildcard");
    refuse("*/*", ANY, "wildcard");
    refuse("a/*/c", ANY, "wildcard");
    refuse("a/b/*", ANY, "wildcard");
    refuse("a/b/c\n", ANY, "control");
    refuse("a/b/c\x7f", ANY, "control");
    refuse("a/b/\xff", ANY, "utf-8");
    refuse("a/b/\xc0\xaf", ANY, "utf-8");
    refuse("a/b/\xe0\x80\xaf", ANY, "utf-8");
    refuse("a/b/\xed\xa0\x80", ANY, "utf-8");
    refuse("a/b/\xf4\x90\x80\x80", ANY, "utf-8");
    refuse("a/b/\xe2\x82", ANY, "utf-8");
}

Test(key, a_kind_that_is_not_wanted_is_refused)
{
    refuse("app/session", FL_FLIGHT_KEY_OBJECT, "a session");
    refuse("app/*", FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION, "an application");
    refuse("a/b/c", FL_FLIGHT_KEY_SESSION, "an object");
}

Test(key, the_length_is_bounded)
{
    struct fl_flight_key key;
    char text[FL_FLIGHT_KEY_MAX + 2];

    memset(text, 'x', sizeof(text));
    memcpy(text, "a/b/", 4);
    fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
    cr_expect(fl_flight_key_parse(
        &key, (struct fl_flight_bytes){(uint8_t *)text, FL_FLIGHT_KEY_MAX}, ANY, &fault));
    cr_expect_not(fl_flight_key_parse(
        &key, (struct fl_flight_bytes){(uint8_t *)text, FL_FLIGHT_KEY_MAX + 1}, ANY, &fault));
}

static bool decodes(const char *path, const char *want)
{
    struct fl_flight_key key;

    fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
    return fl_flight_key_decode(&key, path, FL_FLIGHT_KEY_OBJECT, &fault) &&
           strcmp(key.text, want) == 0;
}

static bool is_refused(const char *path)
{
    struct fl_flight_key key;

    fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
    return !fl_flight_key_decode(&key, path, ANY, &fault) && fault.code == FL_FLIGHT_KEY;
}

Test(key, a_path_is_decoded_once)
{
    cr_expect(decodes("/a/b/c", "a/b/c"));
    cr_expect(decodes("/a/b/x%20y", "a/b/x y"));
    cr_expect(decodes("/a/b/%2541", "a/b/%41"), "once, not twice");
    cr_expect(decodes("/a/b/%C3%a9", "a/b/\xc3\xa9"));
    cr_expect(is_refused("/a%2fb/c"), "an encoded '/' makes no part");
    cr_expect(is_refused("/a/b/%2e%2e"));
    cr_expect(is_refused("/a/b/c%5Cd"));
    cr_expect(is_refused("/a/b/c%3A1"));
    cr_expect(is_refused("/a/b/c%00"));
    cr_expect(is_refused("/a/b/c%"));
    cr_expect(is_refused("/a/b/c%4"));
    cr_expect(is_refused("/a/b/c%4g"));
    cr_expect(is_refused(""));
    cr_expect(is_refused("a/b/c"));
}

Test(key, what_is_encoded_decodes_to_the_key)
{
    static const char *const texts[] = {"a/b/c", "a/b/x y%?#", "a/b/\xc3\xa9", "a/b/[x]|^`{}\"<>"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct fl_flight_buffer path = {.size = 0};
        struct fl_flight_key key = parsed(texts[i]);

        cr_assert(fl_flight_key_encode(&key, &path));
        cr_assert(fl_flight_buffer_add(&path, "", 1));
        cr_expect(decodes((const char *)path.data, texts[i]), "'%s'", (const char *)path.data);
        fl_flight_buffer_done(&path);
    }
}

static bool covers(const char *text, const char *object)
{
    struct fl_flight_key key = parsed(text);

    return fl_flight_key_covers(&key, object);
}

Test(key, covers_what_the_cache_would_delete)
{
    cr_expect(covers("a/b/c", "a/b/c"));
    cr_expect_not(covers("a/b/c", "a/b/cd"));
    cr_expect_not(covers("a/b/c", "a/b"));
    cr_expect(covers("a/b", "a/b/c"));
    cr_expect_not(covers("a/b", "a/bc/d"));
    cr_expect_not(covers("a/b", "a/b"));
    cr_expect(covers("a/*", "a/b/c"));
    cr_expect(covers("a/*", "a/x/y"));
    cr_expect_not(covers("a/*", "ab/x/y"));
}

Test(ticket, says_key_and_version)
{
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_key key = parsed("a/b/c");
    uint64_t version = 7;

    cr_assert(fl_flight_ticket_write(&out, &key, UINT64_MAX));
    cr_expect(fl_flight_bytes_equal(fl_flight_buffer_view(&out), "a/b/c:18446744073709551615"));
    cr_assert(fl_flight_ticket_parse(fl_flight_buffer_view(&out), &key, &version, &fault));
    cr_expect_eq(version, UINT64_MAX);
    cr_assert(fl_flight_ticket_parse(fl_flight_text("d/e/f"), &key, &version, &fault));
    cr_expect_eq(version, 0);
    cr_expect_str_eq(key.text, "d/e/f");
    fl_flight_buffer_done(&out);
}

Test(ticket, what_is_none_is_refused)
{
    static const char *const bad[] = {
        "a/b/c:", "a/b/c:x", "a/b/c:-1", "a/b/c:1:2", "a/b/c:18446744073709551616",
        "a/b:1",  ":1",      "",         "a/b/c: 1"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fl_flight_key key = {.text = "untouched"};
        uint64_t version = 7;

        fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
        cr_expect_not(fl_flight_ticket_parse(fl_flight_text(bad[i]), &key, &version, &fault),
                      "'%s'", bad[i]);
        cr_expect(fault.code == FL_FLIGHT_KEY && version == 7);
        cr_expect_str_eq(key.text, "untouched");
    }
}

static bool names(const struct fl_flight_descriptor *descriptor, const char *want, bool *is_patch)
{
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_key key;
    bool named;

    fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
    fl_flight_write_descriptor(&out, descriptor);
    named = fl_flight_descriptor_parse(fl_flight_buffer_view(&out),
                                       FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION, &key, is_patch,
                                       &fault);
    fl_flight_buffer_done(&out);
    return named && strcmp(key.text, want) == 0;
}

static struct fl_flight_descriptor command(const char *text)
{
    return (struct fl_flight_descriptor){.type = FL_FLIGHT_DESCRIPTOR_CMD,
                                         .cmd = fl_flight_text(text)};
}

static struct fl_flight_descriptor path(const char *text, uint32_t parts)
{
    struct fl_flight_descriptor made = {.type = FL_FLIGHT_DESCRIPTOR_PATH, .paths = parts};

    for (uint32_t i = 0; i < parts; i++)
        made.path[i] = fl_flight_text(text);
    return made;
}

Test(descriptor, names_a_key_or_a_patch)
{
    struct fl_flight_descriptor upload = path("a/b/c", 1);
    struct fl_flight_descriptor unnamed = path("a/b", 1);
    struct fl_flight_descriptor patch = command("PATCH:a/b/c");
    bool is_patch = true;

    cr_expect(names(&upload, "a/b/c", &is_patch) && !is_patch);
    cr_expect(names(&unnamed, "a/b", &is_patch) && !is_patch);
    cr_expect(names(&patch, "a/b/c", &is_patch) && is_patch);
}

Test(descriptor, what_names_nothing_is_refused)
{
    struct fl_flight_descriptor bad[] = {
        path("a", 1),         path("a/b/c", 2),  path("a/b/c", 0),        command("a/b/c"),
        command("PATCH:a/b"), command("PATCH:"), command("DELETE:a/b/c"), {.type = 0},
    };
    bool is_patch;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_not(names(&bad[i], "", &is_patch), "%zu", i);
        cr_expect_eq(fault.code, FL_FLIGHT_KEY);
    }
}

Test(descriptor, what_is_written_is_named)
{
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_key key = parsed("a/b/c");
    bool is_patch;

    cr_assert(fl_flight_descriptor_write(&out, &key));
    cr_assert(fl_flight_descriptor_parse(fl_flight_buffer_view(&out), FL_FLIGHT_KEY_OBJECT, &key,
                                         &is_patch, &fault));
    cr_expect_str_eq(key.text, "a/b/c");
    fl_flight_buffer_done(&out);
}
