/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/lock.h"

#include "publish/note.h"
#include "publish/object.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define REOPEN_TRIES 16

struct fl_lock {
    int dir_fd;
    int fd; /* -1: none is open */
    bool is_held;
    bool has_waited; /* another had our place in the file that is open */
    struct fl_place place;
    struct fl_note seen; /* at our place, when we began to wait */
    uint8_t key[FL_LOCK_KEY_BYTES];
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

/* Nobody is left alone with the file: who leaves takes it away if it was the last. */
static void shut(struct fl_lock *lock)
{
    bool is_last = lock->fd >= 0 && !(lock->shelf && fl_shelf_put(lock->shelf, lock->dir_fd));

    if (is_last)
        fl_lockfile_leave(lock->dir_fd, lock->fd);
    else if (lock->fd >= 0)
        (void)close(lock->fd);
    lock->fd = -1;
    lock->is_held = false;
    lock->has_waited = false;
}

static void discard(struct fl_lock *lock)
{
    shut(lock);
    if (lock->shelf)
        fl_shelf_leave(lock->shelf);
    if (lock->dir_fd >= 0)
        (void)close(lock->dir_fd);
    free(lock->path);
    free(lock);
}

static int open_file(struct fl_lock *lock)
{
    lock->fd = fl_lockfile_open(lock->dir_fd);
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
    fl_lockfile_place(hash, &lock->place);
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

void fl_lock_shelve(struct fl_lock *lock, struct fl_shelf *shelf)
{
    lock->shelf = shelf;
    fl_shelf_enter(shelf);
}

/* A note that stood there before we waited is about an earlier request than ours. */
static bool has_been_made(const struct fl_lock *lock)
{
    struct fl_note now;

    if (!lock->has_waited)
        return false;
    fl_note_load(lock->fd, lock->place.note, &now);
    return memcmp(&now, &lock->seen, sizeof(now)) != 0 &&
           fl_note_applies(&now, lock->dir_fd, lock->target, lock->key);
}

/* Our place is taken, but is it in the file that the others see? OK with *is_made or held; CHANGED:
 * the file is a dead one. */
static int32_t judge(struct fl_lock *lock, bool *is_made)
{
    bool is_named = fl_lockfile_is_named(lock->dir_fd, lock->fd);
    bool made = has_been_made(lock);

    if (made || !is_named)
        shut(lock);
    else
        lock->is_held = true;
    if (!made && !is_named)
        return FLAME_ERR_CHANGED;
    *is_made = made;
    return FLAME_OK;
}

/* From now on its holder sees that somebody wants to know what came of it. */
static void begin_to_wait(struct fl_lock *lock)
{
    if (lock->has_waited)
        return;
    lock->has_waited = true;
    fl_lockfile_await(lock->fd, &lock->place);
    fl_note_load(lock->fd, lock->place.note, &lock->seen);
}

static int32_t try_once(struct fl_lock *lock, bool *is_made, struct flame_error *err)
{
    if (lock->fd < 0 && open_file(lock) != 0)
        return fail_to_lock(lock, errno, err);
    if (fl_lockfile_take(lock->fd, &lock->place) == 0)
        return judge(lock, is_made);
    if (errno == EWOULDBLOCK) {
        begin_to_wait(lock);
        return FLAME_ERR_LOCKED;
    }
    if (errno != ESTALE)
        return fail_to_lock(lock, errno, err);
    shut(lock);
    return FLAME_ERR_CHANGED;
}

int32_t fl_lock_try(struct fl_lock *lock, bool *is_made, struct flame_error *err)
{
    int32_t status = FLAME_ERR_CHANGED;

    for (int i = 0; i < REOPEN_TRIES && status == FLAME_ERR_CHANGED; i++)
        status = try_once(lock, is_made, err);
    if (status == FLAME_ERR_CHANGED || status == FLAME_ERR_LOCKED)
        return fl_fail(err, FLAME_ERR_LOCKED, "'%s' is being made by another process", lock->path);
    return status;
}

void fl_lock_close(struct fl_lock *lock, bool made)
{
    if (!lock)
        return;
    if (lock->is_held && made && fl_lockfile_is_awaited(lock->fd, &lock->place))
        fl_note_write(lock->fd, lock->place.note, lock->dir_fd, lock->target, lock->key);
    discard(lock);
}
