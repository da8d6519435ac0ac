/* SPDX-License-Identifier: Apache-2.0 */
/* The one file of a directory in which its destinations are locked: ".flame-lock-<uid>", empty but
 * for notes, with a byte to lock for each name (fcntl(2): F_OFD_SETLK), so that a download makes no
 * file for its lock. Each user has one, since nobody can lock a file that is another's.
 *
 * A lock belongs to one open file description: it excludes two objects of one process as well, ends
 * at once with the death of its holder, and no program that is executed inherits it (O_CLOEXEC; a
 * child that is forked and never execs keeps it).
 *  - who takes a place looks whether the file still has its name, or others lock another file
 *  - the name is taken away only by one who holds every byte, so that nobody is at work or waits
 *  - who waits says so in a second byte; who is about to let go writes a note for those only
 * Two names whose hashes agree in 61 bits share their lock, those in 20 bits the room for a note,
 * which is then lost: it is advice (note.h). No state; any thread. */
#ifndef FL_PUBLISH_LOCKFILE_H
#define FL_PUBLISH_LOCKFILE_H

#include "publish/beside.h"

#include <sys/types.h>

#define FL_LOCKFILE_NOTE_MAX 256 /* bytes */

/* Where in the file a destination has its bytes. */
struct fl_place {
    off_t held;
    off_t waiting;
    off_t note;
};

/* From the hash of its name (beside.h). */
void fl_lockfile_place(const char *hash, struct fl_place *out);

/* The name of ours. */
void fl_lockfile_name(char out[FL_BESIDE_NAME_SIZE]);

/* Open it, made if it is not there. -1 and errno as fl_beside_open(). */
int fl_lockfile_open(int dir_fd) FL_CHECK;

/* Does the open file have the name? If not, what is locked in it means nothing. */
bool fl_lockfile_is_named(int dir_fd, int fd);

/* Take the place. 0, or -1 and errno: EWOULDBLOCK (another has it); ESTALE (the file is being taken
 * away: open it anew); what fcntl(2) says where nothing can be locked. */
int fl_lockfile_take(int fd, const struct fl_place *place);

/* We wait for that place, until the file is closed. Advisory. */
void fl_lockfile_await(int fd, const struct fl_place *place);

/* Does another wait for it? */
bool fl_lockfile_is_awaited(int fd, const struct fl_place *place);

/* Let go of all that is locked through `fd`, and take the name away if nobody else uses the file. A
 * file of which nobody can tell stays, unless nothing was ever written into it. Closes `fd`. */
void fl_lockfile_leave(int dir_fd, int fd);

/* Hold every byte, so that the file can be taken away. 0, or -1 and errno of fcntl(2). */
int fl_lockfile_take_all(int fd);

#endif
