/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#define NAME_TRIES 16
#define PROC_PATH_SIZE 32

static void proc_path(int fd, char *out)
{
    (void)snprintf(out, PROC_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* Nobody can guess it, so nobody can be waiting there. */
static int hidden_name(const char *kind, char *out, size_t size)
{
    unsigned long long number;

    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        return -1;
    (void)snprintf(out, size, ".flame-%s-%016llx", kind, number);
    return 0;
}

/* Only the path below /proc gives it a name later: linkat(AT_EMPTY_PATH) is a privilege before
 * Linux 6.10. */
static int open_nameless(const struct fl_spot *spot)
{
    fl_auto_fd int fd = TEMP_FAILURE_RETRY(
        openat(spot->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
    char path[PROC_PATH_SIZE];

    if (fd < 0)
        return -1;
    proc_path(fd, path);
    if (access(path, F_OK) != 0) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return fl_take_fd(&fd);
}

static int open_hidden(const struct fl_spot *spot, struct fl_inode *inode)
{
    int fd = -1;

    for (int i = 0; i < NAME_TRIES && fd < 0; i++) {
        if (hidden_name("tmp", inode->name, sizeof(inode->name)) != 0)
            return -1;
        fd = TEMP_FAILURE_RETRY(openat(spot->dir_fd, inode->name,
                                       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                       S_IRUSR | S_IWUSR));
        if (fd < 0 && errno != EEXIST)
            return -1;
    }
    return fd;
}

/* What file systems without nameless inodes say: NFS, FUSE, vfat; ENOENT and EISDIR where the flag
 * is not known at all. */
static bool means_unsupported(int errnum)
{
    return errnum == EOPNOTSUPP || errnum == EISDIR || errnum == ENOENT || errnum == EINVAL;
}

int32_t fl_inode_open(const struct fl_spot *spot, struct fl_inode *out, struct flame_error *err)
{
    struct fl_inode inode = {.fd = open_nameless(spot)};

    if (inode.fd < 0 && means_unsupported(errno))
        inode.fd = open_hidden(spot, &inode);
    if (inode.fd < 0)
        return fl_fail_errno(err, errno, "cannot make a file beside '%s'", spot->path);
    *out = inode;
    return FLAME_OK;
}

int fl_inode_link(const struct fl_spot *spot, const struct fl_inode *inode, const char *name)
{
    char path[PROC_PATH_SIZE];

    proc_path(inode->fd, path);
    return TEMP_FAILURE_RETRY(linkat(AT_FDCWD, path, spot->dir_fd, name, AT_SYMLINK_FOLLOW));
}

int fl_inode_hide(const struct fl_spot *spot, struct fl_inode *inode)
{
    struct fl_inode hidden = *inode;

    for (int i = 0; i < NAME_TRIES; i++) {
        if (hidden_name("new", hidden.name, sizeof(hidden.name)) != 0)
            return -1;
        if (fl_inode_link(spot, inode, hidden.name) == 0) {
            *inode = hidden;
            return 0;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

void fl_inode_unname(const struct fl_spot *spot, struct fl_inode *inode)
{
    if (inode->name[0] != '\0')
        (void)unlinkat(spot->dir_fd, inode->name, 0);
    inode->name[0] = '\0';
}

void fl_inode_done(const struct fl_spot *spot, struct fl_inode *inode)
{
    fl_inode_unname(spot, inode);
    if (inode->fd >= 0)
        (void)close(inode->fd);
}
