/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/manifest.h"

#include <flame/plugin.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "abi=1.0\nmin_host=0\n"
#define NAMED HEAD "id=org.example.x\nversion=1\nsummary=\n"
#define FULL NAMED "schemes=x\n"

static struct fl_manifest manifest;
static struct fl_refusal refusal;

static enum fl_reject read_text(const char *text)
{
    bool memory = false;
    enum fl_reject reject;

    refusal = (struct fl_refusal){.code = FL_ACCEPTED};
    reject = fl_manifest_read(strdup(text), &manifest, &memory, &refusal);
    cr_assert(memory);
    cr_assert_eq(refusal.code, reject);
    return reject;
}

static void done(void)
{
    fl_manifest_done(&manifest);
}

TestSuite(manifest, .fini = done);

Test(manifest, of_the_macro_is_read_whole)
{
    cr_assert_eq(read_text(FLAME_MANIFEST_("org.example.x-1.y_2", "1.0~rc1", "x:80 x+y.z-1",
                                           "Größe", 0, "http https")),
                 FL_ACCEPTED, "%s", refusal.reason);
    cr_expect_str_eq(manifest.id, "org.example.x-1.y_2");
    cr_expect_str_eq(manifest.version, "1.0~rc1");
    cr_expect_str_eq(manifest.summary, "Größe");
    cr_assert_eq(manifest.schemes.count, 2);
    cr_expect_str_eq(manifest.schemes.items[0].name, "x");
    cr_expect_eq(manifest.schemes.items[0].default_port, 80);
    cr_expect_eq(manifest.schemes.items[1].default_port, 0);
    cr_expect_eq(fl_scheme_find(&manifest.schemes, "x+y.z-1"), &manifest.schemes.items[1]);
    cr_expect_null(fl_scheme_find(&manifest.schemes, "y"));
    cr_assert_eq(manifest.redirects.count, 2);
    cr_expect_str_eq(manifest.redirects.items[1].name, "https");
}

Test(manifest, order_does_not_matter_and_newer_keys_are_skipped)
{
    cr_expect_eq(read_text("schemes=x\nnewer_key2=whatever = it is\nsummary=\nversion=1\n"
                           "id=org.example.x\nmin_host=0\nabi=1.0\n"),
                 FL_ACCEPTED, "%s", refusal.reason);
}

static void expect_each(const char *const *texts, enum fl_reject code)
{
    for (; *texts; texts++) {
        cr_expect_eq(read_text(*texts), code, "'%s': %s: %s", *texts,
                     refusal.code ? fl_reject_name(refusal.code) : "taken", refusal.reason);
        done();
    }
}

Test(manifest, with_a_malformed_line_is_refused)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        FULL "\n",
                                        FULL "x",
                                        FULL "x\n",
                                        FULL "=x\n",
                                        FULL "X=1\n",
                                        FULL " x=1\n",
                                        FULL "x-y=\n",
                                        FULL "2x=\n",
                                        FULL "id=\n",
                                        FULL "abi=1.0\n",
                                        FULL "x=\t\n",
                                        FULL "x=\r\n",
                                        FULL "x=\xff\n",
                                        FULL "x=\xe2\x80\xae\n",
                                        FULL "schemes=y\n",
                                        NULL};

    expect_each(texts, FL_REJECT_BAD_NOTE);
}

Test(manifest, without_a_key_or_with_a_value_out_of_bounds_is_refused)
{
    char version[200] = HEAD "id=org.example.x\nsummary=\nschemes=x\nversion=";
    char summary[500] = HEAD "id=org.example.x\nversion=1\nschemes=x\nsummary=";
    const char *const texts[] = {"min_host=0\nid=org.example.x\nversion=1\nsummary=\nschemes=x\n",
                                 "abi=1.0\nid=org.example.x\nversion=1\nsummary=\nschemes=x\n",
                                 HEAD "id=org.example.x\nsummary=\nschemes=x\n",
                                 HEAD "id=org.example.x\nsummary=\nschemes=x\nversion=\n",
                                 HEAD "id=org.example.x\nversion=1\nschemes=x\n",
                                 "abi=1\nmin_host=0\n",
                                 "abi=1.\nmin_host=0\n",
                                 "abi=01.0\nmin_host=0\n",
                                 "abi=1.0x\nmin_host=0\n",
                                 "abi=1.0 \nmin_host=0\n",
                                 "abi=-1.0\nmin_host=0\n",
                                 "abi=1.99999999999\nmin_host=0\n",
                                 "abi=1.0\nmin_host=\n",
                                 "abi=1.0\nmin_host=65536\n",
                                 version,
                                 summary,
                                 NULL};

    (void)snprintf(version + strlen(version), 80, "%065d\n", 1);
    (void)snprintf(summary + strlen(summary), 300, "%0257d\n", 1);
    expect_each(texts, FL_REJECT_BAD_NOTE);
}

