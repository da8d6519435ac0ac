/* SPDX-License-Identifier: Apache-2.0 */
/* The inode that the bytes go into before anybody can see them. Before it has a name that is not
 * the destination's, flock() is held on it, where there is such a thing: a sweep leaves it alone.
 */
#ifndef FL_PUBLISH_INODE_H
#define FL_PUBLISH_INODE_H

#include "publish/spot.h"

#include <sys/types.h>

struct fl_inode {
    int fd;
    char name[32]; /* the name it has in the spot's directory, until commit; "" while it has none */
    bool is_shared;  /* that name is the partial's, which others know; else it is a secret */
    bool is_private; /* its mode is 0600 until commit */
    mode_t mode;     /* what it is to have then: 0666 by the umask, or by the directory's ACL */
};

/* One without a name, which nobody else can open, or ".flame-tmp-<16 hex>", private, where the file
 * system has no such thing. */
int32_t fl_inode_open(const struct fl_spot *spot, struct fl_inode *out,
                      struct flame_error *err) FL_CHECK;

/* Give the nameless inode the name `name`, never replacing. 0, or -1 and errno. */
int fl_inode_link(const struct fl_spot *spot, const struct fl_inode *inode, const char *name);

/* Give the nameless inode the hidden name ".flame-new-<16 hex>". 0, or -1 and errno. */
int fl_inode_hide(const struct fl_spot *spot, struct fl_inode *inode);

/* Give the inode, whether it has a name or none, the name `name`, never replacing; ->name stays as
 * it is. 0, or -1 and errno. */
int fl_inode_move(const struct fl_spot *spot, const struct fl_inode *inode, const char *name);

/* Give the inode the partial's name, private, never replacing. 0, or -1 and errno. */
int fl_inode_share(const struct fl_spot *spot, struct fl_inode *inode, const char *name);

/* From the partial's name to ".flame-new-<16 hex>", where nobody puts another file in its place. 0,
 * or -1 and errno: ESTALE if the name was another's. */
int fl_inode_conceal(const struct fl_spot *spot, struct fl_inode *inode);

/* Take the name away, if it has one. */
void fl_inode_unname(const struct fl_spot *spot, struct fl_inode *inode);

void fl_inode_done(const struct fl_spot *spot, struct fl_inode *inode);

#endif
