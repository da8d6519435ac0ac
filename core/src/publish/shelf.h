/* SPDX-License-Identifier: Apache-2.0 */
/* The directories whose lock file is done with once nobody works any more.
 *
 * To take the file away after each download and make it again for the next costs an inode and two
 * changes of the directory each time, and ext4 looks at every inode that was freed in the last
 * seconds before it makes a new one: 1,000 downloads of 64 KiB took twice as long. A shelved file
 * keeps its name and is not held.
 *
 * The lock guards the list. Any thread. */
#ifndef FL_PUBLISH_SHELF_H
#define FL_PUBLISH_SHELF_H

#include "base/cleanup.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define FL_SHELF_DIRS 64 /* at most */

struct fl_shelved;

struct fl_shelf {
    pthread_mutex_t lock;
    struct fl_shelved *first; /* directories */
    uint32_t dirs;
    uint32_t users;
};

void fl_shelf_init(struct fl_shelf *shelf);
void fl_shelf_done(struct fl_shelf *shelf); /* no user left */

/* Somebody begins to use a lock; the last one who leaves takes away all that was put here. */
void fl_shelf_enter(struct fl_shelf *shelf);
void fl_shelf_leave(struct fl_shelf *shelf);

/* Take the lock file of that directory away later. false: nobody else is at work, or there is no
 * room: do it now. */
bool fl_shelf_put(struct fl_shelf *shelf, int dir_fd) FL_CHECK;

#endif
