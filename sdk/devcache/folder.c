/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define DRAFT ".new-"
#define SUFFIX ".flame"
#define SHOWN_MAX 48
#define DIGEST_SHOWN 16 /* bytes of it */

bool fl_cache_folder_open(struct fl_cache_folder *folder, const char *path,
                          struct fl_cache_status *status)
{
    fl_auto_fd int fd = -1;

    folder->fd = -1;
    if (!path)
        return true;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fl_cache_fail_errno(status, "could not make the storage directory");
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fl_cache_fail_errno(status, "could not open the storage directory");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? fl_cache_fail(status, FL_CACHE_FAILED_PRECONDITION,
                                   "another server has the storage directory open")
                   : fl_cache_fail_errno(status, "could not lock the storage directory");
    folder->fd = fl_take_fd(&fd);
    return true;
}

void fl_cache_folder_close(struct fl_cache_folder *folder)
{
    if (folder->fd >= 0)
        (void)close(folder->fd);
    folder->fd = -1;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_shown(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

void fl_cache_folder_name(const struct fl_flight_key *key, char name[FL_CACHE_NAME_MAX])
{
    const char *object = strrchr(key->text, '/');
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx hash;
    size_t at = 0;

    sha256_init(&hash);
    sha256_update(&hash, strlen(key->text), (const uint8_t *)key->text);
    sha256_digest(&hash, sizeof(digest), digest);
    for (object = object ? object + 1 : key->text; *object && at < SHOWN_MAX; object++) {
        bool is_awkward = at == 0 && (*object == '.' || *object == '-');

        name[at++] = is_shown(*object) && !is_awkward ? *object : '_';
    }
    name[at++] = '-';
    for (size_t i = 0; i < DIGEST_SHOWN; i++, at += 2)
        (void)snprintf(name + at, FL_CACHE_NAME_MAX - at, "%02x", digest[i]);
    (void)snprintf(name + at, FL_CACHE_NAME_MAX - at, SUFFIX);
}

/* Only what fl_cache_folder_create() makes: others may have hidden files there too. */
static bool is_draft(const char *name)
{
    size_t skip = strlen(DRAFT);

    return strncmp(name, DRAFT, skip) == 0 && name[skip] &&
           name[skip + strspn(name + skip, "0123456789")] == '\0';
}

static bool is_object(const char *name)
{
    size_t size = strlen(name);

    return name[0] != '.' && size > strlen(SUFFIX) && size < FL_CACHE_NAME_MAX &&
           strcmp(name + size - strlen(SUFFIX), SUFFIX) == 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

int fl_cache_folder_create(const struct fl_cache_folder *folder, char name[FL_CACHE_NAME_MAX],
                           struct fl_cache_status *status)
{
    static atomic_ullong counter;
    int fd;

    name[0] = '\0';
    if (folder->fd < 0) {
        fd = memfd_create("flame-devcache", MFD_CLOEXEC);
    } else {
        (void)snprintf(name, FL_CACHE_NAME_MAX, DRAFT "%llu", atomic_fetch_add(&counter, 1));
        fd = openat(folder->fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (fd < 0) {
        (void)fl_cache_fail_errno(status, "could not begin an object");
        name[0] = '\0';
    }
    return fd;
}

bool fl_cache_folder_flush(const struct fl_cache_folder *folder, int fd,
                           struct fl_cache_status *status)
{
    if (folder->fd >= 0 && folder->is_durable && fdatasync(fd) != 0)
        return fl_cache_fail_errno(status, "could not make the object durable");
    return true;
}

bool fl_cache_folder_publish(const struct fl_cache_folder *folder, int fd, const char *draft,
                             const char *name, struct fl_cache_status *status)
{
    if (folder->fd < 0)
        return true;
    if (!fl_cache_folder_flush(folder, fd, status))
        return false;
    if (renameat(folder->fd, draft, folder->fd, name) != 0)
        return fl_cache_fail_errno(status, "could not name the object");
    return true;
}

bool fl_cache_folder_settle(const struct fl_cache_folder *folder, const char *otherwise,
                            struct fl_cache_status *status)
{
    if (folder->fd >= 0 && folder->is_durable && fsync(folder->fd) != 0)
        return fl_cache_fail_errno(status, otherwise);
    return true;
}

bool fl_cache_folder_remove(const struct fl_cache_folder *folder, const char *name,
                            struct fl_cache_status *status)
{
    if (folder->fd < 0 || !name[0] || unlinkat(folder->fd, name, 0) == 0 || errno == ENOENT)
        return true;
    return fl_cache_fail_errno(status, "could not remove an object");
}

int fl_cache_folder_read(const struct fl_cache_folder *folder, const char *name,
                         struct fl_cache_status *status)
{
    int fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        (void)fl_cache_fail_errno(status, "could not open an object");
    return fd;
}

/* NULL = failed, as errno says. */
static DIR *open_entries(const struct fl_cache_folder *folder)
{
    fl_auto_fd int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);

    if (entries)
        (void)fl_take_fd(&fd);
    return entries;
}

bool fl_cache_folder_scan(const struct fl_cache_folder *folder,
                          bool (*found)(void *context, const char *name), void *context,
                          struct fl_cache_status *status)
{
    DIR *entries = folder->fd < 0 ? NULL : open_entries(folder);
    struct dirent *entry;
    bool goes_on = true;

    if (folder->fd < 0)
        return true;
    if (!entries)
        return fl_cache_fail_errno(status, "could not read the storage directory");
    while (goes_on && (errno = 0, entry = readdir(entries))) {
        if (is_draft(entry->d_name))
            goes_on = fl_cache_folder_remove(folder, entry->d_name, status);
        else if (is_object(entry->d_name))
            goes_on = found(context, entry->d_name);
    }
    if (goes_on && errno != 0)
        goes_on = fl_cache_fail_errno(status, "could not read the storage directory");
    (void)closedir(entries);
    return goes_on;
}
