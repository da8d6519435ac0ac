/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/partial.h"

#include "publish/left.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

void fl_kept_init(struct fl_kept *kept, const struct fl_spot *spot)
{
    char hash[FL_BESIDE_HASH_SIZE];

    *kept = (struct fl_kept){.fd = -1};
    fl_beside_hash(spot->name, hash);
    fl_beside_name(FL_BESIDE_PART, hash, "", kept->part);
    fl_beside_name(FL_BESIDE_PART, hash, FL_BESIDE_STATE_SUFFIX, kept->state_name);
}

void fl_kept_done(struct fl_kept *kept, const struct fl_spot *spot, bool leave)
{
    if (kept->fd < 0)
        return;
    if (!leave && fl_beside_holds(spot->dir_fd, kept->state_name, kept->fd))
        (void)unlinkat(spot->dir_fd, kept->state_name, 0);
    (void)close(kept->fd);
    kept->fd = -1;
    kept->synced = 0;
    kept->names_synced = false;
}

static bool copy_text(char *to, const char *from, size_t size)
{
    size_t length = strnlen(from, size);

    memset(to, 0, size);
    memcpy(to, from, length < size ? length : 0);
    return length < size;
}

/* Field by field, so that no stray bytes behind a text's end get into a file. */
static int32_t copy_partial(const struct fl_partial *from, struct fl_partial *to,
                            struct flame_error *err)
{
    if (!copy_text(to->validator, from->validator, sizeof(to->validator)) ||
        !copy_text(to->origin, from->origin, sizeof(to->origin)) ||
        !copy_text(to->digest, from->digest, sizeof(to->digest)))
        return fl_fail(err, FLAME_ERR_INVALID, "a partial's text is not terminated");
    to->total = from->total;
    to->durable = from->durable;
    to->prefix = from->prefix;
    return FLAME_OK;
}

static int32_t record(struct fl_publish *publish, const struct fl_partial *partial,
                      struct flame_error *err)
{
    struct fl_kept *kept = &publish->kept;
    int32_t status = copy_partial(partial, &kept->state.partial, err);

    if (status != FLAME_OK)
        return status;
    if (kept->state.partial.durable > kept->synced)
        kept->state.partial.durable = kept->synced;
    if (fl_state_write(kept->fd, &kept->state) != 0)
        return fl_fail_errno(err, errno, "cannot record the state of '%s'", publish->spot.path);
    return FLAME_OK;
}

/* A state first, then the name: bytes under that name always have one. */
static int32_t begin(struct fl_publish *publish, const struct fl_partial *partial,
                     struct flame_error *err)
{
    struct fl_kept *kept = &publish->kept;
    struct fl_inode *inode = &publish->inode;
    const struct fl_spot *spot = &publish->spot;
    int32_t status;

    kept->state = (struct fl_state){.sequence = 0};
    if (fl_beside_lock(inode->fd) != 0 || fl_state_describe(inode->fd, &kept->state) != 0)
        return fl_fail_errno(err, errno, "cannot keep a part of '%s'", spot->path);
    status = fl_left_clear(spot, kept, inode->is_shared, err);
    if (status != FLAME_OK)
        return status;
    kept->fd = fl_beside_open(spot->dir_fd, kept->state_name, O_CREAT | O_EXCL);
    if (kept->fd < 0)
        return fl_fail_errno(err, errno, "cannot keep a part of '%s'", spot->path);
    status = record(publish, partial, err);
    if (status == FLAME_OK && !inode->is_shared && fl_inode_share(spot, inode, kept->part) != 0)
        status = fl_fail_errno(err, errno, "cannot keep a part of '%s'", spot->path);
    if (status != FLAME_OK)
        fl_kept_done(kept, spot, false);
    return status;
}

static int32_t fail_lost(const struct fl_publish *publish, struct flame_error *err)
{
    return fl_fail_errno(err, publish->lost, "the bytes of '%s' are lost", publish->spot.path);
}

int32_t fl_publish_keep(struct fl_publish *publish, const struct fl_partial *partial,
                        struct flame_error *err)
{
    if (publish->lost != 0)
        return fail_lost(publish, err);
    return publish->kept.fd < 0 ? begin(publish, partial, err) : record(publish, partial, err);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The names outlive a power cut only with their directory; where that cannot be synced they may
 * not, and the next run begins anew. */
static int32_t sync_state(struct fl_publish *publish, struct flame_error *err)
{
    struct fl_kept *kept = &publish->kept;

    if (TEMP_FAILURE_RETRY(fdatasync(kept->fd)) != 0)
        return fl_fail_errno(err, errno, "cannot sync the state of '%s'", publish->spot.path);
    if (!kept->names_synced)
        (void)TEMP_FAILURE_RETRY(fsync(publish->spot.dir_fd));
    kept->names_synced = true;
    return FLAME_OK;
}

int32_t fl_publish_advance(struct fl_publish *publish, struct fl_partial *partial, uint64_t durable,
                           struct flame_error *err)
{
    struct fl_kept *kept = &publish->kept;
    struct stat now;
    int32_t status;

    if (publish->lost != 0)
        return fail_lost(publish, err);
    if (kept->fd < 0 || durable <= kept->synced)
        return FLAME_OK;
    if (fstat(publish->inode.fd, &now) != 0)
        return fl_fail_errno(err, errno, "cannot examine '%s'", publish->spot.path);
    if (TEMP_FAILURE_RETRY(fdatasync(publish->inode.fd)) != 0) {
        publish->lost = errno;
        fl_kept_done(kept, &publish->spot, false);
        return fl_fail_errno(err, publish->lost, "cannot sync '%s'", publish->spot.path);
    }
    kept->synced = least(least(durable, (uint64_t)now.st_size), partial->prefix);
    partial->durable = kept->synced;
    status = record(publish, partial, err);
    return status == FLAME_OK ? sync_state(publish, err) : status;
}

/* A state that promises bytes after a power cut must be gone after one too, before they are. */
static int wipe_state(const struct fl_kept *kept)
{
    if (kept->fd < 0)
        return 0;
    if (TEMP_FAILURE_RETRY(ftruncate(kept->fd, 0)) != 0)
        return -1;
    return kept->synced > 0 ? TEMP_FAILURE_RETRY(fsync(kept->fd)) : 0;
}

int32_t fl_publish_restart(struct fl_publish *publish, struct flame_error *err)
{
    int fd = publish->inode.fd;

    if (publish->lost != 0)
        return fail_lost(publish, err);
    if (wipe_state(&publish->kept) != 0)
        publish->lost = errno;
    fl_kept_done(&publish->kept, &publish->spot, false);
    if (publish->lost == 0 &&
        (TEMP_FAILURE_RETRY(ftruncate(fd, 0)) != 0 || lseek(fd, 0, SEEK_SET) != 0))
        publish->lost = errno;
    if (publish->lost != 0)
        return fl_fail_errno(err, publish->lost, "cannot begin '%s' anew", publish->spot.path);
    return FLAME_OK;
}

void fl_publish_leave(struct fl_publish *publish, bool leave)
{
    publish->is_to_leave = leave;
}

void fl_partial_end(struct fl_publish *publish)
{
    struct stat now;
    bool leave = publish->is_to_leave && publish->kept.fd >= 0 && publish->lost == 0 &&
                 fstat(publish->inode.fd, &now) == 0 && now.st_size > 0;

    fl_kept_done(&publish->kept, &publish->spot, leave);
    if (leave)
        publish->inode.name[0] = '\0';
}
