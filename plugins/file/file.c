/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <stdlib.h>

static const struct flame_option option_roots = {
    sizeof(struct flame_option),
    FLAME_OPTION_TEXT,
    FL_OPTION_ROOTS,
    NULL,
    "directories that file urls may name, absolute, separated by colons; unset = all",
    NULL,
};

static const struct flame_option *const options[] = {&option_roots, NULL};

static int32_t file_init(const struct flame_host *host, struct flame_instance **instance,
                         struct flame_error *err)
{
    const char *roots = host->option_get(host, NULL, FL_OPTION_ROOTS);
    int32_t status = roots ? fl_roots_check(host, roots, err) : FLAME_OK;
    struct flame_instance *made;

    if (status != FLAME_OK)
        return status;
    made = calloc(1, sizeof(*made));
    if (!made)
        return flame_fail(host, err, FLAME_ERR_NO_MEMORY, "out of memory");
    made->host = host;
    *instance = made;
    return FLAME_OK;
}

static void file_shutdown(struct flame_instance *instance)
{
    free(instance);
}

FLAME_PLUGIN("org.flame.file", "0.1.0", "file", "local files")
{
    plugin->caps = FLAME_CAN_RANGE | FLAME_CAN_CHANGED | FLAME_CAN_SAME | FLAME_CAN_STORE_ABSENT |
                   FLAME_CAN_STORE_SAME | FLAME_CAN_STORE_STREAM;
    plugin->options = options;
    plugin->init = file_init;
    plugin->shutdown = file_shutdown;
    plugin->fetch = fl_file_fetch;
    plugin->stat = fl_file_stat;
    plugin->store = fl_file_store;
    plugin->remove = fl_file_remove;
    plugin->list = fl_file_list;
}
