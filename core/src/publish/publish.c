/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/publish.h"

#include "publish/object.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

int32_t fl_publish_open(const struct fl_destination *destination, struct fl_publish **out,
                        struct flame_error *err)
{
    struct fl_publish *publish = calloc(1, sizeof(*publish));
    int32_t status;

    if (!publish)
        return fl_fail_memory(err);
    publish->spot.dir_fd = -1;
    publish->inode.fd = -1;
    publish->kept.fd = -1;
    publish->space_reserve = destination->space_reserve;
    publish->commit =
        (struct fl_commit){.flags = destination->flags, .durability = destination->durability};
    status = fl_spot_open(destination, &publish->spot, err);
    if (status == FLAME_OK)
        status = fl_spot_judge(&publish->spot, destination->flags, err);
    if (status == FLAME_OK)
        status = fl_inode_open(&publish->spot, &publish->inode, err);
    if (status != FLAME_OK) {
        fl_publish_free(publish);
        return status;
    }
    fl_kept_init(&publish->kept, &publish->spot);
    *out = publish;
    return FLAME_OK;
}

int fl_publish_fd(const struct fl_publish *publish)
{
    return publish->inode.fd;
}

int fl_publish_open_current(const struct fl_publish *publish)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    fl_auto_fd int fd = TEMP_FAILURE_RETRY(openat(publish->spot.dir_fd, publish->spot.name, flags));
    struct stat found;

    if (fd < 0 || fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
        return -1;
    return fl_take_fd(&fd);
}

/* The room is looked at, not taken. fallocate() does not pay: on ext4, with writeback started
 * early, 1 GiB took 0.36 to 0.47 s without it and 0.37 to 2.7 s with it, 64 MiB the same; and where
 * it fails it keeps all it could get. */
int32_t fl_publish_expect(struct fl_publish *publish, uint64_t size, struct flame_error *err)
{
    struct statvfs fs;
    struct stat now;
    uint64_t held, room;

    if (fstatvfs(publish->inode.fd, &fs) != 0)
        return fl_fail_errno(err, errno, "cannot tell how much space is left for '%s'",
                             publish->spot.path);
    room = (uint64_t)fs.f_bavail * fs.f_frsize;
    room = room > publish->space_reserve ? room - publish->space_reserve : 0;
    if (fs.f_blocks == 0 || size <= room) /* a file system without blocks does not say */
        return FLAME_OK;
    if (fstat(publish->inode.fd, &now) != 0)
        return fl_fail_errno(err, errno, "cannot tell the size of '%s'", publish->spot.path);
    held = (uint64_t)now.st_blocks * 512;
    if (size > held && size - held > room)
        return fl_fail(err, FLAME_ERR_NO_SPACE,
                       "'%s' needs %llu bytes, and %llu are left beside a reserve of %llu",
                       publish->spot.path, (unsigned long long)(size - held),
                       (unsigned long long)room, (unsigned long long)publish->space_reserve);
    return FLAME_OK;
}

int32_t fl_publish_commit(struct fl_publish *publish, const int64_t *mtime_ns,
                          struct flame_error *err)
{
    struct fl_kept *kept = &publish->kept;
    int32_t status;

    if (publish->lost != 0)
        return fl_fail_errno(err, publish->lost, "the bytes of '%s' are lost", publish->spot.path);
    publish->commit.mtime_ns = mtime_ns;
    publish->commit.state = kept->fd >= 0 ? kept->state_name : NULL;
    status = fl_commit(&publish->spot, &publish->inode, &publish->commit, err);
    fl_kept_done(kept, &publish->spot, false);
    return status;
}

void fl_publish_free(struct fl_publish *publish)
{
    if (!publish)
        return;
    fl_partial_end(publish);
    fl_inode_done(&publish->spot, &publish->inode);
    fl_spot_done(&publish->spot);
    free(publish);
}
