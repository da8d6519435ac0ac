/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/shelf.h"

#include "publish/lockfile.h"

#include <fcntl.h>
#include <sys/stat.h>

struct fl_shelved {
    struct fl_shelved *next;
    int dir_fd;
    dev_t device;
    ino_t inode;
};

void fl_shelf_init(struct fl_shelf *shelf)
{
    *shelf = (struct fl_shelf){.first = NULL};
    (void)pthread_mutex_init(&shelf->lock, NULL);
}

/* It is not made for that. */
static void take_away(int dir_fd)
{
    char name[FL_BESIDE_NAME_SIZE];
    int fd;

    fl_lockfile_name(name);
    fd = fl_beside_open(dir_fd, name, 0);
    if (fd >= 0)
        fl_lockfile_leave(dir_fd, fd);
}

static void clear(struct fl_shelved *dir)
{
    while (dir) {
        struct fl_shelved *next = dir->next;

        take_away(dir->dir_fd);
        (void)close(dir->dir_fd);
        free(dir);
        dir = next;
    }
}

void fl_shelf_done(struct fl_shelf *shelf)
{
    clear(shelf->first);
    (void)pthread_mutex_destroy(&shelf->lock);
}

void fl_shelf_enter(struct fl_shelf *shelf)
{
    (void)pthread_mutex_lock(&shelf->lock);
    shelf->users++;
    (void)pthread_mutex_unlock(&shelf->lock);
}

void fl_shelf_leave(struct fl_shelf *shelf)
{
    struct fl_shelved *all = NULL;

    (void)pthread_mutex_lock(&shelf->lock);
    shelf->users--;
    if (shelf->users == 0) {
        all = shelf->first;
        shelf->first = NULL;
        shelf->dirs = 0;
    }
    (void)pthread_mutex_unlock(&shelf->lock);
    clear(all);
}

static bool has_dir(const struct fl_shelf *shelf, const struct stat *facts)
{
    const struct fl_shelved *dir = shelf->first;

    while (dir && (dir->device != facts->st_dev || dir->inode != facts->st_ino))
        dir = dir->next;
    return dir != NULL;
}

static bool add_dir(struct fl_shelf *shelf, int dir_fd, const struct stat *facts)
{
    struct fl_shelved *dir = shelf->dirs < FL_SHELF_DIRS ? calloc(1, sizeof(*dir)) : NULL;

    if (!dir)
        return false;
    dir->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    if (dir->dir_fd < 0) {
        free(dir);
        return false;
    }
    dir->device = facts->st_dev;
    dir->inode = facts->st_ino;
    dir->next = shelf->first;
    shelf->first = dir;
    shelf->dirs++;
    return true;
}

bool fl_shelf_put(struct fl_shelf *shelf, int dir_fd)
{
    struct stat facts;
    bool is_there = false;

    if (fstat(dir_fd, &facts) != 0)
        return false;
    (void)pthread_mutex_lock(&shelf->lock);
    if (shelf->users > 1) /* who is alone takes away his own */
        is_there = has_dir(shelf, &facts) || add_dir(shelf, dir_fd, &facts);
    (void)pthread_mutex_unlock(&shelf->lock);
    return is_there;
}
