/* SPDX-License-Identifier: Apache-2.0 */
/* Criterion's macros, as far as the tests here use them, for tools that its own runner does not get
 * along with: ThreadSanitizer (whose address layout leaves no room for Criterion's arena) and
 * valgrind. Each test still runs in a process of its own, by fork(). Only one of a program's files
 * may include it. */
#ifndef FL_INPROCESS_CRITERION_H
#define FL_INPROCESS_CRITERION_H

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct shim_test {
    const char *suite;
    const char *name;
    void (*body)(void);
    void (*init)(void);
    void (*fini)(void);
    double timeout;
    int signal;
    int exit_code;
    int disabled;
    const char *description;
    struct shim_test *next;
};

static struct shim_test *shim_tests;
static struct shim_test *shim_suites; /* what TestSuite() says for the tests of a suite */
static int shim_failures;

__attribute__((format(printf, 5, 6))) static inline void
shim_failed(int is_fatal, const char *file, int line, const char *what, const char *format, ...)
{
    va_list args;

    (void)fprintf(stderr, "%s:%d: not so: %s ", file, line, what);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    shim_failures++;
    if (is_fatal)
        exit(1);
}

#define Test(suite_, name_, ...)                                                                   \
    static void suite_##_##name_##_body(void);                                                     \
    static struct shim_test suite_##_##name_ = {                                                   \
        .suite = #suite_, .name = #name_, .body = suite_##_##name_##_body, __VA_ARGS__};           \
    __attribute__((constructor)) static void suite_##_##name_##_add(void)                          \
    {                                                                                              \
        suite_##_##name_.next = shim_tests;                                                        \
        shim_tests = &suite_##_##name_;                                                            \
    }                                                                                              \
    static void suite_##_##name_##_body(void)

#define TestSuite(suite_, ...)                                                                     \
    static struct shim_test suite_##_suite = {.suite = #suite_, __VA_ARGS__};                      \
    __attribute__((constructor)) static void suite_##_suite_add(void)                              \
    {                                                                                              \
        suite_##_suite.next = shim_suites;                                                         \
        shim_suites = &suite_##_suite;                                                             \
    }                                                                                              \
    static struct shim_test suite_##_suite

/* An assertion without a message has an empty one. */
#pragma GCC diagnostic ignored "-Wformat-zero-length"

#define SHIM_IF(fatal, ok, text, ...)                                                              \
    do {                                                                                           \
        if (!(ok))                                                                                 \
            shim_failed(fatal, __FILE__, __LINE__, text, "" __VA_ARGS__);                          \
    } while (0)

#define cr_assert(c, ...) SHIM_IF(1, c, #c, ##__VA_ARGS__)
#define cr_expect(c, ...) SHIM_IF(0, c, #c, ##__VA_ARGS__)
#define cr_assert_not(c, ...) SHIM_IF(1, !(c), "!" #c, ##__VA_ARGS__)
#define cr_expect_not(c, ...) SHIM_IF(0, !(c), "!" #c, ##__VA_ARGS__)
#define cr_assert_fail(...) SHIM_IF(1, 0, "reached", ##__VA_ARGS__)
#define cr_fatal(...) SHIM_IF(1, 0, "reached", ##__VA_ARGS__)
#define cr_fail(...) SHIM_IF(0, 0, "reached", ##__VA_ARGS__)
#define cr_expect_fail(...) SHIM_IF(0, 0, "reached", ##__VA_ARGS__)

