/* SPDX-License-Identifier: Apache-2.0 */
/* The source of an upload as one piece of memory that nobody else can change.
 *
 * A source that shrinks under a mapping is SIGBUS, so it is copied to a file without a name (in
 * TMPDIR, /var/tmp or /tmp), and that is mapped: its pages are the kernel's to drop. Counted
 * references; released on any thread. */
#ifndef FL_GRPC_PRIVATE_COPY_H
#define FL_GRPC_PRIVATE_COPY_H

#include "exchange.h"

struct fl_grpc_copy;

/* All `size` bytes of the source. Fails with IO, NO_SPACE, NO_MEMORY, TRUNCATED and CHANGED (it is
 * not what it was), and what source_read says. */
int32_t fl_grpc_copy_new(struct fl_grpc_exchange *exchange, uint64_t size,
                         struct fl_grpc_copy **out);

const void *fl_grpc_copy_data(const struct fl_grpc_copy *copy);

/* For a further user; each calls release, which takes a struct fl_grpc_copy, or NULL. */
void fl_grpc_copy_hold(struct fl_grpc_copy *copy);
void fl_grpc_copy_release(void *copy);

#endif
