/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/inode.h"

#include "base/read.h"
#include "publish/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define NAME_TRIES 16
#define MODE 0666
#define USUAL_UMASK 022
#define STATUS_SIZE 4096
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

/* The path below /proc gives a nameless inode a name later, for all: linkat(AT_EMPTY_PATH) is a
 * privilege before Linux 6.10. */
static bool can_be_named(int fd)
{
    static atomic_bool has_proc; /* of this process, and it does not lose it */
    char path[PROC_PATH_SIZE];

    if (atomic_load(&has_proc))
        return true;
    proc_path(fd, path);
    if (access(path, F_OK) == 0)
        atomic_store(&has_proc, true);
    return atomic_load(&has_proc);
}

/* It has its mode at once: nobody but us can open what has no name, and so the kernel applies umask
 * and ACL, which could not be asked for otherwise. */
static int open_nameless(const struct fl_spot *spot, struct fl_inode *inode)
{
    fl_auto_fd int fd =
        TEMP_FAILURE_RETRY(openat(spot->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE));
    struct stat found;

    if (fd < 0 || fstat(fd, &found) != 0)
        return -1;
    if (!can_be_named(fd)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    inode->mode = found.st_mode & MODE;
    return fl_take_fd(&fd);
}

/* umask() can only be asked by changing it, for every thread. Without /proc the usual one is taken;
 * a passing lack (descriptors, memory) must not widen the mode, so it is an error. */
static int read_umask(mode_t *out)
{
    char text[STATUS_SIZE];
    fl_auto_fd int fd = TEMP_FAILURE_RETRY(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
    const char *line;
    ssize_t size;

    if (fd < 0 && errno != ENOENT && errno != EACCES && errno != EPERM)
        return -1;
    size = fd < 0 ? 0 : fl_read_all(fd, text, sizeof(text) - 1);
    if (size < 0)
        return -1;
    text[size] = '\0';
    line = strstr(text, "\nUmask:");
    *out = line ? (mode_t)strtoul(line + strlen("\nUmask:"), NULL, 8) & 0777 : USUAL_UMASK;
    return 0;
}

static int open_hidden(const struct fl_spot *spot, struct fl_inode *inode)
{
    mode_t umask_now;
    int fd = -1;

    if (read_umask(&umask_now) != 0)
        return -1;
    inode->mode = MODE & ~umask_now;
    inode->is_private = true;
    for (int i = 0; i < NAME_TRIES && fd < 0; i++) {
        if (hidden_name("tmp", inode->name, sizeof(inode->name)) != 0)
            return -1;
        fd = TEMP_FAILURE_RETRY(openat(spot->dir_fd, inode->name,
                                       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                       S_IRUSR | S_IWUSR));
        if (fd < 0 && errno != EEXIST)
            return -1;
    }
    if (fd >= 0)
        (void)fl_beside_lock(fd);
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
    struct fl_inode inode = {.fd = -1};

    inode.fd = open_nameless(spot, &inode);
    if (inode.fd < 0 && means_unsupported(errno))
        inode.fd = open_hidden(spot, &inode);
    if (inode.fd < 0)
        return fl_fail_errno(err, errno, "cannot make a file beside '%s'", spot->path);
    *out = inode;
    return FLAME_OK;
}

int fl_inode_link(const struct fl_spot *spot, const struct fl_inode *inode, const char *name)
{
    static atomic_bool is_refused; /* what is a privilege here stays one */
    char path[PROC_PATH_SIZE];

    if (!atomic_load(&is_refused)) {
        if (TEMP_FAILURE_RETRY(linkat(inode->fd, "", spot->dir_fd, name, AT_EMPTY_PATH)) == 0)
            return 0;
        if (errno != ENOENT)
            return -1;
        atomic_store(&is_refused, true);
    }
    proc_path(inode->fd, path);
    return TEMP_FAILURE_RETRY(linkat(AT_FDCWD, path, spot->dir_fd, name, AT_SYMLINK_FOLLOW));
}

int fl_inode_hide(const struct fl_spot *spot, struct fl_inode *inode)
{
    struct fl_inode hidden = *inode;

    (void)fl_beside_lock(inode->fd);
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

int fl_inode_move(const struct fl_spot *spot, const struct fl_inode *inode, const char *name)
{
    int dir_fd = spot->dir_fd;
    int result;

    if (inode->name[0] == '\0')
        return fl_inode_link(spot, inode, name);
    result = TEMP_FAILURE_RETRY(renameat2(dir_fd, inode->name, dir_fd, name, RENAME_NOREPLACE));
    if (result == 0 || (errno != EINVAL && errno != ENOSYS))
        return result;
    result = TEMP_FAILURE_RETRY(linkat(dir_fd, inode->name, dir_fd, name, 0));
    if (result == 0)
        (void)unlinkat(dir_fd, inode->name, 0);
    return result;
}

int fl_inode_share(const struct fl_spot *spot, struct fl_inode *inode, const char *name)
{
    if (!inode->is_private && TEMP_FAILURE_RETRY(fchmod(inode->fd, S_IRUSR | S_IWUSR)) != 0)
        return -1;
    inode->is_private = true;
    if (fl_inode_move(spot, inode, name) != 0 && !fl_beside_holds(spot->dir_fd, name, inode->fd))
        return -1;
    (void)snprintf(inode->name, sizeof(inode->name), "%s", name);
    inode->is_shared = true;
    return 0;
}

int fl_inode_conceal(const struct fl_spot *spot, struct fl_inode *inode)
{
    struct fl_inode hidden = *inode;
    int dir_fd = spot->dir_fd;
    int result;

    if (hidden_name("new", hidden.name, sizeof(hidden.name)) != 0)
        return -1;
    result = TEMP_FAILURE_RETRY(renameat(dir_fd, inode->name, dir_fd, hidden.name));
    if (fl_beside_holds(dir_fd, hidden.name, inode->fd)) {
        hidden.is_shared = false;
        *inode = hidden;
        return 0;
    }
    if (result != 0)
        return -1;
    (void)renameat2(dir_fd, hidden.name, dir_fd, inode->name, RENAME_NOREPLACE);
    errno = ESTALE;
    return -1;
}

/* Under the partial's name another's file may stand by now. */
void fl_inode_unname(const struct fl_spot *spot, struct fl_inode *inode)
{
    bool ours = !inode->is_shared || fl_beside_holds(spot->dir_fd, inode->name, inode->fd);

    if (inode->name[0] != '\0' && ours)
        (void)unlinkat(spot->dir_fd, inode->name, 0);
    inode->name[0] = '\0';
    inode->is_shared = false;
}

void fl_inode_done(const struct fl_spot *spot, struct fl_inode *inode)
{
    fl_inode_unname(spot, inode);
    if (inode->fd >= 0)
        (void)close(inode->fd);
}
