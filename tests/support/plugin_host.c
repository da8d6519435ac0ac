/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin_host.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VALUES 64
#define LOG_CAPACITY (256 * 1024)

struct value {
    char *name;
    char *origin; /* of a secret */
    char *text;   /* NULL: unset on purpose */
};

struct plugin_host {
    struct flame_host table;
    const struct flame_plugin *plugin;
    struct flame_instance *instance;
    bool started;
    struct value options[MAX_VALUES];
    size_t option_count;
    struct value secrets[MAX_VALUES];
    size_t secret_count;
    pthread_mutex_t start_lock; /* guards `started`; held over init */
    pthread_mutex_t lock;       /* guards what follows */
    char log[LOG_CAPACITY];
    size_t log_size;
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "plugin_host: %s: %s\n", what, why);
    abort();
}

static char *copy_text(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        die("copy", "out of memory");
    return copy;
}

struct plugin_host *plugin_host_new(const struct flame_plugin *plugin)
{
    struct plugin_host *host = calloc(1, sizeof(*host));

    if (!host)
        die("new", "out of memory");
    host->table = plugin_run_table;
    host->table.impl = host;
    host->plugin = plugin;
    (void)pthread_mutex_init(&host->lock, NULL);
    (void)pthread_mutex_init(&host->start_lock, NULL);
    return host;
}

struct plugin_host *plugin_host_load(const char *path)
{
    const struct flame_plugin *(*entry)(void);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *symbol;

    if (!library)
        die("dlopen", dlerror());
    symbol = dlsym(library, FLAME_ENTRY_SYMBOL);
    if (!symbol)
        die("dlsym", dlerror());
    memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no such cast */
    return plugin_host_new(entry());
}

static void free_values(struct value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(values[i].name);
        free(values[i].origin);
        free(values[i].text);
    }
}

void plugin_host_close(struct plugin_host *host)
{
    if (!host)
        return;
    if (host->started)
        host->plugin->shutdown(host->instance);
    free_values(host->options, host->option_count);
    free_values(host->secrets, host->secret_count);
    (void)pthread_mutex_destroy(&host->lock);
    (void)pthread_mutex_destroy(&host->start_lock);
    free(host);
}

const struct flame_plugin *plugin_host_plugin(const struct plugin_host *host)
{
    return host->plugin;
}

const struct flame_host *plugin_host_table(const struct plugin_host *host)
{
    return &host->table;
}

static void add_value(struct value *values, size_t *count, const char *name, const char *origin,
                      const char *text)
{
    if (*count == MAX_VALUES)
        die("too many values", name);
    values[*count].name = copy_text(name);
    values[*count].origin = copy_text(origin);
    values[*count].text = copy_text(text);
    ++*count;
}

void plugin_host_option(struct plugin_host *host, const char *name, const char *value)
{
    for (size_t i = 0; i < host->option_count; i++) {
        if (strcmp(host->options[i].name, name) != 0)
            continue;
        free(host->options[i].text);
        host->options[i].text = copy_text(value);
        return;
    }
    add_value(host->options, &host->option_count, name, NULL, value);
}

void plugin_host_secret(struct plugin_host *host, const char *name, const char *origin,
                        const char *value)
{
    add_value(host->secrets, &host->secret_count, name, origin, value);
}

int32_t plugin_host_secret_get(struct plugin_host *host, const char *name, const char *origin,
                               const char **value)
{
    int32_t status = FLAME_ERR_NOT_FOUND;

    for (size_t i = 0; i < host->secret_count; i++) {
        if (strcmp(host->secrets[i].name, name) != 0)
            continue;
        if (strcmp(host->secrets[i].origin, origin) == 0) {
            *value = host->secrets[i].text;
            return FLAME_OK;
        }
        status = FLAME_ERR_POLICY;
    }
    return status;
}

