/* SPDX-License-Identifier: Apache-2.0 */
/* A scratch directory with plugins in it, and a registry over it. `good.so` is always there, so
 * that each test can ask whether it still works. Whatever the fixture itself cannot do aborts. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "base/text.h"
#include "registry/registry.h"

#include "scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    struct scratch scratch;
    struct fl_config *config;
    struct fl_registry *registry;
    const char *plugin_dirs[8];
    const char *settings; /* JSON; NULL = none */
    struct flame_error err;
    atomic_int inits;
    atomic_int shutdowns;
    char log[512];
} here;

/* ---- a host, as far as these plugins ask ---- */

static const void *count_call(const struct flame_host *host, const char *id)
{
    (void)host;
    atomic_fetch_add(strcmp(id, "test.init") == 0 ? &here.inits : &here.shutdowns, 1);
    return NULL;
}

static int32_t keep_failure(struct flame_error *err, int32_t status, const char *message)
{
    err->status = status;
    (void)snprintf(err->message, sizeof(err->message), "%s", message);
    return status;
}

static void keep_line(const struct flame_host *host, struct flame_transfer *transfer,
                      uint32_t level, const char *text, uint64_t size)
{
    (void)transfer;
    cr_assert_eq(level, FLAME_LOG_WARN);
    (void)snprintf(here.log, sizeof(here.log), "%s: %.*s",
                   fl_plugin_id(((const struct fl_plugin_host *)(const void *)host)->plugin),
                   (int)size, text);
}

static const struct flame_host test_host = {.struct_size = sizeof(test_host),
                                            .log = keep_line,
                                            .fail = keep_failure,
                                            .get_extension = count_call};

/* ---- files ---- */

static inline const char *at(const char *name)
{
    return scratch_path(&here.scratch, name);
}

static inline void *slurp(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    char *bytes;

    cr_assert(fd >= 0 && fstat(fd, &file) == 0, "%s", path);
    bytes = malloc((size_t)file.st_size + 1);
    cr_assert_not_null(bytes);
    cr_assert_eq(read(fd, bytes, (size_t)file.st_size), file.st_size);
    (void)close(fd);
    *size = (size_t)file.st_size;
    return bytes;
}

/* Copy a built plugin to `name`. */
static inline const char *put(const char *plugin, const char *name)
{
    char source[1024];
    size_t size;
    void *bytes;
    const char *path;

    (void)snprintf(source, sizeof(source), "%s/%s", BAD_DIR, plugin);
    bytes = slurp(source, &size);
    path = scratch_write(&here.scratch, name, bytes, size);
    free(bytes);
    cr_assert_eq(chmod(path, 0755), 0);
    return path;
}

/* Overwrite the one place in a file that holds `before`. */
static inline void forge(const char *path, const char *before, const char *after)
{
    size_t size;
    size_t length = strlen(before);
    char *bytes = slurp(path, &size);
    char *found = memmem(bytes, size, before, length);

    cr_assert_eq(strlen(after), length);
    cr_assert_not_null(found, "%s has no %s", path, before);
    memcpy(found, after, length);
    cr_assert_null(memmem(found + length, size - (size_t)(found - bytes) - length, before, length));
    (void)scratch_write(&here.scratch, path + strlen(here.scratch.dir) + 1, bytes, size);
    free(bytes);
}

/* Overwrite `size` bytes at `offset`. */
static inline void patch(const char *path, off_t offset, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    cr_assert(fd >= 0 && pwrite(fd, bytes, size, offset) == (ssize_t)size);
    (void)close(fd);
}

/* ---- the registry ---- */

static inline void set_up(void)
{
    (void)umask(022);
    (void)unsetenv("FLAME_PLUGIN_PATH");
    scratch_open(&here.scratch);
    here.plugin_dirs[0] = here.scratch.dir;
    (void)put("good.so", "good.so");
}

static inline void open_registry(void)
{
    struct flame_config wish = FLAME_INIT(flame_config);
    struct flame_error err = FLAME_INIT(flame_error);

    wish.plugin_dirs = here.plugin_dirs;
    wish.file = here.settings ? scratch_write(&here.scratch, "fetch.json", here.settings,
                                              strlen(here.settings))
                              : "";
    cr_assert_eq(fl_config_load(&wish, &here.config, &err), FLAME_OK, "%s", err.message);
    cr_assert_eq(
        fl_registry_open(here.config, "/nonexistent", &test_host, &here, &here.registry, &err),
        FLAME_OK, "%s", err.message);
}

static inline void tear_down(void)
{
    fl_registry_close(here.registry);
    fl_config_free(here.config);
    scratch_close(&here.scratch);
}

struct seen {
    const char *path;
    struct flame_plugin_info info;
    size_t count;
};

static inline int32_t see(void *data, const struct flame_plugin_info *info)
{
    struct seen *seen = data;

    if (strcmp(info->path, seen->path) == 0) {
        seen->info = *info;
        seen->count++;
    }
    return 0;
}

/* What the registry says of the file at `path`. */
static inline struct flame_plugin_info info_at(const char *path)
{
    struct seen seen = {.path = path};

    fl_registry_visit(here.registry, see, &seen);
    cr_assert_eq(seen.count, 1, "%s is listed %zu times", path, seen.count);
    return seen.info;
}

static inline struct flame_plugin_info info_of(const char *name)
{
    return info_at(at(name));
}

static inline int32_t find(const char *scheme, struct fl_plugin **plugin)
{
    here.err = FLAME_INIT(flame_error);
    return fl_registry_find(here.registry, scheme, plugin, &here.err);
}

/* Find, load and fetch; the first failure. */
static inline int32_t use(const char *scheme)
{
    const struct flame_plugin *table = NULL;
    struct flame_instance *instance = NULL;
    struct fl_plugin *plugin = NULL;
    int32_t status = find(scheme, &plugin);

    if (status == FLAME_OK)
        status = fl_plugin_use(plugin, &table, &instance, &here.err);
    return status == FLAME_OK ? table->fetch(instance, NULL, NULL, NULL) : status;
}

static inline void expect_code(const struct flame_plugin_info *info, const char *code,
                               const char *reason)
{
    cr_assert_not_null(info->code, "%s was taken", info->path);
    cr_expect_str_eq(info->code, code, "%s: %s", info->code, info->reason);
    cr_expect_not_null(strstr(info->reason, reason), "'%s' is not in '%s'", reason, info->reason);
    cr_expect_null(strchr(info->reason, '\n'));
    cr_expect_eq(info->tier[0], 'i');
}

/* The file is refused with this code and reason, and the good one beside it works. */
static inline void expect_refused(const char *name, const char *code, const char *reason)
{
    struct flame_plugin_info info = info_of(name);

    expect_code(&info, code, reason);
    cr_expect_eq(info.accepted, 0);
    cr_expect_eq(use("good"), FLAME_OK, "%s", here.err.message);
}

/* The plugin of `scheme` cannot be loaded, now and later, and the good one beside it works. */
static inline void expect_unloadable(const char *scheme, const char *code, const char *reason)
{
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(use(scheme), FLAME_ERR_PLUGIN, "%s", here.err.message);
        cr_expect_not_null(strstr(here.err.message, code), "%s", here.err.message);
        cr_expect_not_null(strstr(here.err.message, reason), "%s", here.err.message);
        cr_expect_null(strchr(here.err.message, '\n'));
        cr_expect_eq(here.err.status, FLAME_ERR_PLUGIN);
        cr_expect_str_eq(here.err.plugin, "org.example.bad");
    }
    cr_expect_eq(use("good"), FLAME_OK, "%s", here.err.message);
}

#endif
