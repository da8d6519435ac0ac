/* SPDX-License-Identifier: Apache-2.0 */
/* A home of one's own without FLAME_* variables, and contexts from a text in one line. */
#ifndef CONTEXT_FIXTURE_H
#define CONTEXT_FIXTURE_H

#include "scratch.h"

#include <flame/context.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLE_HEAD "current-context: home\ncontexts:\n- name: home\n"

static struct scratch scratch;

static inline void enter_home(void)
{
    static const char *const variables[] = {
#define FLAME_ROW_(name, path, kind, variable, fallback, help) variable,
        FLAME_CONTEXT_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    };

    scratch_open(&scratch);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        if (variables[i])
            cr_assert_eq(unsetenv(variables[i]), 0);
    cr_assert_eq(setenv("HOME", scratch.dir, 1), 0);
    cr_assert_eq(chdir(scratch.dir), 0);
}

static inline void leave_home(void)
{
    cr_assert_eq(chdir("/"), 0);
    scratch_close(&scratch);
}

static inline struct flame_context *opened_with(const struct flame_context_config *config)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_context *context = NULL;

    cr_assert_eq(flame_context_open(config, &context, &err), FLAME_OK, "%s", err.message);
    return context;
}

/* The context that such a file makes; it is called flame.yaml. */
static inline struct flame_context *opened(const char *text)
{
    struct flame_context_config config = FLAME_INIT(flame_context_config);

    config.file = scratch_write(&scratch, "flame.yaml", text, strlen(text));
    return opened_with(&config);
}

/* What opening such a file says; the file's name and the colon are cut off where they are there. */
static inline const char *refused_bytes(const void *bytes, size_t size, int32_t status)
{
    static struct flame_error err;
    struct flame_context_config config = FLAME_INIT(flame_context_config);
    struct flame_context *context = NULL;
    size_t prefix;

    err = FLAME_INIT(flame_error);
    config.file = scratch_write(&scratch, "flame.yaml", bytes, size);
    cr_assert_eq(flame_context_open(&config, &context, &err), status, "%.120s: %d %s",
                 (const char *)bytes, err.status, err.message);
    cr_assert_null(context);
    cr_assert_eq(err.status, status);
    cr_assert_null(strpbrk(err.message, "\n\r\x1b"));
    prefix = strlen(config.file);
    cr_assert_not_null(strstr(err.message, config.file), "%s", err.message);
    return strncmp(err.message, config.file, prefix) == 0 ? err.message + prefix + 1 : err.message;
}

static inline const char *refused(const char *text)
{
    return refused_bytes(text, strlen(text), FLAME_ERR_INVALID);
}

static inline struct flame_context_value value_of(const struct flame_context *context, uint32_t key)
{
    struct flame_context_value value = FLAME_INIT(flame_context_value);

    flame_context_get(context, key, &value);
    return value;
}

#define is_text(context, key, text)                                                                \
    cr_expect_str_eq(flame_context_text(context, FLAME_CONTEXT_##key), text)
#define is_unset(context, key)                                                                     \
    do {                                                                                           \
        struct flame_context_value unset_ = value_of(context, FLAME_CONTEXT_##key);                \
                                                                                                   \
        cr_expect_null(unset_.value);                                                              \
        cr_expect_null(unset_.values);                                                             \
        cr_expect_null(unset_.source);                                                             \
    } while (0)

/* The source is "line N of the file" or just so. */
#define comes_from_line(context, key, line)                                                        \
    do {                                                                                           \
        char source_[512];                                                                         \
                                                                                                   \
        (void)snprintf(source_, sizeof(source_), "%s/flame.yaml:%d", scratch.dir, line);           \
        cr_expect_str_eq(value_of(context, FLAME_CONTEXT_##key).source, source_);                  \
    } while (0)
#define comes_from(context, key, source_)                                                          \
    cr_expect_str_eq(value_of(context, FLAME_CONTEXT_##key).source, source_)

#endif
