/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of tests that watch jobs: a context, a directory, a server that answers "abc" (or
 * what `gate.body` says) once the gate is open, and a task that fetches it. Only one of a program's
 * files may include it. */
#ifndef GATED_H
#define GATED_H

#include "background.h"

static struct flame *flame;
static struct scratch scratch;
static struct gate gate;
static struct tiny_server *server;
static struct flame_task task;

/* With a context of the test's own; the directory is open. */
static inline void gated_begin(struct flame *context)
{
    flame = context;
    server = tiny_server_open(answer_at_gate, &gate);
    task = FLAME_INIT(flame_task);
    task.url = tiny_server_url(server, "/x");
    task.path = scratch_path(&scratch, "out");
}

static inline void gated_set_up(void)
{
    scratch_open(&scratch);
    gated_begin(open_context(0));
}

static inline void gated_tear_down(void)
{
    atomic_store(&gate.is_open, true);
    flame_close(flame);
    tiny_server_close(server);
    scratch_close(&scratch);
}

#endif
