/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include "base/clock.h"

#include <signal.h>

/* Enough for libcurl, OpenSSL and gRPC; the default may be 8 MiB or whatever ulimit says. */
#define STACK_SIZE (2u << 20)

static int start_with(const pthread_attr_t *attributes, pthread_t *thread, void *(*body)(void *),
                      void *data)
{
    sigset_t all;
    sigset_t before;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(thread, attributes, body, data);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

int fl_thread_start(pthread_t *thread, const char *name, void *(*body)(void *), void *data)
{
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);

    if (failed)
        return failed;
    failed = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (!failed)
        failed = start_with(&attributes, thread, body, data);
    (void)pthread_attr_destroy(&attributes);
    if (!failed)
        (void)pthread_setname_np(*thread, name);
    return failed;
}

int fl_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);

    if (failed)
        return failed;
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (!failed)
        failed = pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return failed;
}

void fl_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / FL_NS_PER_S),
                                .tv_nsec = (long)(deadline_ns % FL_NS_PER_S)};

    (void)pthread_cond_timedwait(cond, lock, &deadline);
}