#define cr_assert_eq(a, b, ...) SHIM_IF(1, (a) == (b), #a " == " #b, ##__VA_ARGS__)
#define cr_expect_eq(a, b, ...) SHIM_IF(0, (a) == (b), #a " == " #b, ##__VA_ARGS__)
#define cr_assert_neq(a, b, ...) SHIM_IF(1, (a) != (b), #a " != " #b, ##__VA_ARGS__)
#define cr_expect_neq(a, b, ...) SHIM_IF(0, (a) != (b), #a " != " #b, ##__VA_ARGS__)
#define cr_assert_lt(a, b, ...) SHIM_IF(1, (a) < (b), #a " < " #b, ##__VA_ARGS__)
#define cr_expect_lt(a, b, ...) SHIM_IF(0, (a) < (b), #a " < " #b, ##__VA_ARGS__)
#define cr_assert_leq(a, b, ...) SHIM_IF(1, (a) <= (b), #a " <= " #b, ##__VA_ARGS__)
#define cr_expect_leq(a, b, ...) SHIM_IF(0, (a) <= (b), #a " <= " #b, ##__VA_ARGS__)
#define cr_assert_gt(a, b, ...) SHIM_IF(1, (a) > (b), #a " > " #b, ##__VA_ARGS__)
#define cr_expect_gt(a, b, ...) SHIM_IF(0, (a) > (b), #a " > " #b, ##__VA_ARGS__)
#define cr_assert_geq(a, b, ...) SHIM_IF(1, (a) >= (b), #a " >= " #b, ##__VA_ARGS__)
#define cr_expect_geq(a, b, ...) SHIM_IF(0, (a) >= (b), #a " >= " #b, ##__VA_ARGS__)
#define cr_assert_null(p, ...) SHIM_IF(1, (p) == NULL, #p " == NULL", ##__VA_ARGS__)
#define cr_expect_null(p, ...) SHIM_IF(0, (p) == NULL, #p " == NULL", ##__VA_ARGS__)
#define cr_assert_not_null(p, ...) SHIM_IF(1, (p) != NULL, #p " != NULL", ##__VA_ARGS__)
#define cr_expect_not_null(p, ...) SHIM_IF(0, (p) != NULL, #p " != NULL", ##__VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) SHIM_IF(1, strcmp(a, b) == 0, #a " is " #b, ##__VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) SHIM_IF(0, strcmp(a, b) == 0, #a " is " #b, ##__VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) SHIM_IF(1, strcmp(a, b) != 0, #a " is not " #b, ##__VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) SHIM_IF(0, strcmp(a, b) != 0, #a " is not " #b, ##__VA_ARGS__)
#define cr_assert_str_empty(a, ...) SHIM_IF(1, !*(a), #a " is empty", ##__VA_ARGS__)
#define cr_expect_str_empty(a, ...) SHIM_IF(0, !*(a), #a " is empty", ##__VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) SHIM_IF(1, memcmp(a, b, n) == 0, #a " is " #b, ##__VA_ARGS__)
#define cr_expect_arr_eq(a, b, n, ...) SHIM_IF(0, memcmp(a, b, n) == 0, #a " is " #b, ##__VA_ARGS__)
#define cr_skip_test(reason)                                                                       \
    do {                                                                                           \
        (void)fprintf(stderr, "SKIP: %s\n", reason);                                               \
        exit(0);                                                                                   \
    } while (0)
#define cr_log_info(...) (void)fprintf(stderr, __VA_ARGS__)
#define cr_log_warn(...) (void)fprintf(stderr, __VA_ARGS__)

static const struct shim_test *shim_suite_of(const struct shim_test *test)
{
    static const struct shim_test none;
    const struct shim_test *suite = shim_suites;

    while (suite && strcmp(suite->suite, test->suite) != 0)
        suite = suite->next;
    return suite ? suite : &none;
}

static inline int shim_run(const struct shim_test *test)
{
    const struct shim_test *suite = shim_suite_of(test);
    void (*init)(void) = test->init ? test->init : suite->init;
    void (*fini)(void) = test->fini ? test->fini : suite->fini;
    double timeout = test->timeout > 0 ? test->timeout : suite->timeout;
    int state = 0;
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    if (child == 0) {
        (void)alarm(timeout > 0 ? 10 * (unsigned)timeout + 30 : 240);
        if (init)
            init();
        test->body();
        if (fini)
            fini();
        exit(shim_failures ? 1 : 0);
    }
    if (child < 0 || waitpid(child, &state, 0) != child)
        return 0;
    if (test->signal)
        return WIFSIGNALED(state) && WTERMSIG(state) == test->signal;
    return WIFEXITED(state) && WEXITSTATUS(state) == test->exit_code;
}

int main(void)
{
    int tested = 0;
    int failed = 0;

    for (const struct shim_test *test = shim_tests; test; test = test->next) {
        if (test->disabled)
            continue;
        tested++;
        if (shim_run(test))
            continue;
        failed++;
        (void)fprintf(stderr, "[FAIL] %s::%s\n", test->suite, test->name);
    }
    (void)printf("Tested: %d | Passing: %d | Failing: %d\n", tested, tested - failed, failed);
    return failed ? 1 : 0;
}

#endif
