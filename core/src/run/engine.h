/* SPDX-License-Identifier: Apache-2.0 */
/* What every task is run with: the setup, which a reload replaces, and the services, which stay.
 *
 * A setup is constant but for the parts that lock themselves; each task holds the one it began
 * with. Any thread. */
#ifndef FL_RUN_ENGINE_H
#define FL_RUN_ENGINE_H

#include "publish/shelf.h"
#include "run/patience.h"
#include "transfer/host.h"
#include "transfer/pool.h"

struct fl_setup {
    struct fl_host_core core; /* first: the `core` of every plugin's host table */
    struct fl_config *config;
    struct fl_registry *registry;
    struct fl_pace pace; /* of all tasks together */
    atomic_uint references;
};

/* Where log lines go; constant. */
struct fl_log_target {
    void (*log)(void *data, uint32_t level, const char *plugin, const char *text);
    void *data;
    uint32_t level;
    pthread_mutex_t *lock; /* one line at a time, of all setups */
};

/* Read the configuration, look for plugins. Fails as flame_open(). */
int32_t fl_setup_new(const struct flame_config *config, const struct fl_log_target *log,
                     struct fl_setup **out, struct flame_error *err) FL_CHECK;
struct fl_setup *fl_setup_ref(struct fl_setup *setup);
void fl_setup_unref(struct fl_setup *setup); /* takes NULL */

struct fl_engine {
    struct fl_watchdog *watchdog;
    struct fl_pool *pool;
    struct fl_patience patience;
    struct fl_shelf shelf; /* of lock files */
    _Atomic uint64_t retries;
    _Atomic uint64_t transferred;
};

#endif
