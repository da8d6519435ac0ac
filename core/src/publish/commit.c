/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/commit.h"

#include "publish/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NS_PER_S 1000000000

static int set_mtime(int fd, int64_t mtime_ns)
{
    int64_t rest = mtime_ns % NS_PER_S;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};

    times[1].tv_sec = mtime_ns / NS_PER_S - (rest < 0);
    times[1].tv_nsec = rest < 0 ? rest + NS_PER_S : rest;
    return futimens(fd, times);
}

/* NFS and FUSE tell of a failed write at a close, if at no fsync. */
static int flush(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (copy < 0)
        return -1;
    return close(copy) != 0 && errno != EINTR ? -1 : 0;
}

/* After a failed fsync the kernel takes the lost pages for clean, so a second one would lie: an
 * error is final. EINTR is not about pages. */
static int32_t settle(const struct fl_spot *spot, const struct fl_inode *inode,
                      const struct fl_commit *commit, struct flame_error *err)
{
    int fd = inode->fd;
    bool lazy = commit->durability == FLAME_DURABILITY_NONE;

    if (inode->is_private && TEMP_FAILURE_RETRY(fchmod(fd, inode->mode)) != 0)
        return fl_fail_errno(err, errno, "cannot set the mode of '%s'", spot->path);
    if (commit->mtime_ns && TEMP_FAILURE_RETRY(set_mtime(fd, *commit->mtime_ns)) != 0)
        return fl_fail_errno(err, errno, "cannot set the time of '%s'", spot->path);
    if (lazy && flush(fd) != 0)
        return fl_fail_errno(err, errno, "cannot write '%s'", spot->path);
    if (!lazy && TEMP_FAILURE_RETRY(fsync(fd)) != 0)
        return fl_fail_errno(err, errno, "cannot sync '%s'", spot->path);
    return FLAME_OK;
}

/* A call that was repeated, by us after EINTR or by NFS after a lost answer, may find its own work
 * done and call that an error. */
static bool is_in_place(const struct fl_spot *spot, int fd)
{
    return fl_beside_holds(spot->dir_fd, spot->name, fd);
}

static int32_t fail_to_place(const struct fl_spot *spot, int errnum, struct flame_error *err)
{
    if (errnum == EEXIST)
        return fl_fail(err, FLAME_ERR_EXISTS, "'%s' already exists", spot->path);
    return fl_fail_errno(err, errnum, "cannot put '%s' in place", spot->path);
}

static int32_t move(const struct fl_spot *spot, struct fl_inode *inode, uint32_t flags,
                    struct flame_error *err)
{
    int dir_fd = spot->dir_fd;
    int32_t status = fl_spot_judge(spot, flags, err);
    int result;

    if (status != FLAME_OK)
        return status;
    if (flags & FL_PUBLISH_KEEP)
        result = fl_inode_move(spot, inode, spot->name);
    else
        result = TEMP_FAILURE_RETRY(renameat(dir_fd, inode->name, dir_fd, spot->name));
    if (result != 0) {
        int errnum = errno;

        if (!is_in_place(spot, inode->fd))
            return fail_to_place(spot, errnum, err);
        fl_inode_unname(spot, inode);
    }
    inode->name[0] = '\0';
    return FLAME_OK;
}

static int32_t put_in_place(const struct fl_spot *spot, struct fl_inode *inode, uint32_t flags,
                            struct flame_error *err)
{
    if (inode->name[0] == '\0') {
        int errnum;

        if (fl_inode_link(spot, inode, spot->name) == 0)
            return FLAME_OK;
        errnum = errno;
        if (is_in_place(spot, inode->fd))
            return FLAME_OK;
        if (errnum != EEXIST || (flags & FL_PUBLISH_KEEP))
            return fail_to_place(spot, errnum, err);
        if (fl_inode_hide(spot, inode) != 0)
            return fl_fail_errno(err, errno, "cannot put '%s' in place", spot->path);
    }
    if (inode->is_shared && fl_inode_conceal(spot, inode) != 0)
        return fl_fail_errno(err, errno, "cannot put '%s' in place", spot->path);
    return move(spot, inode, flags, err);
}

/* Where the directory may not be read (EBADF: O_PATH) or its file system has no fsync for one
 * (EINVAL), the whole file system is synced. */
static int32_t sync_spot(const struct fl_spot *spot, int fd, struct flame_error *err)
{
    int result = TEMP_FAILURE_RETRY(fsync(spot->dir_fd));

    if (result != 0 && (errno == EBADF || errno == EINVAL))
        result = TEMP_FAILURE_RETRY(syncfs(fd));
    if (result == 0)
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_DURABILITY_UNKNOWN,
                   "'%s' is in place, but its directory cannot be synced: %s", spot->path,
                   strerror(errno));
}

int32_t fl_commit(const struct fl_spot *spot, struct fl_inode *inode,
                  const struct fl_commit *commit, struct flame_error *err)
{
    int32_t status = settle(spot, inode, commit, err);

    if (status == FLAME_OK)
        status = put_in_place(spot, inode, commit->flags, err);
    if (status != FLAME_OK) {
        fl_inode_unname(spot, inode);
        return status;
    }
    if (commit->state)
        (void)unlinkat(spot->dir_fd, commit->state, 0);
    if (commit->durability != FLAME_DURABILITY_FULL)
        return FLAME_OK;
    return sync_spot(spot, inode->fd, err);
}
