/* SPDX-License-Identifier: Apache-2.0 */
/* Files of ours beside a destination: the lock, the partial, its state. Their names follow from the
 * destination's and are known to all, so what stands there is looked at before it is believed, and
 * an open file is told from its name. No state; any thread. */
#ifndef FL_PUBLISH_BESIDE_H
#define FL_PUBLISH_BESIDE_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_BESIDE_HASH_SIZE 17 /* 16 hex digits and NUL */
#define FL_BESIDE_NAME_SIZE 48
#define FL_BESIDE_SUM_BYTES 32

#define FL_BESIDE_PREFIX ".flame-"

/* What follows it in the names. */
#define FL_BESIDE_LOCK "lock"
#define FL_BESIDE_PART "part"
#define FL_BESIDE_STATE_SUFFIX ".state"

/* The first 8 bytes of the SHA-256 of a destination's name, in hex. */
void fl_beside_hash(const char *name, char out[FL_BESIDE_HASH_SIZE]);

/* ".flame-KIND-HASH" + `suffix`. */
void fl_beside_name(const char *kind, const char *hash, const char *suffix,
                    char out[FL_BESIDE_NAME_SIZE]);

/* Open `name` for both ways, with `flags` (0, or O_CREAT, O_EXCL; made 0600), never through a link
 * and never waiting. Returns the descriptor, or -1 and errno: EPERM if what is there is not a
 * regular file of ours (effective user) with at most one name. */
int fl_beside_open(int dir_fd, const char *name, int flags) FL_CHECK;

/* Does an errno of fl_beside_open() say that something stands there which we would never use? */
bool fl_beside_is_foreign(int errnum);

/* Is the open file the one of that name? */
bool fl_beside_holds(int dir_fd, const char *name, int fd);

/* flock() for us alone, without waiting. 0, or -1 and errno (EWOULDBLOCK: another has it). */
int fl_beside_lock(int fd);

/* SHA-256. */
void fl_beside_sum(const void *data, size_t size, uint8_t out[FL_BESIDE_SUM_BYTES]);

#endif
