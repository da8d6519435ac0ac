/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of a destination: one process at a time makes the file of that name, and those who wait
 * learn what came of it. Never needed for a correct file (publish.h promises that without it); a
 * partial is made and taken over under it only.
 *
 * It is a byte in a file of the directory (lockfile.h): the death of its holder frees it at once.
 * What was made is noted in the file, for those who wait:
 *  - a note counts for who was refused the lock before it was written, never for late comers
 *  - it names the result by device, inode, size and times: taken only while the destination is
 *    still that very file
 * Exclusive between any two objects, of one process too, but made for processes.
 *
 * The order at the end: fl_publish_commit(), fl_publish_free() (a partial is left or removed), then
 * fl_lock_close(). One thread at a time per object. */
#ifndef FL_PUBLISH_LOCK_H
#define FL_PUBLISH_LOCK_H

#include "publish/note.h"
#include "publish/publish.h"
#include "publish/shelf.h"

#define FL_LOCK_KEY_BYTES FL_NOTE_KEY_BYTES

struct fl_lock;

/* Prepare: nothing is locked yet. `key`: what this request would make; equal keys mean the other's
 * result would do for us. Keeps nothing of `publish`, which may be freed first. Fails with
 * UNSUPPORTED (no lock can be had here: ENOLCK, EROFS, EACCES, ENOSPC, EOPNOTSUPP, or something
 * hostile stands at its name, such as a link, a fifo, a file of another owner or with a second
 * name: go on without one), IO, NO_MEMORY. */
int32_t fl_lock_open(const struct fl_publish *publish, const uint8_t key[FL_LOCK_KEY_BYTES],
                     struct fl_lock **out, struct flame_error *err) FL_CHECK;

/* One try; never blocks. OK: held, unless *is_made. LOCKED: another holds it, try again later.
 * UNSUPPORTED: as above, found now. `*is_made`, set on OK only: the former holder, while we waited,
 * made the destination for an equal key, and it is still that file (device, inode, size, mtime,
 * ctime): it is ours to take, and nothing is held. A caller who then does not want it tries again.
 * `err` may be NULL, as for every try but the last; a used one keeps its first message. */
int32_t fl_lock_try(struct fl_lock *lock, bool *is_made, struct flame_error *err) FL_CHECK;

/* Its file may be taken away later; the shelf outlives the lock. */
void fl_lock_shelve(struct fl_lock *lock, struct fl_shelf *shelf);

/* Unlock, close, free. `made`: the destination now is what the key asks for; this is noted for
 * those who wait. Takes NULL. */
void fl_lock_close(struct fl_lock *lock, bool made);

#endif
