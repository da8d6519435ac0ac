/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/loader.h"

#include "base/error.h"
#include "registry/object.h"
#include "registry/process.h"

#include <stdio.h>
#include <string.h>

static bool is_failure(int32_t status)
{
    switch (status) {
#define ROW(name, number, exit_code, retryable, text) case number:
        FLAME_FAILURE_TABLE(ROW)
#undef ROW
        return true;
    default:
        return false;
    }
}

static int32_t fail(const struct fl_plugin *plugin, int32_t status,
                    const struct fl_refusal *refusal, struct flame_error *err)
{
    return fl_fail(err, status, "cannot use plugin '%s': %s: %s", plugin->found->manifest.id,
                   fl_reject_name(refusal->code), refusal->reason);
}

/* The last gate before foreign code runs in this process: the file must still be what was judged
 * when the directory was scanned, which may be weeks ago. A process that tries the code out before
 * we do would stand here, and nowhere else. */
static int32_t clear(const struct fl_plugin *plugin, struct flame_error *err)
{
    const struct fl_found *found = plugin->found;
    struct fl_found now = {.path = strdup(found->real)};
    struct fl_refusal refusal = {.code = FL_ACCEPTED};
    int32_t status = now.path ? fl_scan_file(NULL, &now, err) : fl_fail_memory(err);

    if (status == FLAME_OK && now.code != FL_ACCEPTED)
        (void)fl_refuse(&refusal, now.code, "%s", now.reason);
    else if (status == FLAME_OK && (!fl_identity_same(&now.identity, &found->identity) ||
                                    strcmp(now.manifest.text, found->manifest.text) != 0))
        (void)fl_refuse(&refusal, FL_REJECT_SWAPPED, "was replaced since it was found");
    if (refusal.code != FL_ACCEPTED)
        status = fail(plugin, FLAME_ERR_PLUGIN, &refusal, err);
    fl_found_done(&now);
    return status;
}

static int32_t open_table(struct fl_plugin *plugin, struct flame_error *err)
{
    struct fl_refusal refusal = {.code = FL_ACCEPTED};
    const struct flame_option **options = NULL;
    struct fl_object object;
    bool memory = true;
    enum fl_reject reject = fl_object_open(plugin->found, &object, &refusal);

    if (reject == FL_ACCEPTED)
        reject = fl_object_table(&object, plugin->found->manifest.text, &plugin->table, &refusal);
    if (reject == FL_ACCEPTED)
        reject = fl_object_options(&object, plugin->table.options, &options, &memory, &refusal);
    if (reject != FL_ACCEPTED)
        return fail(plugin, FLAME_ERR_PLUGIN, &refusal, err);
    if (!memory)
        return fl_fail_memory(err);
    plugin->table.options = options;
    atomic_store(&plugin->options, options);
    return FLAME_OK;
}

static int32_t make_instance(struct fl_plugin *plugin, struct flame_error *err)
{
    struct flame_error said = FLAME_INIT(flame_error);
    struct fl_refusal refusal = {.code = FL_ACCEPTED};
    struct flame_instance *instance = NULL;
    int32_t status = plugin->table.init(&plugin->host.table, &instance, &said);

    if (status == FLAME_OK) {
        plugin->instance = instance;
        return FLAME_OK;
    }
    if (!is_failure(status)) {
        (void)fl_refuse(&refusal, FL_REJECT_INIT_FAILED, "init returned the unknown status %d",
                        status);
        return fail(plugin, FLAME_ERR_PLUGIN, &refusal, err);
    }
    if (said.status == FLAME_OK) {
        (void)fl_refuse(&refusal, FL_REJECT_INIT_FAILED, "plugin gave no reason");
        return fail(plugin, status, &refusal, err);
    }
    said.status = status;
    *err = said;
    return status;
}

static void warn(const struct fl_plugin *plugin, const char *changed)
{
    const struct flame_host *host = &plugin->host.table;
    char line[256];
    int size;

    if (*changed == '\0')
        return;
    size = snprintf(line, sizeof(line), "changed while it was loaded: %s", changed);
    host->log(host, NULL, FLAME_LOG_WARN, line, (uint64_t)size);
}

