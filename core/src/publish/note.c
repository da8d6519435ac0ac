/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/note.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC "flnote1"

_Static_assert(sizeof(struct fl_note) == 8 + FL_NOTE_KEY_BYTES + 7 * 8 + FL_BESIDE_SUM_BYTES,
               "no padding: it would be summed");
_Static_assert(sizeof(struct fl_note) <= FL_LOCKFILE_NOTE_MAX, "a note fits into its room");

static bool describe(int dir_fd, const char *name, const uint8_t *key, struct fl_note *out)
{
    struct stat found;

    if (fstatat(dir_fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(found.st_mode))
        return false;
    *out = (struct fl_note){.magic = MAGIC,
                            .device = found.st_dev,
                            .inode = found.st_ino,
                            .size = (uint64_t)found.st_size,
                            .mtime_s = found.st_mtim.tv_sec,
                            .mtime_ns = found.st_mtim.tv_nsec,
                            .ctime_s = found.st_ctim.tv_sec,
                            .ctime_ns = found.st_ctim.tv_nsec};
    memcpy(out->key, key, sizeof(out->key));
    fl_beside_sum(out, offsetof(struct fl_note, sum), out->sum);
    return true;
}

void fl_note_write(int fd, off_t at, int dir_fd, const char *name,
                   const uint8_t key[FL_NOTE_KEY_BYTES])
{
    struct fl_note note;

    if (describe(dir_fd, name, key, &note))
        (void)!TEMP_FAILURE_RETRY(pwrite(fd, &note, sizeof(note), at));
}

void fl_note_load(int fd, off_t at, struct fl_note *out)
{
    if (TEMP_FAILURE_RETRY(pread(fd, out, sizeof(*out), at)) != (ssize_t)sizeof(*out))
        memset(out, 0, sizeof(*out));
}

bool fl_note_applies(const struct fl_note *note, int dir_fd, const char *name,
                     const uint8_t key[FL_NOTE_KEY_BYTES])
{
    struct fl_note now;

    return describe(dir_fd, name, key, &now) && memcmp(note, &now, sizeof(now)) == 0;
}