/* The default as the core would hand it on: SWITCH, SIZE and DURATION in their canonical form. */
static void canonical(uint32_t type, const char *text, struct value *out)
{
    char number[32];
    char *unit = NULL;
    unsigned long long value = strtoull(text, &unit, 10);

    if (type == FLAME_OPTION_SWITCH) {
        bool on = strchr("yto1", text[0]) && strcmp(text, "off") != 0;

        out->text = copy_text(on ? "1" : "0");
        return;
    }
    if (type != FLAME_OPTION_SIZE && type != FLAME_OPTION_DURATION) {
        out->text = copy_text(text);
        return;
    }
    if (type == FLAME_OPTION_DURATION)
        value *= strcmp(unit, "ms") == 0 ? 1 : *unit == 'm' ? 60000 : 1000;
    else
        value <<= *unit == 'k' ? 10 : *unit == 'M' ? 20 : *unit == 'G' ? 30 : 0;
    (void)snprintf(number, sizeof(number), "%llu", value);
    out->text = copy_text(number);
}

static void add_default(struct plugin_host *host, const char *name, uint32_t type,
                        const char *value)
{
    struct value *added;

    for (size_t i = 0; i < host->option_count; i++)
        if (strcmp(host->options[i].name, name) == 0)
            return;
    add_value(host->options, &host->option_count, name, NULL, NULL);
    added = &host->options[host->option_count - 1];
    if (value)
        canonical(type, value, added);
}

static void add_defaults(struct plugin_host *host)
{
    const struct flame_option *const *option = host->plugin->options;

#define ROW_(name, type, value, range, help) add_default(host, name, FLAME_OPTION_##type, value);
    FLAME_SHARED_OPTION_TABLE(ROW_)
#undef ROW_
    for (; option && *option; option++)
        add_default(host, (*option)->name, (*option)->type, (*option)->value);
}

const char *plugin_host_option_get(const struct plugin_host *host, const char *name)
{
    for (size_t i = 0; i < host->option_count; i++)
        if (strcmp(host->options[i].name, name) == 0)
            return host->options[i].text;
    return NULL;
}

int32_t plugin_host_start(struct plugin_host *host, struct plugin_failure *failure)
{
    int32_t status = FLAME_OK;

    (void)pthread_mutex_lock(&host->start_lock);
    if (!host->started) {
        add_defaults(host);
        status =
            host->plugin->init(&host->table, &host->instance, failure ? &failure->error : NULL);
        host->started = status == FLAME_OK;
    }
    (void)pthread_mutex_unlock(&host->start_lock);
    return status;
}

struct flame_instance *plugin_host_instance(struct plugin_host *host)
{
    if (plugin_host_start(host, NULL) != FLAME_OK)
        die("init", "failed; start it in the test to see why");
    return host->instance;
}

void plugin_host_log(struct plugin_host *host, uint32_t level, const char *text, uint64_t size)
{
    (void)pthread_mutex_lock(&host->lock);
    if (host->log_size + size + 3 < LOG_CAPACITY) {
        host->log[host->log_size++] = (char)('0' + level % 10);
        host->log[host->log_size++] = ' ';
        memcpy(host->log + host->log_size, text, size);
        host->log_size += size;
        host->log[host->log_size++] = '\n';
    }
    (void)pthread_mutex_unlock(&host->lock);
}

bool plugin_host_logged(struct plugin_host *host, const char *text)
{
    bool found;

    (void)pthread_mutex_lock(&host->lock);
    found = memmem(host->log, host->log_size, text, strlen(text)) != NULL;
    (void)pthread_mutex_unlock(&host->lock);
    return found;
}

void plugin_host_print_log(struct plugin_host *host, FILE *out)
{
    (void)pthread_mutex_lock(&host->lock);
    for (size_t i = 0; i < host->log_size; i++)
        (void)fputc(host->log[i] == '\n' ? ' ' : host->log[i], out);
    (void)pthread_mutex_unlock(&host->lock);
}

void plugin_failure_init(struct plugin_failure *failure)
{
    *failure = (struct plugin_failure){.error = FLAME_INIT(flame_error)};
    (void)pthread_mutex_init(&failure->lock, NULL);
}