Test(manifest, of_another_major_is_refused_before_anything_else_is_missed)
{
    static const char *const texts[] = {"abi=2.0\n", "abi=0.9\n", "abi=65535.1\nid=\n", NULL};

    expect_each(texts, FL_REJECT_ABI_MAJOR);
}

Test(manifest, that_needs_a_newer_host_is_refused)
{
    static const char *const texts[] = {"abi=1.1\nmin_host=1\n", "abi=1.0\nmin_host=65535\n", NULL};

    expect_each(texts, FL_REJECT_ABI_MINOR);
}

Test(manifest, with_an_id_that_is_no_reverse_domain_is_refused)
{
    static const char *const ids[] = {"",    "x",   "x.",    ".x",    "x..y", "x.-y", "x._y", "1.x",
                                      "x y", "x.Y", "x/y.z", "x.y/z", "../x", "x.y.", "x.é",  NULL};
    char text[200];

    for (int i = 0; ids[i]; i++) {
        (void)snprintf(text, sizeof(text), HEAD "version=1\nsummary=\nschemes=x\nid=%s\n", ids[i]);
        cr_expect_eq(read_text(text), FL_REJECT_BAD_ID, "'%s'", ids[i]);
        done();
    }
}

Test(manifest, with_an_id_of_80_bytes_is_refused_and_of_79_is_not)
{
    char text[200];

    for (int digits = 75; digits <= 76; digits++) {
        (void)snprintf(text, sizeof(text), HEAD "version=1\nsummary=\nschemes=x\nid=org.%0*d\n",
                       digits, 1);
        cr_expect_eq(read_text(text), digits == 75 ? FL_ACCEPTED : FL_REJECT_BAD_ID, "%d", digits);
        done();
    }
}

Test(manifest, with_a_malformed_scheme_is_refused)
{
    static const char *const schemes[] = {
        "",      "HTTP",  "1x",  "x_y", "x/y",       "x y ",  " x",
        "x  y",  "x x",   "x:",  "x:0", "x:65536",   "x:080", "x:80:90",
        "x:+80", "x:8 0", ":80", "x,y", "x:80 x:90", "é",     "a23456789012345678901234567890123",
        NULL};
    char text[200];

    for (int i = 0; schemes[i]; i++) {
        (void)snprintf(text, sizeof(text), NAMED "schemes=%s\n", schemes[i]);
        cr_expect_eq(read_text(text), FL_REJECT_BAD_SCHEME, "'%s'", schemes[i]);
        cr_expect_str_eq(manifest.id, "org.example.x", "a refused plugin can be named");
        done();
    }
    cr_expect_eq(read_text(NAMED), FL_REJECT_BAD_SCHEME);
}

Test(manifest, may_name_32_schemes_and_no_more)
{
    for (int count = 32; count <= 33; count++) {
        char text[400] = NAMED "schemes=s0";

        for (int i = 1; i < count; i++)
            (void)sprintf(text + strlen(text), " s%d", i);
        (void)strcat(text, "\n");
        cr_expect_eq(read_text(text), count == 32 ? FL_ACCEPTED : FL_REJECT_BAD_SCHEME);
        done();
    }
}

Test(manifest, redirects_are_schemes_without_ports)
{
    static const char *const texts[] = {FULL "redirects=http:80\n", FULL "redirects=HTTP\n",
                                        FULL "redirects=a a\n", FULL "redirects= \n", NULL};

    expect_each(texts, FL_REJECT_BAD_SCHEME);
    cr_expect_eq(read_text(FULL "redirects=\n"), FL_ACCEPTED);
    cr_expect_eq(manifest.redirects.count, 0);
}

Test(manifest, a_line_of_foreign_text_stays_one_harmless_line)
{
    cr_expect_eq(read_text(NAMED "schemes=\x1b[2J\n"), FL_REJECT_BAD_NOTE);
    cr_expect_null(strpbrk(refusal.reason, "\x1b\n"));
}
