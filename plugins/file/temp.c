/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#define NAME_TRIES 8
/* The umask makes the mode of it, as for any file that a program creates. */
#define FILE_MODE 0666

static void hidden_name(char *out, size_t capacity)
{
    uint64_t random = 0;

    /* Without randomness the name is only easier to guess: it is made with O_EXCL. */
    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    (void)snprintf(out, capacity, ".flame-%016" PRIx64, random);
}

static int open_hidden(int dir, char *name, size_t capacity)
{
    int fd = -1;

    for (int tries = 0; fd < 0 && tries < NAME_TRIES; tries++) {
        hidden_name(name, capacity);
        fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        if (fd < 0 && errno != EEXIST)
            break;
    }
    return fd;
}

int32_t fl_temp_open(const struct fl_call *call, int dir, struct fl_temp *out)
{
    struct fl_temp temp = {.dir = dir, .fd = -1, .name = ""};

    temp.fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
    if (temp.fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT))
        temp.fd = open_hidden(dir, temp.name, sizeof(temp.name));
    if (temp.fd < 0)
        return fl_fail_errno(call, errno, "cannot make a file there");
    *out = temp;
    return FLAME_OK;
}

/* Name a file that has none: through procfs, or by its descriptor where the kernel allows that. */
static int link_unnamed(const struct fl_temp *temp, const char *name)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", temp->fd);
    if (linkat(AT_FDCWD, path, temp->dir, name, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != ENOENT)
        return -1;
    return linkat(temp->fd, "", temp->dir, name, AT_EMPTY_PATH);
}

static int rename_absent(struct fl_temp *temp, const char *name)
{
    if (renameat2(temp->dir, temp->name, temp->dir, name, RENAME_NOREPLACE) == 0) {
        temp->name[0] = '\0';
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return linkat(temp->dir, temp->name, temp->dir, name, 0); /* done() removes the first name */
}

int32_t fl_temp_create(const struct fl_call *call, struct fl_temp *temp, const char *name)
{
    int failed = temp->name[0] ? rename_absent(temp, name) : link_unnamed(temp, name);

    if (failed && errno == EEXIST)
        return flame_fail(call->host, call->err, FLAME_ERR_EXISTS, "it already exists");
    return failed ? fl_fail_errno(call, errno, "cannot give the file its name") : FLAME_OK;
}

int32_t fl_temp_replace(const struct fl_call *call, struct fl_temp *temp, const char *name)
{
    char hidden[sizeof(temp->name)];

    if (!temp->name[0]) {
        hidden_name(hidden, sizeof(hidden));
        if (link_unnamed(temp, hidden) != 0)
            return fl_fail_errno(call, errno, "cannot give the file a name");
        memcpy(temp->name, hidden, sizeof(hidden));
    }
    if (renameat(temp->dir, temp->name, temp->dir, name) != 0)
        return fl_fail_errno(call, errno, "cannot replace it");
    temp->name[0] = '\0';
    return FLAME_OK;
}

void fl_temp_done(struct fl_temp *temp)
{
    if (temp->fd < 0)
        return;
    if (temp->name[0])
        (void)unlinkat(temp->dir, temp->name, 0);
    (void)close(temp->fd);
}

int32_t fl_sync_directory(const struct fl_call *call, int dir)
{
    if (fsync(dir) == 0)
        return FLAME_OK;
    call->host->fail_detail(call->err, FLAME_DETAIL_ERRNO, errno);
    return flame_fail(call->host, call->err, FLAME_ERR_DURABILITY_UNKNOWN,
                      "done, but the directory could not be synced");
}
