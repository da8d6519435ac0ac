/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

/* A rename on the way makes the kernel's walk below a directory start again. */
#define WALK_TRIES 16

/* The length of the first directory of a list, without slashes at its end (for "/" it is 0). */
static size_t root_length(const char *roots)
{
    size_t size = strcspn(roots, ":");

    while (size > 0 && roots[size - 1] == '/')
        size--;
    return size;
}

/* The next directory of a list, or NULL. */
static const char *next_root(const char *roots)
{
    roots += strcspn(roots, ":");
    return *roots ? roots + 1 : NULL;
}

int32_t fl_roots_check(const struct flame_host *host, const char *roots, struct flame_error *err)
{
    for (; roots; roots = next_root(roots)) {
        if (roots[0] != '/')
            return flame_fail(host, err, FLAME_ERR_INVALID,
                              "option '" FL_OPTION_ROOTS "': '%.*s' is not an absolute directory",
                              (int)strcspn(roots, ":"), roots);
        if (root_length(roots) >= PATH_MAX)
            return flame_fail(host, err, FLAME_ERR_INVALID,
                              "option '" FL_OPTION_ROOTS "': a directory is too long");
    }
    return FLAME_OK;
}

static int open_how(int dir, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                           .mode = 0,
                           .resolve = resolve | RESOLVE_NO_MAGICLINKS};
    int fd;

    for (int tries = 0; tries < WALK_TRIES; tries++) {
        fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    /* An old kernel, or an old sandbox that refuses what it does not know. Below a root there is
     * no second way that is as safe. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM) && resolve == 0)
        fd = openat(dir, path, flags | O_CLOEXEC);
    return fd;
}

/* Open what is left of `path` below one allowed directory; EXDEV when it is not below it. */
static int open_below(const char *root, size_t size, const char *path, int flags)
{
    char name[PATH_MAX];
    const char *rest = path + size;
    fl_auto_fd int dir = -1;

    if (strncmp(path, root, size) != 0 || (*rest && *rest != '/')) {
        errno = EXDEV;
        return -1;
    }
    memcpy(name, root, size);
    memcpy(name + size, "/", size + 1 < sizeof(name) ? 2 : 0);
    dir = open_how(AT_FDCWD, name, O_PATH | O_DIRECTORY, 0);
    if (dir < 0)
        return -1;
    rest += strspn(rest, "/");
    return open_how(dir, *rest ? rest : ".", flags, RESOLVE_BENEATH);
}

static int open_allowed(const char *roots, const char *path, int flags)
{
    int fd = -1;

    if (!roots)
        return open_how(AT_FDCWD, path, flags, 0);
    for (; roots; roots = next_root(roots)) {
        fd = open_below(roots, root_length(roots), path, flags);
        if (fd >= 0 || errno != EXDEV)
            break;
    }
    return fd;
}

/* Make a directory, for good, and step into it. Nobody's link is followed. */
static int make_and_enter(int at, const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        errno = ENOENT;
        return -1;
    }
    if (mkdirat(at, name, 0777) != 0 && errno != EEXIST)
        return -1;
    if (fsync(at) != 0)
        return -1;
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Open the deepest directory of `path` that is there; *rest = what is missing behind it. */
static int open_deepest(const char *roots, const char *path, const char **rest)
{
    char shorter[PATH_MAX];
    size_t size = strlen(path);
    int fd = -1;

    errno = ENOENT;
    memcpy(shorter, path, size + 1);
    while (fd < 0 && errno == ENOENT && size > 1) {
        do
            size--;
        while (size > 0 && path[size] != '/');
        shorter[size > 0 ? size : 1] = '\0';
        fd = open_allowed(roots, shorter, O_RDONLY | O_DIRECTORY);
    }
    *rest = path + size;
    return fd;
}

static int make_directories(const char *roots, const char *path)
{
    const char *rest;
    int fd = open_deepest(roots, path, &rest);

    while (fd >= 0 && *(rest += strspn(rest, "/"))) {
        fl_auto_fd int at = fd;
        size_t size = strcspn(rest, "/");
        char name[NAME_MAX + 1];

        if (size > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, rest, size);
        name[size] = '\0';
        fd = make_and_enter(at, name);
        rest += size;
    }
    return fd;
}

int32_t fl_path_open(const struct fl_call *call, const char *path, int flags, int *fd)
{
    const struct flame_host *host = call->host;
    const char *roots = host->option_get(host, call->transfer, FL_OPTION_ROOTS);
    int32_t status = roots ? fl_roots_check(host, roots, call->err) : FLAME_OK;
    int opened;

    if (status != FLAME_OK)
        return status;
    opened = open_allowed(roots, path, flags);
    if (opened < 0 && errno == ENOENT && call->request->flags & FLAME_REQUEST_CREATE_DIRS)
        opened = make_directories(roots, path);
    if (opened >= 0) {
        *fd = opened;
        return FLAME_OK;
    }
    if (errno == EXDEV)
        return flame_fail(host, call->err, FLAME_ERR_POLICY, "not below an allowed directory");
    if (errno == ELOOP)
        return flame_fail(host, call->err, FLAME_ERR_POLICY,
                          "too many links on the way, or one that procfs made");
    return fl_fail_errno(call, errno, "cannot open it");
}

int32_t fl_place_open(const struct fl_call *call, int *dir, const char **name)
{
    const char *last = strrchr(call->path, '/') + 1;
    size_t size = (size_t)(last - call->path);
    char parent[PATH_MAX];
    int32_t status;

    if (!*last)
        return flame_fail(call->host, call->err, FLAME_ERR_INVALID_URL, "it names no file");
    if (strlen(last) > NAME_MAX)
        return flame_fail(call->host, call->err, FLAME_ERR_UNSAFE_NAME,
                          "the name is longer than any file's");
    memcpy(parent, call->path, size);
    parent[size > 1 ? size - 1 : size] = '\0';
    status = fl_path_open(call, parent, O_RDONLY | O_DIRECTORY, dir);
    if (status == FLAME_OK)
        *name = last;
    return status;
}
