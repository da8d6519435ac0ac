/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder of a lock says, in the lock's file, before it lets go while others wait: for this
 * key, this is the file. One checked record; anything else is no note. No state. */
#ifndef FL_PUBLISH_NOTE_H
#define FL_PUBLISH_NOTE_H

#include "publish/lockfile.h"

#define FL_NOTE_KEY_BYTES 32

struct fl_note {
    char magic[8];
    uint8_t key[FL_NOTE_KEY_BYTES];
    uint64_t device, inode, size;
    int64_t mtime_s, mtime_ns;
    int64_t ctime_s,
        ctime_ns; /* no two files that had an inode's number one after the other agree */
    uint8_t sum[FL_BESIDE_SUM_BYTES]; /* of all before it */
};

/* Note at `at` that the regular file `name` is what `key` asks for. Advisory. */
void fl_note_write(int fd, off_t at, int dir_fd, const char *name,
                   const uint8_t key[FL_NOTE_KEY_BYTES]);

/* What stands at `at`; zeros if nothing does. */
void fl_note_load(int fd, off_t at, struct fl_note *out);

/* Is it of this key, and about the very file that is `name` now? */
bool fl_note_applies(const struct fl_note *note, int dir_fd, const char *name,
                     const uint8_t key[FL_NOTE_KEY_BYTES]);

#endif
