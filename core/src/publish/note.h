/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder of a lock says in the lock's file before it lets go: for this key, this is the
 * file. One checked record; anything else is no note. No state. */
#ifndef FL_PUBLISH_NOTE_H
#define FL_PUBLISH_NOTE_H

#include "publish/lock.h"
#include "publish/spot.h"

/* Forget what is noted and write, for people, who holds the lock now. 0, or -1 and errno. */
int fl_note_wipe(int fd);

/* Note that the regular file now at the spot is what `key` asks for. Advisory. */
void fl_note_write(int fd, int dir_fd, const char *name, const uint8_t key[FL_LOCK_KEY_BYTES]);

/* Is there a note of this key about the very file that is at the spot now? */
bool fl_note_applies(int fd, int dir_fd, const char *name, const uint8_t key[FL_LOCK_KEY_BYTES]);

#endif
