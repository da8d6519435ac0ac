/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation fails once: the answer is NO_MEMORY, nothing leaks, and the next try works. */
#include "fixture.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>

/* The linker sends the calls of this program here (--wrap). */
static atomic_long left = LONG_MAX;

static bool is_out_of_memory(void)
{
    if (atomic_fetch_sub(&left, 1) != 0)
        return false;
    errno = ENOMEM;
    return true;
}

#define WRAP(type, name, parameters, arguments)                                                    \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return is_out_of_memory() ? NULL : __real_##name arguments;                                \
    }

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *memory, size_t size), (memory, size))
WRAP(char *, strdup, (const char *text), (text))
WRAP(char *, strndup, (const char *text, size_t size), (text, size))
WRAP(char *, realpath, (const char *path, char *out), (path, out))

int __real_vasprintf(char **out, const char *format, va_list args);
int __wrap_vasprintf(char **out, const char *format, va_list args);
int __wrap_vasprintf(char **out, const char *format, va_list args)
{
    return is_out_of_memory() ? -1 : __real_vasprintf(out, format, args);
}

TestSuite(memory, .init = set_up, .fini = tear_down);

static int32_t open_with(long allocations, struct fl_registry **out)
{
    int32_t status;

    here.err = FLAME_INIT(flame_error);
    atomic_store(&left, allocations);
    status = fl_registry_open(here.config, "/nonexistent", &test_host, &here, out, &here.err);
    atomic_store(&left, LONG_MAX);
    return status;
}

Test(memory, a_scan_that_runs_out_of_it_says_so_at_every_point)
{
    int32_t status = FLAME_ERR_NO_MEMORY;
    long tried = 0;

    (void)put("other.so", "other.so");
    (void)put("redirecting.so", "redirecting.so");
    (void)put("good.so", "shadowed.so");
    cr_assert_eq(symlink("good.so", at("alias.so")), 0);
    (void)scratch_write(&here.scratch, "text.so", "text", 4);
    here.settings = "{\"pins\": {\"other\": \"org.example.absent\"}}";
    open_registry();
    for (; status == FLAME_ERR_NO_MEMORY; tried++) {
        struct fl_registry *registry = NULL;

        status = open_with(tried, &registry);
        cr_assert_eq(registry != NULL, status == FLAME_OK, "allocation %ld", tried);
        cr_assert_eq(here.err.status, status, "allocation %ld: %s", tried, here.err.message);
        fl_registry_close(registry);
    }
    cr_expect_eq(status, FLAME_OK, "%s", here.err.message);
    cr_expect_gt(tried, 50);
}

Test(memory, a_load_that_runs_out_of_it_says_so_at_every_point)
{
    int32_t status = FLAME_ERR_NO_MEMORY;
    long tried = 0;

    (void)put("option.so", "x.so");
    open_registry();
    for (; status == FLAME_ERR_NO_MEMORY; tried++) {
        struct fl_registry *registry = here.registry;

        cr_assert_eq(open_with(LONG_MAX, &here.registry), FLAME_OK);
        fl_registry_close(registry);
        atomic_store(&left, tried);
        status = use("bad");
        atomic_store(&left, LONG_MAX);
    }
    cr_expect_eq(status, FLAME_OK, "allocation %ld: %s", tried, here.err.message);
    cr_expect_gt(tried, 5);
}
