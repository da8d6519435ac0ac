/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary directory as working directory, and configurations from a text in one line. */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include "config/config.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_FILE "fetch.json"

static char dir[256];

static inline int remove_entry(const char *path, const struct stat *status, int type,
                               struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static inline void enter_temp_dir(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)umask(022);
    (void)unsetenv("FLAME_PLUGIN_PATH");
    (void)snprintf(dir, sizeof(dir), "%s/fl-config-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
    cr_assert_eq(setenv("XDG_CONFIG_HOME", dir, 1), 0);
    cr_assert_eq(setenv("HOME", dir, 1), 0);
}

static inline void leave_temp_dir(void)
{
    cr_assert_eq(chdir("/"), 0);
    (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The absolute path of a name in the temporary directory; good until the eighth call after it. */
static inline const char *in_dir(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static inline void write_bytes(const char *name, mode_t mode, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");

    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(chmod(name, mode), 0);
}

static inline void write_text(const char *name, mode_t mode, const char *text)
{
    write_bytes(name, mode, text, strlen(text));
}

static inline int32_t try_load(const struct flame_config *wish, struct fl_config **config,
                               struct flame_error *err)
{
    *err = FLAME_INIT(flame_error);
    *config = NULL;
    return fl_config_load(wish, config, err);
}

static inline struct fl_config *loaded_with(const struct flame_config *wish)
{
    struct flame_error err;
    struct fl_config *config;

    cr_assert_eq(try_load(wish, &config, &err), FLAME_OK, "%s", err.message);
    return config;
}

static inline struct fl_config *loaded(const char *text)
{
    struct flame_config wish = FLAME_INIT(flame_config);

    write_text(CONFIG_FILE, 0600, text);
    wish.file = in_dir(CONFIG_FILE);
    return loaded_with(&wish);
}

/* What loading such a file says; the file's path and ": " are cut off. */
static inline const char *refusal_of_bytes(const void *bytes, size_t size)
{
    static struct flame_error err;
    struct flame_config wish = FLAME_INIT(flame_config);
    struct fl_config *config;
    char prefix[600];

    write_bytes(CONFIG_FILE, 0600, bytes, size);
    wish.file = in_dir(CONFIG_FILE);
    cr_assert_eq(try_load(&wish, &config, &err), FLAME_ERR_INVALID, "%.200s", (const char *)bytes);
    cr_assert_null(config);
    (void)snprintf(prefix, sizeof(prefix), "%s: ", in_dir(CONFIG_FILE));
    cr_assert_eq(strncmp(err.message, prefix, strlen(prefix)), 0, "%s", err.message);
    return err.message + strlen(prefix);
}

static inline const char *refusal(const char *text)
{
    return refusal_of_bytes(text, strlen(text));
}

static inline const char *option_at(const struct fl_config *config, const char *origin,
                                    const char *name)
{
    struct fl_scope scope = {.origin = origin};

    return fl_config_option(config, &scope, name, NULL);
}

#endif
