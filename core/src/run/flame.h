/* SPDX-License-Identifier: Apache-2.0 */
/* The context: what flame_open() makes, and what every task is run with. Constant once open, but
 * for the parts that lock themselves. Any thread. */
#ifndef FL_RUN_FLAME_H
#define FL_RUN_FLAME_H

#include "transfer/host.h"
#include "transfer/pool.h"

#include <sys/types.h>

struct flame {
    struct fl_host_core core; /* first: the `core` of every plugin's host table */
    struct fl_config *config;
    struct fl_registry *registry;
    struct fl_watchdog *watchdog;
    struct fl_pool *pool;
    pid_t pid; /* a fork's child has none of our threads */
};

/* Fails with INTERNAL in a process that only inherited the context. */
int32_t fl_flame_check(const struct flame *flame, struct flame_error *err) FL_CHECK;

#endif
