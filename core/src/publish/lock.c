/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/lock.h"

#include "publish/beside.h"
#include "publish/note.h"
#include "publish/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define REOPEN_TRIES 16

struct fl_lock {
    int dir_fd;
    int fd; /* -1: none is open */
    bool is_held;
    bool has_waited; /* another held the file that is open */
    uint8_t key[FL_LOCK_KEY_BYTES];
    char name[FL_BESIDE_NAME_SIZE];
    char target[sizeof(((struct fl_spot *)0)->name)];
    char *path;             /* the caller's, for messages */
    struct fl_shelf *shelf; /* or NULL */
};

/* Where a download can do without: what an attacker or a file system may do to the lock must not
 * stop it. What fails beside it as well is left to be an error. */
static int32_t fail_to_lock(const struct fl_lock *lock, int errnum, struct flame_error *err)
{
    switch (errnum) {
    case ENOLCK:
    case ENOSYS:
    case EINVAL:
    case EOPNOTSUPP:
    case EROFS:
    case ENOSPC:
    case EDQUOT:
        break;
    default:
        if (!fl_beside_is_foreign(errnum))
            return fl_fail_errno(err, errnum, "cannot lock '%s'", lock->path);
    }
    return fl_fail(err, FLAME_ERR_UNSUPPORTED, "no lock can be had beside '%s': %s", lock->path,
                   strerror(errnum));
}

static void shut(struct fl_lock *lock)
{
    if (lock->fd >= 0)
        (void)close(lock->fd);
    lock->fd = -1;
    lock->is_held = false;
    lock->has_waited = false;
}

static void discard(struct fl_lock *lock)
{
    shut(lock);
    if (lock->dir_fd >= 0)
        (void)close(lock->dir_fd);
    free(lock->path);
    free(lock);
}

static int open_file(struct fl_lock *lock)
{
    lock->fd = fl_beside_open(lock->dir_fd, lock->name, O_CREAT);
    return lock->fd < 0 ? -1 : 0;
}

int32_t fl_lock_open(const struct fl_publish *publish, const uint8_t key[FL_LOCK_KEY_BYTES],
                     struct fl_lock **out, struct flame_error *err)
{
    const struct fl_spot *spot = &publish->spot;
    struct fl_lock *lock = calloc(1, sizeof(*lock));
    char hash[FL_BESIDE_HASH_SIZE];
    int32_t status = FLAME_OK;

    if (!lock)
        return fl_fail_memory(err);
    lock->fd = -1;
    lock->dir_fd = fcntl(spot->dir_fd, F_DUPFD_CLOEXEC, 0);
    lock->path = strdup(spot->path);
    memcpy(lock->key, key, sizeof(lock->key));
    (void)stpcpy(lock->target, spot->name);
    fl_beside_hash(spot->name, hash);
    fl_beside_name(FL_BESIDE_LOCK, hash, "", lock->name);
    if (!lock->path)
        status = fl_fail_memory(err);
    else if (lock->dir_fd < 0 || open_file(lock) != 0)
        status = fail_to_lock(lock, errno, err);
    if (status == FLAME_OK)
        *out = lock;
    else
        discard(lock);
    return status;
}

static bool has_name(const struct fl_lock *lock)
{
    return fl_beside_holds(lock->dir_fd, lock->name, lock->fd);
}

/* Only the holder of the file that has the name may take the name away. */
static void unlink_held(const struct fl_lock *lock)
{
    if (has_name(lock))
        (void)unlinkat(lock->dir_fd, lock->name, 0);
}

/* Held, but is it the one that the others see? A note counts if the file was open here before its
 * writer let go: we were refused it, or it lost its name after we had opened it. OK with *is_made
 * or held; CHANGED: the file is a dead one. */
static int32_t judge(struct fl_lock *lock, bool *is_made, struct flame_error *err)
{
    bool named = has_name(lock);
    bool made = (lock->has_waited || !named) &&
                fl_note_applies(lock->fd, lock->dir_fd, lock->target, lock->key);

    if (made && named && fl_note_wipe(lock->fd) == 0)
        unlink_held(lock);
    if (made || !named) {
        shut(lock);
        if (!made)
            return FLAME_ERR_CHANGED;
        *is_made = true;
        return FLAME_OK;
    }
    if (fl_note_wipe(lock->fd) != 0) {
        int errnum = errno;

        shut(lock);
        return fail_to_lock(lock, errnum, err);
    }
    lock->is_held = true;
    *is_made = false;
    return FLAME_OK;
}

int32_t fl_lock_try(struct fl_lock *lock, bool *is_made, struct flame_error *err)
{
    int32_t status = FLAME_ERR_CHANGED;

    for (int i = 0; i < REOPEN_TRIES && status == FLAME_ERR_CHANGED; i++) {
        if (lock->fd < 0 && open_file(lock) != 0)
            return fail_to_lock(lock, errno, err);
        if (fl_beside_lock(lock->fd) == 0) {
            status = judge(lock, is_made, err);
            continue;
        }
        if (errno != EWOULDBLOCK)
            return fail_to_lock(lock, errno, err);
        lock->has_waited = true;
        status = FLAME_ERR_LOCKED;
    }
    if (status == FLAME_ERR_CHANGED || status == FLAME_ERR_LOCKED)
        return fl_fail(err, FLAME_ERR_LOCKED, "'%s' is being made by another process", lock->path);
    return status;
}

/* Where nothing can be locked a file that nobody has written into is nobody's. */
static bool is_made_in_vain(const struct fl_lock *lock, int errnum)
{
    struct stat now;

    return errnum != EWOULDBLOCK && fstat(lock->fd, &now) == 0 && now.st_size == 0;
}

/* What we opened, and maybe made, may be held by nobody: it is litter then, and its note, if any,
 * is an old one. */
static void tidy(struct fl_lock *lock)
{
    if (lock->fd < 0)
        return;
    if (fl_beside_lock(lock->fd) != 0) {
        if (is_made_in_vain(lock, errno))
            unlink_held(lock);
        return;
    }
    if (has_name(lock) && fl_note_wipe(lock->fd) == 0)
        unlink_held(lock);
}

void fl_lock_shelve(struct fl_lock *lock, struct fl_shelf *shelf)
{
    lock->shelf = shelf;
    fl_shelf_enter(shelf);
}

/* Before the shelf is cleared the file must not be held by ourselves. */
static void let_go(struct fl_lock *lock)
{
    shut(lock);
    fl_shelf_leave(lock->shelf);
}

void fl_lock_close(struct fl_lock *lock, bool made)
{
    if (!lock)
        return;
    if (lock->is_held) {
        if (made)
            fl_note_write(lock->fd, lock->dir_fd, lock->target, lock->key);
        if (!lock->shelf || !fl_shelf_put(lock->shelf, lock->dir_fd, lock->name))
            unlink_held(lock);
    } else {
        tidy(lock);
    }
    if (lock->shelf)
        let_go(lock);
    discard(lock);
}
