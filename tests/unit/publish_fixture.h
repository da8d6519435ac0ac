/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary directory as working directory, and publishing into it in one line. */
#ifndef PUBLISH_FIXTURE_H
#define PUBLISH_FIXTURE_H

#include "publish/lockfile.h"
#include "publish/publish.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char dir[256];

static inline int remove_entry(const char *path, const struct stat *status, int type,
                               struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static inline void enter_temp_dir(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)umask(022);
    (void)snprintf(dir, sizeof(dir), "%s/fl-publish-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
}

static inline void leave_temp_dir(void)
{
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0); /* where become_ordinary() was here */
    cr_assert_eq(chdir("/"), 0);
    (void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct fl_destination to(const char *path)
{
    return (struct fl_destination){.path = path, .durability = FLAME_DURABILITY_FULL};
}

static inline struct fl_publish *opened(const struct fl_destination *destination)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_publish *publish = NULL;

    cr_assert_eq(fl_publish_open(destination, &publish, &err), FLAME_OK, "%s", err.message);
    return publish;
}

static inline struct fl_publish *opened_with(const struct fl_destination *destination,
                                             const char *text)
{
    struct fl_publish *publish = opened(destination);

    cr_assert_eq(write(fl_publish_fd(publish), text, strlen(text)), (ssize_t)strlen(text));
    return publish;
}

static inline void commit(struct fl_publish *publish)
{
    struct flame_error err = FLAME_INIT(flame_error);

    cr_assert_eq(fl_publish_commit(publish, NULL, &err), FLAME_OK, "%s", err.message);
    fl_publish_free(publish);
}

static inline void publish_text(const struct fl_destination *destination, const char *text)
{
    commit(opened_with(destination, text));
}

static inline void expect_refusal(const struct fl_destination *destination, int32_t status,
                                  const char *message)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct fl_publish *publish = NULL;

    cr_expect_eq(fl_publish_open(destination, &publish, &err), status, "'%s': %s",
                 destination->path, err.message);
    cr_expect_null(publish);
    cr_expect_not_null(strstr(err.message, message), "%s", err.message);
}

static inline void expect_commit_refusal(struct fl_publish *publish, int32_t status,
                                         const char *message)
{
    struct flame_error err = FLAME_INIT(flame_error);

    cr_expect_eq(fl_publish_commit(publish, NULL, &err), status, "%s", err.message);
    cr_expect_not_null(strstr(err.message, message), "%s", err.message);
    fl_publish_free(publish);
}

static inline void put_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(close(fd), 0);
}

static inline void expect_text(const char *path, const char *text)
{
    char found[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    cr_assert_geq(fd, 0, "'%s' is missing", path);
    size = read(fd, found, sizeof(found) - 1);
    cr_assert_eq(close(fd), 0);
    cr_expect_eq(size, (ssize_t)strlen(text));
    cr_expect_str_eq(found, text);
}

static inline int count_entries(const char *path)
{
    DIR *listing = opendir(path);
    int count = 0;

    cr_assert_not_null(listing);
    while (readdir(listing))
        count++;
    (void)closedir(listing);
    return count - 2;
}

/* The one lock file of the directory. */
static inline const char *lock_name(void)
{
    static char name[FL_BESIDE_NAME_SIZE];

    fl_lockfile_name(name);
    return name;
}

static inline mode_t mode_of(const char *path)
{
    struct stat found;

    cr_assert_eq(lstat(path, &found), 0, "'%s' is missing", path);
    return found.st_mode;
}

#endif
