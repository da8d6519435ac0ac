/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the file plugin share: one scratch directory and one host a test. */
#ifndef FILE_FIXTURE_H
#define FILE_FIXTURE_H

#include "plugin_host.h"
#include "scratch.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Longer than a file that was just written counts as unsettled. */
#define SETTLE_MS 60

static struct scratch scratch;
static struct plugin_host *host;

static inline void set_up(void)
{
    scratch_open(&scratch);
    host = plugin_host_load(FLAME_TEST_PLUGIN_DIR "/file.so");
}

static inline void tear_down(void)
{
    plugin_host_close(host);
    scratch_close(&scratch);
}

static inline void sleep_ms(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

static inline double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Open descriptors of this process. */
static inline size_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;

    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count;
}

/* The slots return what they state, break no rule and leave no descriptor open. */
static inline void check(struct plugin_run *run, int32_t (*slot)(struct plugin_run *run),
                         int32_t expected)
{
    size_t before = count_fds();
    int32_t status = slot(run);

    cr_assert_eq(status, expected, "%s: %s instead of %s (%s)", run->request.url,
                 flame_status_name(status), flame_status_name(expected),
                 run->failure.error.message);
    cr_assert_str_empty(run->misuse);
    cr_assert_eq(count_fds(), before, "a descriptor leaked");
    if (status >= FLAME_FIRST_FAILURE && run->failure.error.status != FLAME_OK)
        cr_assert_eq(run->failure.error.status, status, "another status than the one stated");
}

/* One slot for one URL, nothing else asked. */
static inline void expect(int32_t (*slot)(struct plugin_run *run), const char *url,
                          int32_t expected)
{
    struct plugin_run run;

    plugin_run_init(&run, host, url);
    check(&run, slot, expected);
    if (expected >= FLAME_FIRST_FAILURE) {
        cr_assert_eq(run.finishes, 0);
        cr_assert_neq(run.failure.error.message[0], '\0', "no reason for %s", url);
    }
    plugin_run_done(&run);
}

/* The validator of a file, once its last change is old enough for a strong one. */
static inline const char *settled_validator(const char *url)
{
    static char validator[256];
    struct plugin_run run;

    sleep_ms(SETTLE_MS);
    plugin_run_init(&run, host, url);
    check(&run, plugin_run_stat, FLAME_OK);
    cr_assert(plugin_run_object(&run)->object.flags & FLAME_OBJECT_STRONG);
    (void)snprintf(validator, sizeof(validator), "%s", plugin_run_object(&run)->validator);
    plugin_run_done(&run);
    return validator;
}

#endif
