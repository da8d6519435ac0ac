/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/left.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct left {
    int fd; /* the partial, held by flock(); -1: none that we would ever use */
    int state_fd;
    bool is_absent; /* nothing has the partial's name */
    bool is_in_use; /* by another process */
    struct fl_state state;
    uint64_t usable;
};

static void left_done(const struct left *left)
{
    if (left->fd >= 0)
        (void)close(left->fd);
    if (left->state_fd >= 0)
        (void)close(left->state_fd);
}

/* -1 in `out` where nothing is, or what we would never use. */
static int32_t open_if_ours(const struct fl_spot *spot, const char *name, int *out,
                            struct flame_error *err)
{
    *out = fl_beside_open(spot->dir_fd, name, 0);
    if (*out >= 0 || errno == ENOENT || fl_beside_is_foreign(errno))
        return FLAME_OK;
    return fl_fail_errno(err, errno, "cannot open what is left of '%s'", spot->path);
}

/* Whoever had it may have published it between our open and our flock(). */
static int32_t hold(const struct fl_spot *spot, const struct fl_kept *kept, struct left *left,
                    struct flame_error *err)
{
    int32_t status = open_if_ours(spot, kept->part, &left->fd, err);

    left->is_absent = left->fd < 0 && errno == ENOENT;
    if (status != FLAME_OK || left->fd < 0)
        return status;
    if (fl_beside_lock(left->fd) == 0)
        left->is_in_use = !fl_beside_holds(spot->dir_fd, kept->part, left->fd);
    else if (errno == EWOULDBLOCK)
        left->is_in_use = true;
    else
        status = fl_fail_errno(err, errno, "cannot lock what is left of '%s'", spot->path);
    return status;
}

static int32_t examine(const struct fl_spot *spot, const struct fl_kept *kept, struct left *left,
                       struct flame_error *err)
{
    int32_t status = hold(spot, kept, left, err);
    struct fl_state now;
    struct stat found;

    if (status != FLAME_OK || left->fd < 0 || left->is_in_use)
        return status;
    status = open_if_ours(spot, kept->state_name, &left->state_fd, err);
    if (status != FLAME_OK || left->state_fd < 0)
        return status;
    if (fl_state_read(left->state_fd, &left->state) != 0)
        return errno == EBADMSG
                   ? FLAME_OK
                   : fl_fail_errno(err, errno, "cannot read what is left of '%s'", spot->path);
    if (fstat(left->fd, &found) != 0 || fl_state_describe(left->fd, &now) != 0)
        return fl_fail_errno(err, errno, "cannot examine what is left of '%s'", spot->path);
    left->usable = fl_state_usable(&left->state, &now, (uint64_t)found.st_size);
    left->state.mount = now.mount;
    memcpy(left->state.boot, now.boot, sizeof(now.boot));
    return FLAME_OK;
}

/* To look first is cheaper than to be refused: only a change of the directory excludes others. */
static void unlink_if_there(int dir_fd, const char *name)
{
    if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        (void)unlinkat(dir_fd, name, 0);
}

static void unlink_both(const struct fl_spot *spot, const struct fl_kept *kept, bool has_part)
{
    unlink_if_there(spot->dir_fd, kept->state_name);
    if (has_part)
        unlink_if_there(spot->dir_fd, kept->part);
}

int32_t fl_left_clear(const struct fl_spot *spot, const struct fl_kept *kept, bool is_ours,
                      struct flame_error *err)
{
    struct left left = {.fd = -1, .state_fd = -1};
    int32_t status = is_ours ? FLAME_OK : hold(spot, kept, &left, err);

    if (status == FLAME_OK && left.is_in_use)
        status = fl_fail(err, FLAME_ERR_LOCKED,
                         "a part of '%s' is being written by another process", spot->path);
    if (status == FLAME_OK)
        unlink_both(spot, kept, !is_ours && !left.is_absent);
    left_done(&left);
    return status;
}

/* First the bytes are cut, then the state says that this boot vouches for them. */
static int take_over(struct left *left)
{
    struct fl_partial *partial = &left->state.partial;

    if (TEMP_FAILURE_RETRY(fchmod(left->fd, S_IRUSR | S_IWUSR)) != 0 ||
        TEMP_FAILURE_RETRY(ftruncate(left->fd, (off_t)left->usable)) != 0 ||
        lseek(left->fd, 0, SEEK_END) < 0)
        return -1;
    if (partial->prefix != UINT64_MAX)
        partial->prefix = left->usable;
    return fl_state_write(left->state_fd, &left->state);
}

static void become(struct fl_publish *publish, struct left *left)
{
    struct fl_kept *kept = &publish->kept;

    mode_t mode = publish->inode.mode;

    fl_inode_done(&publish->spot, &publish->inode);
    publish->inode = (struct fl_inode){
        .fd = fl_take_fd(&left->fd), .is_shared = true, .is_private = true, .mode = mode};
    memcpy(publish->inode.name, kept->part, strlen(kept->part) + 1);
    kept->fd = fl_take_fd(&left->state_fd);
    kept->state = left->state;
    kept->synced = left->state.partial.durable;
}

static int32_t fail_nothing(const struct fl_spot *spot, struct flame_error *err)
{
    return fl_fail(err, FLAME_ERR_NOT_FOUND, "nothing usable of '%s' was left", spot->path);
}

static bool is_absent(const struct fl_spot *spot, const char *name)
{
    return faccessat(spot->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

int32_t fl_publish_adopt(struct fl_publish *publish, struct fl_partial *out, uint64_t *usable,
                         struct flame_error *err)
{
    struct fl_kept *kept = &publish->kept;
    const struct fl_spot *spot = &publish->spot;
    struct left left = {.fd = -1, .state_fd = -1};
    int32_t status;

    if (is_absent(spot, kept->state_name) && is_absent(spot, kept->part))
        return fail_nothing(spot, err); /* the usual case */
    status = examine(spot, kept, &left, err);
    if (status == FLAME_OK && left.usable == 0) {
        if (!left.is_in_use)
            unlink_both(spot, kept, !left.is_absent);
        status = fail_nothing(spot, err);
    }
    if (status == FLAME_OK && take_over(&left) != 0)
        status = fl_fail_errno(err, errno, "cannot take over what is left of '%s'", spot->path);
    if (status == FLAME_OK) {
        become(publish, &left);
        *out = left.state.partial;
        *usable = left.usable;
    }
    left_done(&left);
    return status;
}
