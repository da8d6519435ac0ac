/* SPDX-License-Identifier: Apache-2.0 */
/* The host table: every service of plugin.h, on top of a transfer. */
#ifndef FL_TRANSFER_HOST_H
#define FL_TRANSFER_HOST_H

#include "transfer/transfer.h"

#include <pthread.h>

/* What the services need beyond a transfer; the `core` of struct fl_plugin_host. */
struct fl_host_core {
    const struct fl_config *config;
    void (*log)(void *data, uint32_t level, const char *plugin, const char *text);
    void *log_data;
    uint32_t log_level;
    pthread_mutex_t *log_lock; /* one line at a time */
};

/* The template for fl_registry_open(). Constant. */
const struct flame_host *fl_host_table(void);

/* A line of the core's own. */
void fl_host_log(struct fl_host_core *core, uint32_t level, const char *format, ...)
    FL_PRINTF(3, 4);

#endif
