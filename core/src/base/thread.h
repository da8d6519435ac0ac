/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of the core: named, all signals blocked, a stack that protocol libraries can live with.
 */
#ifndef FL_BASE_THREAD_H
#define FL_BASE_THREAD_H

#include "base/cleanup.h"

#include <pthread.h>
#include <stdint.h>

/* Start a joinable thread. `name`: at most 15 bytes. Returns 0 or an errno. */
int fl_thread_start(pthread_t *thread, const char *name, void *(*body)(void *),
                    void *data) FL_CHECK;

/* A condition variable on the monotonic clock. Returns 0 or an errno. */
int fl_cond_init(pthread_cond_t *cond) FL_CHECK;

/* pthread_cond_timedwait() for a condition of fl_cond_init(), until `deadline_ns` of fl_now_ns().
 */
void fl_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_ns);

#endif
