/* SPDX-License-Identifier: Apache-2.0 */
/* What survives a download that failed or was killed: the bytes, in ".flame-part-<16 hex>" beside
 * the destination, and in ".flame-part-<16 hex>.state" what they are worth.
 *
 * open -> adopt -> (found: write on at `usable`; else: keep, once the object is known) -> keep and
 * advance as it grows -> commit, or leave and free. All of it only with the lock of lock.h held,
 * from adopt until after free. At every instant, SIGKILL and power loss included, what the next
 * adopt gives is a beginning of the object that the state names, or nothing; never a splice of two,
 * never a hole of zeros:
 *  - bytes without a state and a state without bytes are never used, and removed by the next adopt;
 *    so is a state that is torn, of another version, or of another inode than the one found
 *  - within the boot and the mount that wrote them all bytes count that the state calls good; after
 *    any other only those that were synced before the state said so
 *  - the state goes before bytes are given up, and comes after bytes are cut
 *  - whoever has the inode holds flock() on it, so that two never write into one even where
 * somebody deleted the lock's file; and what the name holds is compared with it before it is moved
 * The inode has no other name: a published file is never written into. Mode 0600 until commit.
 * Litter per destination: one partial, one state. */
#ifndef FL_PUBLISH_PARTIAL_H
#define FL_PUBLISH_PARTIAL_H

#include "publish/publish.h"

#define FL_PARTIAL_TEXT_MAX 512
#define FL_PARTIAL_DIGEST_MAX 160

struct fl_partial {
    char validator[FL_PARTIAL_TEXT_MAX]; /* "" = none */
    char origin[FL_PARTIAL_TEXT_MAX];    /* where it was said, in words of the caller's */
    char digest[FL_PARTIAL_DIGEST_MAX];  /* "sha256:<hex>" expected of the whole, or "" */
    uint64_t total;                      /* the size of the whole; 0 = not known */
    uint64_t durable; /* bytes from the start that are on the disk after any power loss */
    uint64_t prefix; /* bytes from the start that are good in this boot; UINT64_MAX = as many as the
                      * file has: plain sequential writing */
};

/* Take over what an earlier run left: the publish's inode becomes that file, cut to `*usable` bytes
 * (more than 0), its position behind them; fl_publish_fd() is another descriptor from now on. To be
 * called before anything is written. `out` says what the bytes are; `prefix` is UINT64_MAX if it
 * was so, else `*usable`. NOT_FOUND: nothing usable is there, and what unusable stood there has
 * been removed (not what another process writes into). Fails with IO, NO_MEMORY. */
int32_t fl_publish_adopt(struct fl_publish *publish, struct fl_partial *out, uint64_t *usable,
                         struct flame_error *err) FL_CHECK;

/* From now on a kill leaves something to take over: the inode gets the partial's name (a stale one
 * goes) and a state. Called again: the state is written anew, which must be done before bytes are
 * written out of order under a state whose prefix says UINT64_MAX. Of `durable` no more is recorded
 * than fl_publish_advance() made or an adopted state said. Advisory: a failure is none of the
 * download. Fails with LOCKED (another process writes into a partial of that name), INVALID (a text
 * is not terminated), IO, NO_SPACE, ... */
int32_t fl_publish_keep(struct fl_publish *publish, const struct fl_partial *partial,
                        struct flame_error *err) FL_CHECK;

/* Sync the inode; then record that `durable` bytes are on the disk (no more than the file and the
 * prefix have) and set partial->durable. All of them must have been written before. Does nothing
 * where nothing is kept or nothing new is durable. Waits for the disk. A failure is none of the
 * download, but for the sync itself: its bytes may be lost and a second one would lie, so every
 * later commit fails, and nothing is left behind. Fails with IO, NO_SPACE. */
int32_t fl_publish_advance(struct fl_publish *publish, struct fl_partial *partial, uint64_t durable,
                           struct flame_error *err) FL_CHECK;

/* The bytes are worth nothing: the state goes (for good, if it outlives a power cut), then the file
 * is cut to 0, its position 0. The same descriptor is written again from there, and
 * fl_publish_keep() may be called again. Fails with IO: every later commit fails then. */
int32_t fl_publish_restart(struct fl_publish *publish, struct flame_error *err) FL_CHECK;

/* What fl_publish_free() without a commit does with what is kept: leave it for the next adopt, its
 * state as last kept or advanced (nothing is synced; an empty file or one whose sync failed is not
 * left), or remove it, the default. A commit that failed has removed it. */
void fl_publish_leave(struct fl_publish *publish, bool leave);

#endif
