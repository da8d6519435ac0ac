/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

void fl_beside_sum(const void *data, size_t size, uint8_t out[FL_BESIDE_SUM_BYTES])
{
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, size, data);
    sha256_digest(&context, FL_BESIDE_SUM_BYTES, out);
}

void fl_beside_hash(const char *name, char out[FL_BESIDE_HASH_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum[FL_BESIDE_SUM_BYTES];

    fl_beside_sum(name, strlen(name), sum);
    for (size_t i = 0; i < FL_BESIDE_HASH_SIZE - 1; i++)
        out[i] = digits[i % 2 ? sum[i / 2] & 15 : sum[i / 2] >> 4];
    out[FL_BESIDE_HASH_SIZE - 1] = '\0';
}

void fl_beside_name(const char *kind, const char *hash, const char *suffix,
                    char out[FL_BESIDE_NAME_SIZE])
{
    (void)snprintf(out, FL_BESIDE_NAME_SIZE, FL_BESIDE_PREFIX "%s-%s%s", kind, hash, suffix);
}

int fl_beside_open(int dir_fd, const char *name, int flags)
{
    int safe = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    fl_auto_fd int fd = TEMP_FAILURE_RETRY(openat(dir_fd, name, flags | safe, S_IRUSR | S_IWUSR));
    struct stat found;

    if (fd < 0 || fstat(fd, &found) != 0)
        return -1;
    if (!S_ISREG(found.st_mode) || found.st_uid != geteuid() || found.st_nlink > 1) {
        errno = EPERM;
        return -1;
    }
    return fl_take_fd(&fd);
}

bool fl_beside_is_foreign(int errnum)
{
    return errnum == EPERM || errnum == EACCES || errnum == ELOOP || errnum == EISDIR ||
           errnum == ENXIO || errnum == ENODEV || errnum == ETXTBSY;
}

bool fl_beside_holds(int dir_fd, const char *name, int fd)
{
    struct stat ours;
    struct stat there;

    return fstat(fd, &ours) == 0 && fstatat(dir_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int fl_beside_lock(int fd)
{
    return TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB));
}
