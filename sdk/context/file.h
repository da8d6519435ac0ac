/* SPDX-License-Identifier: Apache-2.0 */
/* Small files as a whole: flame.yaml, certificates and keys. Symbolic links are followed, for
 * orchestrators mount secrets as links; whatever is no regular file is refused, never waited for.
 * No state; any thread. */
#ifndef FL_CONTEXT_FILE_H
#define FL_CONTEXT_FILE_H

#include "base/error.h"

#include <stddef.h>

struct fl_small_file {
    char *bytes; /* terminated by a NUL that `size` does not count */
    size_t size;
};

/* A descriptor to read from, or -1 with errno. */
int fl_small_file_open(const char *path) FL_CHECK;

/* Read all of `fd`, at most `limit` bytes. `path` and `where` are for the message only; `where`
 * begins it, and is "" or ends in a colon and a blank.
 * `out`: fl_small_file_done() it. Fails with IO (no regular file too), LIMIT, NO_MEMORY. */
int32_t fl_small_file_read(int fd, size_t limit, const char *where, const char *path,
                           struct fl_small_file *out, struct flame_error *err) FL_CHECK;

void fl_small_file_done(struct fl_small_file *file); /* wipes the bytes */

#endif
