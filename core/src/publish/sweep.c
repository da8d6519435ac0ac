/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/sweep.h"

#include "publish/beside.h"
#include "publish/lockfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct sweep {
    int dir_fd;
    char lock[FL_BESIDE_NAME_SIZE]; /* the lock file's name */
    uint64_t min_age_s;
    void (*told)(void *data, const char *name, uint64_t size);
    void *data;
};

/* The text behind ".flame-KIND-<16 hex>", or NULL if the name does not begin so. */
static const char *rest_of(const char *name, const char *kind, char hash[FL_BESIDE_HASH_SIZE])
{
    size_t digits = FL_BESIDE_HASH_SIZE - 1;
    size_t length = strlen(kind);
    const char *at = name + strlen(FL_BESIDE_PREFIX);

    if (strncmp(name, FL_BESIDE_PREFIX, strlen(FL_BESIDE_PREFIX)) != 0 ||
        strncmp(at, kind, length) != 0 || at[length] != '-' ||
        strspn(at + length + 1, "0123456789abcdef") != digits)
        return NULL;
    memcpy(hash, at + length + 1, digits);
    hash[digits] = '\0';
    return at + length + 1 + digits;
}

static bool is_old(const struct sweep *sweep, const struct stat *found)
{
    time_t now = time(NULL);

    return now >= found->st_mtim.tv_sec &&
           (uint64_t)(now - found->st_mtim.tv_sec) >= sweep->min_age_s;
}

/* Hold an old file of ours that nobody else holds, as `take` does: its descriptor, or -1. */
static int hold(const struct sweep *sweep, const char *name, int (*take)(int fd),
                struct stat *found)
{
    fl_auto_fd int fd = -1;

    if (fstatat(sweep->dir_fd, name, found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(found->st_mode))
        return -1; /* nothing else is opened: to open a device may do something */
    fd = fl_beside_open(sweep->dir_fd, name, 0);
    if (fd < 0 || take(fd) != 0 || !fl_beside_holds(sweep->dir_fd, name, fd) ||
        fstat(fd, found) != 0 || !is_old(sweep, found))
        return -1;
    return fl_take_fd(&fd);
}

static void unlink_and_tell(const struct sweep *sweep, const char *name, const struct stat *found)
{
    if (unlinkat(sweep->dir_fd, name, 0) == 0 && sweep->told)
        sweep->told(sweep->data, name, (uint64_t)found->st_size);
}

static void sweep_file(const struct sweep *sweep, const char *name, int (*take)(int fd))
{
    struct stat found;
    fl_auto_fd int fd = hold(sweep, name, take, &found);

    if (fd >= 0)
        unlink_and_tell(sweep, name, &found);
}

/* true: there is a file of that name, and it is to stay. */
static bool stays(const struct sweep *sweep, const char *name, struct stat *found, int *fd)
{
    *fd = hold(sweep, name, fl_beside_lock, found);
    return *fd < 0 && fstatat(sweep->dir_fd, name, found, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Both or none; the state first, so that a kill leaves no bytes under a state that is going. */
static void sweep_halves(const struct sweep *sweep, const char *part, const char *state)
{
    struct stat of_part, of_state;
    fl_auto_fd int part_fd = -1;
    fl_auto_fd int state_fd = -1;

    if (stays(sweep, part, &of_part, &part_fd) || stays(sweep, state, &of_state, &state_fd))
        return;
    if (state_fd >= 0)
        unlink_and_tell(sweep, state, &of_state);
    if (part_fd >= 0)
        unlink_and_tell(sweep, part, &of_part);
}

static void sweep_partial(const struct sweep *sweep, const char *name, const char *hash)
{
    char part[FL_BESIDE_NAME_SIZE], state[FL_BESIDE_NAME_SIZE];
    struct fl_place place;
    struct stat found;
    bool is_new;
    int fd;

    if (fstatat(sweep->dir_fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !is_old(sweep, &found))
        return; /* before a lock is made for nothing */
    fl_beside_name(FL_BESIDE_PART, hash, "", part);
    fl_beside_name(FL_BESIDE_PART, hash, FL_BESIDE_STATE_SUFFIX, state);
    fl_lockfile_place(hash, &place);
    is_new = faccessat(sweep->dir_fd, sweep->lock, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    fd = fl_lockfile_open(sweep->dir_fd);
    if (fd < 0)
        return;
    if (fl_lockfile_take(fd, &place) == 0 && fl_lockfile_is_named(sweep->dir_fd, fd))
        sweep_halves(sweep, part, state);
    if (is_new)
        fl_lockfile_leave(sweep->dir_fd, fd);
    else
        (void)close(fd); /* it is litter of its own age, if it is litter */
}

static void sweep_entry(const struct sweep *sweep, const char *name)
{
    char hash[FL_BESIDE_HASH_SIZE];
    const char *rest = rest_of(name, FL_BESIDE_PART, hash);

    if (rest && (rest[0] == '\0' || strcmp(rest, FL_BESIDE_STATE_SUFFIX) == 0)) {
        sweep_partial(sweep, name, hash);
        return;
    }
    if (strcmp(name, sweep->lock) == 0) {
        sweep_file(sweep, name, fl_lockfile_take_all);
        return;
    }
    rest = rest_of(name, "tmp", hash);
    if (!rest)
        rest = rest_of(name, "new", hash);
    if (rest && rest[0] == '\0')
        sweep_file(sweep, name, fl_beside_lock);
}

int32_t fl_sweep(const char *dir, uint64_t min_age_s,
                 void (*told)(void *data, const char *name, uint64_t size), void *data,
                 struct flame_error *err)
{
    struct sweep sweep = {.min_age_s = min_age_s, .told = told, .data = data};
    DIR *listing = opendir(dir);
    const struct dirent *entry;
    int errnum;

    if (!listing && errno == ENOENT)
        return fl_fail(err, FLAME_ERR_NOT_FOUND, "there is no directory '%s'", dir);
    if (!listing)
        return fl_fail_errno(err, errno, "cannot read the directory '%s'", dir);
    sweep.dir_fd = dirfd(listing);
    fl_lockfile_name(sweep.lock);
    for (errno = 0; (entry = readdir(listing)) != NULL; errno = 0)
        sweep_entry(&sweep, entry->d_name);
    errnum = errno;
    (void)closedir(listing);
    return errnum == 0 ? FLAME_OK
                       : fl_fail_errno(err, errnum, "cannot read the directory '%s'", dir);
}
