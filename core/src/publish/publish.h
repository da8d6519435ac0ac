/* SPDX-License-Identifier: Apache-2.0 */
/* Publish: a path appears complete, verified and durable, or stays as it was.
 *
 * open -> (write into fl_publish_fd) -> commit, or free to abandon. At every instant, SIGKILL and
 * power loss included, the destination is absent, the old file or the whole new one:
 *  1. the caller's path is split once; the parent is opened once (openat2 BENEATH the root and
 *     without symbolic links where a root is set); everything after is relative to that descriptor
 *  2. what is there is judged (directory, FIFO, socket, device: refused before any byte)
 *  3. the bytes go into an inode without a name (O_TMPFILE), or, where the file system cannot, into
 *     ".flame-tmp-<16 hex>" made O_EXCL; what has a name before its time has mode 0600 until then
 *  4. commit: fchmod(0666 & ~umask) where that is so, mtime, fsync (once: an error is final),
 * linkat onto the name; if something is there: linkat to ".flame-new-<16 hex>" and renameat; then
 * fsync(directory) Between 3 and 4 the inode may be named, so that a kill leaves something to go on
 * with: partial.h. A destination that is a symbolic link is replaced itself, its target untouched.
 * Litter: at most one hidden name per kill inside step 4 (or 3's fallback).
 *
 * One thread at a time per object. */
#ifndef FL_PUBLISH_PUBLISH_H
#define FL_PUBLISH_PUBLISH_H

#include "base/error.h"

#include <flame/fetch.h>

#include <stdbool.h>

#define FL_PUBLISH_KEEP 0x1u        /* EXISTS instead of replacing; atomic at commit too */
#define FL_PUBLISH_CREATE_DIRS 0x2u /* make missing parents */

struct fl_destination {
    const char *path;       /* the caller's; relative to the working directory */
    const char *root;       /* NULL, or the absolute directory it must lie below */
    uint32_t flags;         /* FL_PUBLISH_* */
    uint32_t durability;    /* enum flame_durability, not DEFAULT */
    uint64_t space_reserve; /* bytes to leave free */
};

struct fl_publish;

/* Steps 1 to 3. Fails with UNSAFE_NAME (empty, "..", a name over 255 bytes, outside the root, a
 * symbolic link on the way below a root), IO (no parent, not writable, is a directory, FIFO, ...),
 * EXISTS (KEEP), NO_SPACE, NO_MEMORY. */
int32_t fl_publish_open(const struct fl_destination *destination, struct fl_publish **out,
                        struct flame_error *err) FL_CHECK;

/* The new inode, O_RDWR, position 0, empty. Borrowed. */
int fl_publish_fd(const struct fl_publish *publish);

/* A read-only descriptor of what is at the destination now, if it is a regular file; else -1. The
 * caller's to close. */
int fl_publish_open_current(const struct fl_publish *publish);

/* The size is known: is there room for it beside the reserve? Reserves nothing that a failure would
 * leave behind. Fails with NO_SPACE. */
int32_t fl_publish_expect(struct fl_publish *publish, uint64_t size,
                          struct flame_error *err) FL_CHECK;

/* Step 4. `mtime_ns` NULL = now. On OK the file is there; on DURABILITY_UNKNOWN too (only the
 * directory's sync failed). Any other failure: nothing has changed. Once. */
int32_t fl_publish_commit(struct fl_publish *publish, const int64_t *mtime_ns,
                          struct flame_error *err) FL_CHECK;

/* Abandon what was not committed, close, free. Takes NULL. */
void fl_publish_free(struct fl_publish *publish);

#endif
