/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config_fixture.h"

#define PAGE FLAME_SOURCE_DIR "/docs/configuration.md"

static char page[64 << 10];

static void open_page(void)
{
    FILE *file = fopen(PAGE, "rb");
    size_t size;

    enter_temp_dir();
    cr_assert_not_null(file, "cannot open " PAGE);
    size = fread(page, 1, sizeof(page), file);
    cr_assert_lt(size, sizeof(page));
    page[size] = '\0';
    (void)fclose(file);
}

TestSuite(config_docs, .init = open_page, .fini = leave_temp_dir);

/* Append text as code of a Markdown table: quoted, its bars escaped; nothing for NULL. */
static void append_code(char *row, const char *text)
{
    size_t used = strlen(row);

    if (!text)
        return;
    row[used++] = '`';
    for (; *text; text++) {
        if (*text == '|')
            row[used++] = '\\';
        row[used++] = *text;
    }
    row[used++] = '`';
    row[used] = '\0';
}

Test(config_docs, every_option_has_its_row_with_kind_default_and_range)
{
    static const char *const kinds[] = {"text",     "whole number", "switch", "size",
                                        "duration", "choice",       "file"};

    for (const struct flame_option *const *option = fl_options(); *option; option++) {
        char row[1024];

        (void)snprintf(row, sizeof(row), "\n| `%s` | %s | ", (*option)->name,
                       kinds[(*option)->type]);
        append_code(row, (*option)->value);
        (void)strcat(row, " | ");
        append_code(row, (*option)->range);
        (void)strcat(strcat(strcat(row, " | "), (*option)->help), " |\n");
        cr_expect_not_null(strstr(page, row), "docs/configuration.md lacks the row:%s", row);
    }
}

Test(config_docs, every_secret_has_its_row)
{
#define FL_ROW_(name, help)                                                                        \
    cr_expect_not_null(strstr(page, "\n| `" name "` | " help " |\n"), "no row for " name);
    FLAME_SHARED_SECRET_TABLE(FL_ROW_)
#undef FL_ROW_
}

/* Options have a dot in their name; what else is in code at the start of a row has none. */
Test(config_docs, nothing_is_listed_that_does_not_exist)
{
    const char *row = page;

    while ((row = strstr(row, "\n| `"))) {
        char name[64] = "";

        row += strlen("\n| `");
        (void)sscanf(row, "%63[^`]", name);
        if (strchr(name, '.') && !strchr(name, '/'))
            cr_expect(fl_is_secret(name) || fl_option_find(fl_options(), name), "%s", name);
    }
}

/* Copy the example with another directory for its secret files. */
static void copy_example(char *text, size_t capacity)
{
    static const char etc[] = "@/etc/flame";
    const char *start = strstr(page, "```json\n");
    const char *end = start ? strstr(start, "\n```\n") : NULL;
    size_t used = 0;

    cr_assert_not_null(end);
    for (start += strlen("```json\n"); start < end; start++) {
        if (strncmp(start, etc, strlen(etc)) == 0) {
            used += (size_t)snprintf(text + used, capacity - used, "@%s", dir);
            start += strlen(etc);
        }
        cr_assert_lt(used + 1, capacity);
        text[used++] = *start;
    }
    text[used] = '\0';
}

Test(config_docs, the_example_is_a_configuration_and_does_what_the_page_says)
{
    const char *origin = "https://cache.example.org:443";
    const char *proxy = "http://proxy.example.org:3128";
    struct fl_config *config;
    char text[4096];

    write_text("token", 0600, "the token\n");
    write_text("proxy-password", 0600, "user:password\n");
    copy_example(text, sizeof(text));
    config = loaded(text);
    cr_expect_str_eq(fl_config_secret(config, origin, "auth.bearer"), "the token");
    cr_expect_str_eq(fl_config_secret(config, proxy, "net.proxy_auth"), "user:password");
    cr_expect_str_eq(option_at(config, origin, "net.proxy"), proxy);
    cr_expect_str_eq(option_at(config, "https://a.internal.example.org:443", "net.proxy"), "");
    fl_config_free(config);
}
