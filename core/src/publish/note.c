/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/note.h"

#include "publish/beside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OFFSET 64 /* behind the line for people */
#define MAGIC "flnote1"

struct note {
    char magic[8];
    uint8_t key[FL_LOCK_KEY_BYTES];
    uint64_t device, inode, size;
    int64_t mtime_s, mtime_ns;
    int64_t ctime_s,
        ctime_ns; /* no two files that had an inode's number one after the other agree */
    uint8_t sum[FL_BESIDE_SUM_BYTES]; /* of all before it */
};

_Static_assert(sizeof(struct note) == 8 + FL_LOCK_KEY_BYTES + 7 * 8 + FL_BESIDE_SUM_BYTES,
               "no padding: it would be summed");

static bool describe(int dir_fd, const char *name, const uint8_t *key, struct note *out)
{
    struct stat found;

    if (fstatat(dir_fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(found.st_mode))
        return false;
    *out = (struct note){.magic = MAGIC,
                         .device = found.st_dev,
                         .inode = found.st_ino,
                         .size = (uint64_t)found.st_size,
                         .mtime_s = found.st_mtim.tv_sec,
                         .mtime_ns = found.st_mtim.tv_nsec,
                         .ctime_s = found.st_ctim.tv_sec,
                         .ctime_ns = found.st_ctim.tv_nsec};
    memcpy(out->key, key, sizeof(out->key));
    fl_beside_sum(out, offsetof(struct note, sum), out->sum);
    return true;
}

int fl_note_wipe(int fd)
{
    char line[OFFSET];
    int length = snprintf(line, sizeof(line), "held by process %ld\n", (long)getpid());

    struct stat found;

    /* A cut of a fresh file would have ext4 write it out at once. */
    if (fstat(fd, &found) != 0 || (found.st_size > 0 && TEMP_FAILURE_RETRY(ftruncate(fd, 0)) != 0))
        return -1;
    (void)!pwrite(fd, line, (size_t)length, 0);
    return 0;
}

void fl_note_write(int fd, int dir_fd, const char *name, const uint8_t key[FL_LOCK_KEY_BYTES])
{
    struct note note;

    if (describe(dir_fd, name, key, &note))
        (void)!TEMP_FAILURE_RETRY(pwrite(fd, &note, sizeof(note), OFFSET));
}

bool fl_note_applies(int fd, int dir_fd, const char *name, const uint8_t key[FL_LOCK_KEY_BYTES])
{
    struct note note;
    struct note now;

    return TEMP_FAILURE_RETRY(pread(fd, &note, sizeof(note), OFFSET)) == (ssize_t)sizeof(note) &&
           describe(dir_fd, name, key, &now) && memcmp(&note, &now, sizeof(note)) == 0;
}