static int32_t load(struct fl_plugin *plugin, struct flame_error *err)
{
    char changed[160];
    struct fl_process before;
    int32_t status = clear(plugin, err);

    if (status != FLAME_OK)
        return status;
    fl_process_look(&before);
    status = open_table(plugin, err);
    if (status == FLAME_OK)
        status = fl_config_check_plugin(plugin->config, plugin->found->manifest.id,
                                        plugin->table.options, err);
    if (status == FLAME_OK)
        status = make_instance(plugin, err);
    fl_process_restore(&before, changed, sizeof(changed));
    warn(plugin, changed);
    return status;
}

/* Wait until nobody else loads it, and take the loading over if it is still to be done: *mine. */
static int32_t claim(struct fl_plugin *plugin, bool *mine, struct flame_error *err)
{
    struct fl_refusal refusal = {.code = FL_ACCEPTED};

    (void)pthread_mutex_lock(&plugin->lock);
    while (plugin->state == FL_PLUGIN_LOADING && !pthread_equal(plugin->loader, pthread_self()))
        (void)pthread_cond_wait(&plugin->settled, &plugin->lock);
    if (plugin->state == FL_PLUGIN_LOADING)
        (void)fl_refuse_plainly(&refusal, FL_REJECT_REENTRANT);
    *mine = plugin->state == FL_PLUGIN_IDLE;
    if (*mine) {
        plugin->state = FL_PLUGIN_LOADING;
        plugin->loader = pthread_self();
    }
    (void)pthread_mutex_unlock(&plugin->lock);
    return refusal.code == FL_ACCEPTED ? FLAME_OK : fail(plugin, FLAME_ERR_PLUGIN, &refusal, err);
}

static void settle(struct fl_plugin *plugin, int32_t status, const struct flame_error *failure)
{
    struct flame_error *copy = status == FLAME_OK ? NULL : malloc(sizeof(*copy));

    if (copy)
        *copy = *failure;
    (void)pthread_mutex_lock(&plugin->lock);
    plugin->state = status == FLAME_OK ? FL_PLUGIN_READY : FL_PLUGIN_FAILED;
    plugin->failure = copy;
    (void)pthread_cond_broadcast(&plugin->settled);
    (void)pthread_mutex_unlock(&plugin->lock);
}

static void load_and_settle(struct fl_plugin *plugin)
{
    struct flame_error failure = FLAME_INIT(flame_error);
    int32_t status = load(plugin, &failure);

    (void)snprintf(failure.plugin, sizeof(failure.plugin), "%s", plugin->found->manifest.id);
    settle(plugin, status, &failure);
}

int32_t fl_plugin_use(struct fl_plugin *plugin, const struct flame_plugin **table,
                      struct flame_instance **instance, struct flame_error *err)
{
    bool mine = false;
    int32_t status = claim(plugin, &mine, err);

    if (status != FLAME_OK)
        return status;
    if (mine)
        load_and_settle(plugin);
    /* Settled, and constant from here on: claim() or settle() held the lock after the last write.
     */
    if (plugin->state == FL_PLUGIN_READY) {
        *table = &plugin->table;
        *instance = plugin->instance;
        return FLAME_OK;
    }
    if (!plugin->failure)
        return fl_fail_memory(err);
    if (err && err->status == FLAME_OK)
        *err = *plugin->failure;
    return plugin->failure->status;
}

const struct flame_option *const *fl_plugin_options(const struct fl_plugin *plugin)
{
    return atomic_load(&plugin->options);
}

int fl_plugin_init(struct fl_plugin *plugin, struct fl_found *found, const struct flame_host *host,
                   void *core)
{
    int failed = pthread_mutex_init(&plugin->lock, NULL);

    if (failed)
        return failed;
    failed = pthread_cond_init(&plugin->settled, NULL);
    if (failed) {
        (void)pthread_mutex_destroy(&plugin->lock);
        return failed;
    }
    plugin->found = found;
    plugin->host = (struct fl_plugin_host){.table = *host, .core = core, .plugin = plugin};
    plugin->host.table.impl = &plugin->host;
    found->plugin = plugin;
    return 0;
}

void fl_plugin_done(struct fl_plugin *plugin)
{
    if (plugin->state == FL_PLUGIN_READY)
        plugin->table.shutdown(plugin->instance);
    (void)pthread_mutex_destroy(&plugin->lock);
    (void)pthread_cond_destroy(&plugin->settled);
    free(atomic_load(&plugin->options));
    free(plugin->failure);
}
