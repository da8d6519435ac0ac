/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/text.h"
#include "config/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SYSTEM_FILE "/etc/flame/fetch.json"
#define USER_FILE "flame/fetch.json"
#define PLUGIN_PATH "FLAME_PLUGIN_PATH"

/* What the caller's struct says, as far as it reaches. */
struct wish {
    uint32_t flags;
    const char *file;
    const char *const *plugin_dirs;
    const char *const *options;
};

static int32_t read_wish(const struct flame_config *config, struct wish *wish,
                         struct flame_error *err)
{
    *wish = (struct wish){0};
    if (!config)
        return FLAME_OK;
    if (!FLAME_REACHES(config, flags))
        return fl_fail(err, FLAME_ERR_INVALID, "the configuration struct was not initialised");
    if (config->flags & ~FLAME_CONFIG_NO_ENVIRONMENT)
        return fl_fail(err, FLAME_ERR_INVALID, "the configuration has an unknown flag");
    wish->flags = config->flags;
    wish->file = FLAME_REACHES(config, file) ? config->file : NULL;
    wish->plugin_dirs = FLAME_REACHES(config, plugin_dirs) ? config->plugin_dirs : NULL;
    wish->options = FLAME_REACHES(config, options) ? config->options : NULL;
    return FLAME_OK;
}

static int32_t add_defaults(struct fl_config *config, struct flame_error *err)
{
    for (const struct flame_option *const *option = fl_options(); *option; option++) {
        fl_auto_free char *value = NULL;
        int32_t status;

        if (!(*option)->value)
            continue;
        status = fl_option_canonical(*option, (*option)->value, &value, err);
        if (status != FLAME_OK)
            return status;
        if (!fl_settings_set(&config->defaults, (*option)->name, value, FL_SOURCE_DEFAULT))
            return fl_fail_memory(err);
    }
    return FLAME_OK;
}

static int32_t add_host_options(struct fl_config *config, const char *const *options,
                                struct flame_error *err)
{
    struct fl_pairs pairs = {0};
    int32_t status = fl_config_check_task(options, NULL, &pairs, err);

    for (size_t i = 0; status == FLAME_OK && i < pairs.count; i += 2)
        if (!fl_settings_set(&config->host, pairs.items[i], pairs.items[i + 1], FL_SOURCE_OPTION))
            status = fl_fail_memory(err);
    fl_pairs_done(&pairs, false);
    return status;
}

static int32_t read_if_present(struct fl_config *config, const char *path, struct flame_error *err)
{
    if (faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return FLAME_OK;
    return fl_config_read(config, path, err);
}

/* XDG: a relative directory there is as good as none. */
static const char *absolute_environment(const char *name)
{
    const char *value = secure_getenv(name);

    return value && value[0] == '/' ? value : NULL;
}

static int32_t read_standard_files(struct fl_config *config, struct flame_error *err)
{
    const char *base = absolute_environment("XDG_CONFIG_HOME");
    const char *home = absolute_environment("HOME");
    fl_auto_free char *user_file = NULL;
    int32_t status = read_if_present(config, SYSTEM_FILE, err);

    if (status != FLAME_OK || (!base && !home))
        return status;
    user_file = base ? fl_format("%s/" USER_FILE, base) : fl_format("%s/.config/" USER_FILE, home);
    return user_file ? read_if_present(config, user_file, err) : fl_fail_memory(err);
}

static int32_t read_files(struct fl_config *config, const struct wish *wish,
                          struct flame_error *err)
{
    if (wish->file)
        return *wish->file ? fl_config_read(config, wish->file, err) : FLAME_OK;
    if (wish->flags & FLAME_CONFIG_NO_ENVIRONMENT)
        return FLAME_OK;
    return read_standard_files(config, err);
}

static int32_t add_dirs(struct fl_config *config, const char *const *dirs, struct flame_error *err)
{
    for (; dirs && *dirs; dirs++) {
        if (**dirs == '\0')
            return fl_fail(err, FLAME_ERR_INVALID, "a plugin directory without a name");
        if (!fl_strings_add(&config->plugin_dirs, *dirs))
            return fl_fail_memory(err);
    }
    return FLAME_OK;
}

/* Empty entries are skipped: "$FLAME_PLUGIN_PATH:/dir" makes one, and nobody means the working
 * directory by it. */
static int32_t add_environment_dirs(struct fl_config *config, struct flame_error *err)
{
    const char *path = secure_getenv(PLUGIN_PATH);
    size_t size;

    for (; path && *path; path += size + (path[size] == ':')) {
        fl_auto_free char *dir = NULL;

        size = strcspn(path, ":");
        if (size == 0)
            continue;
        dir = strndup(path, size);
        if (!dir)
            return fl_fail_memory(err);
        if (dir[0] != '/')
            return fl_fail(err, FLAME_ERR_INVALID, PLUGIN_PATH ": '%s' is no absolute path", dir);
        if (!fl_strings_add(&config->plugin_dirs, dir))
            return fl_fail_memory(err);
    }
    return FLAME_OK;
}

static int32_t add_plugin_dirs(struct fl_config *config, const struct wish *wish,
                               struct flame_error *err)
{
    int32_t status = add_dirs(config, wish->plugin_dirs, err);

    if (status == FLAME_OK && !(wish->flags & FLAME_CONFIG_NO_ENVIRONMENT))
        status = add_environment_dirs(config, err);
    if (status == FLAME_OK)
        status = add_dirs(config, (const char *const *)config->file_dirs.items, err);
    return status;
}

int32_t fl_config_new(struct fl_config **out, struct flame_error *err)
{
    struct fl_config *config = calloc(1, sizeof(*config));
    int32_t status;

    if (!config)
        return fl_fail_memory(err);
    (void)pthread_mutex_init(&config->lock, NULL);
    status = add_defaults(config, err);
    if (status == FLAME_OK)
        *out = config;
    else
        fl_config_free(config);
    return status;
}

int32_t fl_config_load(const struct flame_config *config, struct fl_config **out,
                       struct flame_error *err)
{
    struct fl_config *loaded = NULL;
    struct wish wish;
    int32_t status = read_wish(config, &wish, err);

    if (status == FLAME_OK)
        status = fl_config_new(&loaded, err);
    if (status == FLAME_OK)
        status = read_files(loaded, &wish, err);
    if (status == FLAME_OK)
        status = add_host_options(loaded, wish.options, err);
    if (status == FLAME_OK)
        status = add_plugin_dirs(loaded, &wish, err);
    if (status == FLAME_OK)
        *out = loaded;
    else
        fl_config_free(loaded);
    return status;
}

void fl_config_free(struct fl_config *config)
{
    if (!config)
        return;
    while (config->checked) {
        struct fl_checked *checked = config->checked;

        config->checked = checked->next;
        fl_checked_free(checked);
    }
    fl_strings_done(&config->files);
    fl_strings_done(&config->file_dirs);
    fl_strings_done(&config->plugin_dirs);
    fl_settings_done(&config->defaults);
    fl_settings_done(&config->host);
    fl_settings_done(&config->options);
    fl_settings_done(&config->pins);
    fl_sections_done(&config->origins);
    fl_sections_done(&config->plugins);
    (void)pthread_mutex_destroy(&config->lock);
    free(config);
}
