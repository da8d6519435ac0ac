/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime.h"

#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <pthread.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pid_t owner;

/* A library prints nothing; what matters comes back as the status of a call. */
static void say_nothing(gpr_log_func_args *args)
{
    (void)args;
}

static void start(void)
{
    sigset_t before;

    fl_grpc_signals_block(&before);
    if (!grpc_is_initialized())
        gpr_set_log_function(say_nothing);
    grpc_init();
    owner = getpid();
    fl_grpc_signals_restore(&before);
}

void fl_grpc_runtime_start(void)
{
    (void)pthread_once(&once, start);
}

bool fl_grpc_runtime_is_ours(void)
{
    return owner == getpid();
}

void fl_grpc_signals_block(sigset_t *before)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, before);
}

void fl_grpc_signals_restore(const sigset_t *before)
{
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}
