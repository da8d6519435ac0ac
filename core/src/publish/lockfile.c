/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NOTES (1U << 20)

void fl_lockfile_place(const char *hash, struct fl_place *out)
{
    uint64_t number = strtoull(hash, NULL, 16) >> 3;

    out->held = (off_t)(2 * number);
    out->waiting = out->held + 1;
    out->note = (off_t)(number % NOTES) * FL_LOCKFILE_NOTE_MAX;
}

void fl_lockfile_name(char out[FL_BESIDE_NAME_SIZE])
{
    (void)snprintf(out, FL_BESIDE_NAME_SIZE, FL_BESIDE_PREFIX FL_BESIDE_LOCK "-%lu",
                   (unsigned long)geteuid());
}

/* Without O_CREAT first: with it some kernels lock the directory for a file that is there. */
int fl_lockfile_open(int dir_fd)
{
    char name[FL_BESIDE_NAME_SIZE];
    int fd;

    fl_lockfile_name(name);
    fd = fl_beside_open(dir_fd, name, 0);
    return fd < 0 && errno == ENOENT ? fl_beside_open(dir_fd, name, O_CREAT) : fd;
}

bool fl_lockfile_is_named(int dir_fd, int fd)
{
    char name[FL_BESIDE_NAME_SIZE];

    fl_lockfile_name(name);
    return fl_beside_holds(dir_fd, name, fd);
}

static int set_lock(int fd, short type, off_t start, off_t length)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

    return TEMP_FAILURE_RETRY(fcntl(fd, F_OFD_SETLK, &lock));
}

/* Who stands in the way of a lock for writing; l_type is F_UNLCK if nobody does, or none can tell.
 */
static struct flock find_other(int fd, off_t start)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};

    if (TEMP_FAILURE_RETRY(fcntl(fd, F_OFD_GETLK, &lock)) != 0)
        lock.l_type = F_UNLCK;
    return lock;
}

static bool is_whole(const struct flock *lock)
{
    return lock->l_type != F_UNLCK && lock->l_start == 0 && lock->l_len == 0;
}

int fl_lockfile_take(int fd, const struct fl_place *place)
{
    struct flock other;

    if (set_lock(fd, F_WRLCK, place->held, 1) == 0)
        return 0;
    if (errno != EAGAIN && errno != EACCES)
        return -1;
    other = find_other(fd, place->held);
    errno = is_whole(&other) ? ESTALE : EWOULDBLOCK;
    return -1;
}

void fl_lockfile_await(int fd, const struct fl_place *place)
{
    (void)set_lock(fd, F_RDLCK, place->waiting, 1);
}

bool fl_lockfile_is_awaited(int fd, const struct fl_place *place)
{
    return find_other(fd, place->waiting).l_type != F_UNLCK;
}

int fl_lockfile_take_all(int fd)
{
    return set_lock(fd, F_WRLCK, 0, 0);
}

static bool is_made_in_vain(int fd, int errnum)
{
    struct stat now;

    return errnum != EAGAIN && errnum != EACCES && fstat(fd, &now) == 0 && now.st_size == 0;
}

/* What is ours goes first: of two that leave at once, neither would get every byte otherwise. */
void fl_lockfile_leave(int dir_fd, int fd)
{
    char name[FL_BESIDE_NAME_SIZE];

    fl_lockfile_name(name);
    (void)set_lock(fd, F_UNLCK, 0, 0);
    if ((fl_lockfile_take_all(fd) == 0 || is_made_in_vain(fd, errno)) &&
        fl_beside_holds(dir_fd, name, fd))
        (void)unlinkat(dir_fd, name, 0);
    (void)close(fd);
}
