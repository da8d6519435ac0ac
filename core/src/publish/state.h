/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a partial: one checked record, written in place into one of two slots in turn, so
 * that a torn write costs that record and not the one before. It names the inode it is of (number
 * and time of birth), so that no other file of that name is ever taken for it, and the boot and the
 * mount in which it was written. Native byte order: it never leaves its machine. No shared state.
 */
#ifndef FL_PUBLISH_STATE_H
#define FL_PUBLISH_STATE_H

#include "publish/beside.h"
#include "publish/partial.h"

#define FL_STATE_BOOT_SIZE 40

struct fl_state {
    char magic[8];
    uint64_t sequence;                 /* the larger one is the newer one */
    uint64_t inode, birth_s, birth_ns; /* of the partial; births are 0 where the disk has none */
    uint64_t mount;                    /* never used twice in a boot; 0 where the kernel has none */
    char boot[FL_STATE_BOOT_SIZE];     /* "" = not known: no other boot is the same */
    struct fl_partial partial;
    uint8_t sum[FL_BESIDE_SUM_BYTES]; /* of all before it */
};

/* Set what names an inode, the mount and the boot; leave the rest. 0, or -1 and errno. */
int fl_state_describe(int fd, struct fl_state *out) FL_CHECK;

/* The newest valid record. 0, or -1 and errno: EBADMSG if there is none. */
int fl_state_read(int fd, struct fl_state *out) FL_CHECK;

/* Write the next record. 0, or -1 and errno. */
int fl_state_write(int fd, struct fl_state *state) FL_CHECK;

/* How many bytes of a partial of `size` bytes are good, if `now` describes it. */
uint64_t fl_state_usable(const struct fl_state *state, const struct fl_state *now, uint64_t size);

#endif
