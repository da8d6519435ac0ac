/* SPDX-License-Identifier: Apache-2.0 */
/* docs/context.md and the code say the same. */
#include "context/document.h"

#include <flame/context.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE FLAME_SOURCE_DIR "/docs/context.md"

static char page[64 << 10];

static void read_page(void)
{
    FILE *file = fopen(PAGE, "rb");
    size_t size;

    cr_assert_not_null(file, "cannot open " PAGE);
    size = fread(page, 1, sizeof(page), file);
    cr_assert_lt(size, sizeof(page));
    page[size] = '\0';
    (void)fclose(file);
}

TestSuite(context_docs, .init = read_page);

static void append_code(char *row, const char *text)
{
    if (text)
        (void)strcat(strcat(strcat(row, "`"), text), "`");
}

static void expect_row(const char *path, const char *kind, const char *variable,
                       const char *fallback, const char *help)
{
    char row[1024];

    (void)snprintf(row, sizeof(row), "\n| `%s` | %s | ", path, kind);
    append_code(row, variable);
    (void)strcat(row, " | ");
    append_code(row, fallback);
    (void)strcat(strcat(strcat(row, " | "), help), " |\n");
    cr_expect_not_null(strstr(page, row), "docs/context.md lacks the row:%s", row);
}

#define WORD_TEXT "text"
#define WORD_FILE "file"
#define WORD_LIST "list"

Test(context_docs, every_key_has_its_row)
{
#define FLAME_ROW_(name, path, kind, variable, fallback, help)                                     \
    expect_row(path, WORD_##kind, variable, fallback, help);
    FLAME_CONTEXT_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
}

static int is_key(const char *path)
{
#define FLAME_ROW_(name, path_, kind, variable, fallback, help)                                    \
    if (strcmp(path, path_) == 0)                                                                  \
        return 1;
    FLAME_CONTEXT_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    return 0;
}

Test(context_docs, no_row_is_of_a_key_that_does_not_exist)
{
    const char *row = strstr(page, "\n| key |");
    const char *end = row ? strstr(row, "\n\n") : NULL;
    int rows = 0;

    cr_assert_not_null(end);
    while ((row = strstr(row, "\n| `")) && row < end) {
        char path[64] = "";

        row += strlen("\n| `");
        (void)sscanf(row, "%63[^`]", path);
        cr_expect(is_key(path), "%s", path);
        rows++;
    }
    cr_expect_eq(rows, FLAME_CONTEXT_KEY_COUNT);
}

static void expect_bound(const char *what, size_t bound)
{
    char row[128];

    (void)snprintf(row, sizeof(row), "\n| %s | %zu", what, bound);
    cr_expect_not_null(strstr(page, row), "docs/context.md lacks:%s", row);
}

Test(context_docs, every_bound_is_told)
{
    expect_bound("KiB of the file", FL_DOCUMENT_MAX >> 10);
    expect_bound("levels of nesting", FL_DOCUMENT_DEPTH);
    expect_bound("anchors", FL_DOCUMENT_ANCHORS);
    expect_bound("aliases", FL_DOCUMENT_ALIASES);
    expect_bound("contexts, and patterns of one list", FL_DOCUMENT_ITEMS);
}

Test(context_docs, the_default_cache_of_flamepy_is_told)
{
    cr_expect_not_null(strstr(page, "`" FLAME_CONTEXT_DEFAULT_CACHE "`"));
}

/* The first block of YAML on the page, as a file. */
static const char *write_example(void)
{
    static char path[] = "/tmp/flame-context-XXXXXX";
    const char *start = strstr(page, "```yaml\n");
    const char *end = start ? strstr(start, "\n```\n") : NULL;
    int fd = mkstemp(path);

    cr_assert_not_null(end);
    cr_assert_geq(fd, 0);
    start += strlen("```yaml\n");
    cr_assert_eq(write(fd, start, (size_t)(end - start)), end - start);
    cr_assert_eq(close(fd), 0);
    return path;
}

Test(context_docs, the_example_sets_every_key)
{
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context = NULL;

    config.file = write_example();
    config.flags = FLAME_CONTEXT_NO_ENVIRONMENT;
    cr_assert_eq(flame_context_open(&config, &context, &err), FLAME_OK, "%s", err.message);
    for (uint32_t key = 0; key < FLAME_CONTEXT_KEY_COUNT; key++) {
        struct flame_context_value value = FLAME_INIT(flame_context_value);

        flame_context_get(context, key, &value);
        cr_expect(value.source && strstr(value.source, config.file), "%s", value.name);
    }
    flame_context_close(context);
    (void)unlink(config.file);
}
