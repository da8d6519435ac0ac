/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC itself, once for the process.
 *
 * Started with the first instance and never stopped: its threads are shared with whoever else uses
 * the library, and stopping it while some do is not safe. They inherit the signal mask of the
 * thread that starts them, so all that may start one happens with every signal blocked. A child of
 * fork() has none of these threads and would wait for ever: it gets an error. Any thread. */
#ifndef FL_GRPC_RUNTIME_H
#define FL_GRPC_RUNTIME_H

#include <signal.h>
#include <stdbool.h>

/* Starts gRPC, silently unless somebody else had it started and wants its log. */
void fl_grpc_runtime_start(void);

/* false = this is a child of the process that started it. */
bool fl_grpc_runtime_is_ours(void);

/* Block every signal of this thread, and put back what was. */
void fl_grpc_signals_block(sigset_t *before);
void fl_grpc_signals_restore(const sigset_t *before);

#endif
