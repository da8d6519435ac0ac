/* SPDX-License-Identifier: Apache-2.0 */
/* The order of steps in which a finished inode becomes the file of that name. */
#ifndef FL_PUBLISH_COMMIT_H
#define FL_PUBLISH_COMMIT_H

#include "publish/inode.h"

struct fl_commit {
    uint32_t flags;          /* FL_PUBLISH_KEEP */
    uint32_t durability;     /* enum flame_durability, not DEFAULT */
    const int64_t *mtime_ns; /* NULL = as the last write left it */
    const char *state;       /* a name to take away once the file is in place; NULL = none */
};

/* Fails as fl_publish_commit does; after any failure the inode has no name. */
int32_t fl_commit(const struct fl_spot *spot, struct fl_inode *inode,
                  const struct fl_commit *commit, struct flame_error *err) FL_CHECK;

#endif
