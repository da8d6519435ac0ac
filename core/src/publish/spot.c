/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/spot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int32_t check_name(const char *path, const char **name, struct flame_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;

    if (path[0] == '\0')
        return fl_fail(err, FLAME_ERR_UNSAFE_NAME, "the destination is empty");
    if (last[0] == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return fl_fail(err, FLAME_ERR_UNSAFE_NAME, "'%s' names a directory, not a file", path);
    if (strlen(last) > 255)
        return fl_fail(err, FLAME_ERR_UNSAFE_NAME, "the name of '%s' is longer than 255 bytes",
                       path);
    *name = last;
    return FLAME_OK;
}

static bool climbs(const char *path)
{
    while (path) {
        path += strspn(path, "/");
        if (strncmp(path, "..", 2) == 0 && (path[2] == '/' || path[2] == '\0'))
            return true;
        path = strchr(path, '/');
    }
    return false;
}

/* "/a//./b/" becomes "/a/b", "/" becomes "". */
static void squeeze(char *path)
{
    char *save = NULL;
    char *out = path;

    for (char *part = strtok_r(path, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        size_t size = strlen(part);

        if (strcmp(part, ".") == 0)
            continue;
        *out++ = '/';
        memmove(out, part, size);
        out += size;
    }
    *out = '\0';
}

static char *absolute(const char *path)
{
    fl_auto_free char *cwd = NULL;
    char *joined = NULL;

    if (path[0] == '/')
        return strdup(path);
    cwd = getcwd(NULL, 0);
    if (!cwd)
        return NULL;
    joined = malloc(strlen(cwd) + strlen(path) + 2);
    if (joined)
        (void)stpcpy(stpcpy(stpcpy(joined, cwd), "/"), path);
    return joined;
}

static const char *rest_below(const char *path, const char *root)
{
    size_t size = strlen(root);

    return strncmp(path, root, size) == 0 && path[size] == '/' ? path + size + 1 : NULL;
}

/* The path from the root down. Compared as text, against both spellings of the root: what comes out
 * is opened beneath the root whatever it says. */
static int32_t path_below_root(const struct fl_destination *destination, char **out,
                               struct flame_error *err)
{
    fl_auto_free char *real = realpath(destination->root, NULL);
    fl_auto_free char *root = NULL;
    fl_auto_free char *path = NULL;
    const char *rest;

    if (!real)
        return fl_fail_errno(err, errno, "cannot open the root '%s'", destination->root);
    path = absolute(destination->path);
    if (!path)
        return fl_fail_errno(err, errno, "cannot resolve '%s'", destination->path);
    root = strdup(destination->root);
    if (!root)
        return fl_fail_memory(err);
    squeeze(path);
    squeeze(root);
    squeeze(real);
    rest = rest_below(path, root);
    if (!rest)
        rest = rest_below(path, real);
    if (!rest || climbs(destination->path))
        return fl_fail(err, FLAME_ERR_UNSAFE_NAME, "'%s' is not below the root '%s'",
                       destination->path, destination->root);
    *out = strdup(rest);
    return *out ? FLAME_OK : fl_fail_memory(err);
}

/* The parent's path, from the root down where there is one. */
static int32_t find_parent(const struct fl_destination *destination, char **out,
                           struct flame_error *err)
{
    fl_auto_free char *path = NULL;
    char *slash;
    int32_t status = FLAME_OK;

    if (destination->root)
        status = path_below_root(destination, &path, err);
    else
        path = strdup(destination->path);
    if (status != FLAME_OK)
        return status;
    if (!path)
        return fl_fail_memory(err);
    slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = '\0';
    *out = slash ? fl_take(path) : strdup(".");
    return *out ? FLAME_OK : fl_fail_memory(err);
}

static int open_as(int at, const char *path, bool strict, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_DIRECTORY | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    if (!strict)
        return TEMP_FAILURE_RETRY(openat(at, path, (int)how.flags));
    return (int)TEMP_FAILURE_RETRY(syscall(SYS_openat2, at, path, &how, sizeof(how)));
}

/* A directory that may be searched and written but not read is a directory too. */
static int open_directory(int at, const char *path, bool strict)
{
    int fd = open_as(at, path, strict, O_RDONLY);

    return fd < 0 && errno == EACCES ? open_as(at, path, strict, O_PATH) : fd;
}

static int sync_directory(int at)
{
    fl_auto_fd int fd = open_as(at, ".", false, O_RDONLY);

    return fd < 0 ? -1 : TEMP_FAILURE_RETRY(fsync(fd));
}

struct walk {
    bool strict; /* no symbolic link, as openat2 would have it */
    bool create;
    bool sync;
};

static int enter(int at, const char *name, const struct walk *walk)
{
    int flags = O_PATH | O_DIRECTORY | O_CLOEXEC | (walk->strict ? O_NOFOLLOW : 0);
    int fd = TEMP_FAILURE_RETRY(openat(at, name, flags));
    struct stat found;

    if (fd < 0 && errno == ENOENT && walk->create) {
        if (TEMP_FAILURE_RETRY(mkdirat(at, name, 0777)) != 0 && errno != EEXIST)
            return -1;
        if (walk->sync && sync_directory(at) != 0)
            return -1;
        fd = TEMP_FAILURE_RETRY(openat(at, name, flags));
    }
    if (fd < 0 && errno == ENOTDIR && walk->strict &&
        fstatat(at, name, &found, AT_SYMLINK_NOFOLLOW) == 0)
        errno = S_ISLNK(found.st_mode) ? ELOOP : ENOTDIR;
    return fd;
}

/* Component by component: to make what is missing, and where there is no openat2. */
static int walk_to(int at, char *path, const struct walk *walk)
{
    fl_auto_fd int fd = path[0] == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
                                       : openat(at, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *save = NULL;

    for (char *part = strtok_r(path, "/", &save); part && fd >= 0;
         part = strtok_r(NULL, "/", &save)) {
        int next = enter(fd, part, walk);

        if (next < 0)
            return -1;
        (void)close(fd);
        fd = next;
    }
    return fd < 0 ? -1 : open_directory(fd, ".", false);
}

static int open_parent(const struct fl_destination *destination, int at, char *parent)
{
    struct walk walk = {
        .strict = destination->root != NULL,
        .create = (destination->flags & FL_PUBLISH_CREATE_DIRS) != 0,
        .sync = destination->durability == FLAME_DURABILITY_FULL,
    };
    int fd = open_directory(at, parent, walk.strict);

    if (fd < 0 && ((errno == ENOENT && walk.create) || (errno == ENOSYS && walk.strict)))
        fd = walk_to(at, parent, &walk);
    return fd;
}

/* Below a root the names must stay ours between two system calls. */
static int32_t refuse_shared(int dir_fd, const char *path, struct flame_error *err)
{
    struct stat parent;

    if (fstat(dir_fd, &parent) != 0)
        return fl_fail_errno(err, errno, "cannot examine the directory of '%s'", path);
    if ((parent.st_mode & S_IWOTH) && !(parent.st_mode & S_ISVTX))
        return fl_fail(err, FLAME_ERR_UNSAFE_NAME,
                       "the directory of '%s' may be written by everybody", path);
    return FLAME_OK;
}

static int32_t open_directory_of(const struct fl_destination *destination, int *out,
                                 struct flame_error *err)
{
    fl_auto_free char *parent = NULL;
    fl_auto_fd int root_fd = -1;
    fl_auto_fd int fd = -1;
    int32_t status = find_parent(destination, &parent, err);

    if (status != FLAME_OK)
        return status;
    if (destination->root) {
        root_fd = open_as(AT_FDCWD, destination->root, false, O_PATH);
        if (root_fd < 0)
            return fl_fail_errno(err, errno, "cannot open the root '%s'", destination->root);
    }
    fd = open_parent(destination, destination->root ? root_fd : AT_FDCWD, parent);
    if (fd < 0 && destination->root && (errno == ELOOP || errno == EXDEV))
        return fl_fail(err, FLAME_ERR_UNSAFE_NAME,
                       "a symbolic link below the root is on the way to '%s'", destination->path);
    if (fd < 0)
        return fl_fail_errno(err, errno, "cannot open the directory of '%s'", destination->path);
    status = destination->root ? refuse_shared(fd, destination->path, err) : FLAME_OK;
    if (status == FLAME_OK)
        *out = fl_take_fd(&fd);
    return status;
}

int32_t fl_spot_open(const struct fl_destination *destination, struct fl_spot *out,
                     struct flame_error *err)
{
    fl_auto_free char *path = NULL;
    const char *name = NULL;
    int32_t status = check_name(destination->path, &name, err);
    int dir_fd = -1;

    if (status != FLAME_OK)
        return status;
    path = strdup(destination->path);
    if (!path)
        return fl_fail_memory(err);
    status = open_directory_of(destination, &dir_fd, err);
    if (status != FLAME_OK)
        return status;
    *out = (struct fl_spot){.dir_fd = dir_fd, .path = fl_take(path)};
    (void)stpcpy(out->name, name);
    return FLAME_OK;
}

static const char *irreplaceable(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
    case S_IFLNK:
        return NULL;
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a fifo";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

int32_t fl_spot_judge(const struct fl_spot *spot, uint32_t flags, struct flame_error *err)
{
    struct stat found;

    if (fstatat(spot->dir_fd, spot->name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return FLAME_OK;
        return fl_fail_errno(err, errno, "cannot examine '%s'", spot->path);
    }
    if (irreplaceable(found.st_mode))
        return fl_fail(err, FLAME_ERR_IO, "'%s' is %s", spot->path, irreplaceable(found.st_mode));
    if (flags & FL_PUBLISH_KEEP)
        return fl_fail(err, FLAME_ERR_EXISTS, "'%s' already exists", spot->path);
    return FLAME_OK;
}

void fl_spot_done(struct fl_spot *spot)
{
    if (spot->dir_fd >= 0)
        (void)close(spot->dir_fd);
    free(spot->path);
}
