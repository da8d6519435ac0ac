/* SPDX-License-Identifier: Apache-2.0 */
/* One accepted plugin, and how its code comes in at first use. Internal to the module. */
#ifndef FL_REGISTRY_LOADER_H
#define FL_REGISTRY_LOADER_H

#include "registry/registry.h"
#include "registry/scan.h"

#include <pthread.h>
#include <stdatomic.h>

enum fl_plugin_state {
    FL_PLUGIN_IDLE = 0,
    FL_PLUGIN_LOADING, /* by `loader`, who holds no lock meanwhile */
    FL_PLUGIN_READY,   /* for good, as is the next */
    FL_PLUGIN_FAILED,
};

struct fl_plugin {
    const struct fl_found *found;
    struct fl_config *config;
    struct fl_plugin_host host;
    pthread_mutex_t lock; /* guards state, loader, failure */
    pthread_cond_t settled;
    enum fl_plugin_state state;
    pthread_t loader;
    struct flame_error *failure; /* NULL in FAILED: there was no memory for it */
    /* Written by the loader only, constant when READY. */
    struct flame_plugin table;
    struct flame_instance *instance;
    _Atomic(const struct flame_option **) options; /* one block; set before init() asks for it */
};

/* `host` and `core` as for fl_registry_open(). 0 or an errno. */
int fl_plugin_init(struct fl_plugin *plugin, struct fl_found *found, const struct flame_host *host,
                   void *core) FL_CHECK;

/* Shut its instance down and free. Nobody uses it any more. */
void fl_plugin_done(struct fl_plugin *plugin);

#endif
