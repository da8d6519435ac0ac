/* SPDX-License-Identifier: Apache-2.0 */
/* The thread behind watch.h. Private to that module. */
#ifndef FL_TRANSFER_WATCHDOG_H
#define FL_TRANSFER_WATCHDOG_H

#include "transfer/watch.h"

int32_t fl_watchdog_add(struct fl_watchdog *watchdog, struct fl_watch *watch,
                        struct flame_error *err) FL_CHECK;
void fl_watchdog_remove(struct fl_watchdog *watchdog, struct fl_watch *watch);

/* An event descriptor that is not raised: -1 and errno. To be given back so, or closed. */
int fl_watchdog_take_fd(struct fl_watchdog *watchdog) FL_CHECK;
void fl_watchdog_give_fd(struct fl_watchdog *watchdog, int fd);

/* Have the thread look at all watches again. */
void fl_watchdog_wake(struct fl_watchdog *watchdog);

/* When the first clock of `watch` runs out, UINT64_MAX = none runs; *clock says which. */
uint64_t fl_watch_deadline(const struct fl_watch *watch, enum fl_clock *clock);

#endif
