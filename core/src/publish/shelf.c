/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/shelf.h"

#include "publish/beside.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The names of one directory. */
struct fl_shelved {
    struct fl_shelved *next;
    int dir_fd;
    dev_t device;
    ino_t inode;
    char (*names)[FL_BESIDE_NAME_SIZE];
    uint32_t count;
    uint32_t room;
};

void fl_shelf_init(struct fl_shelf *shelf)
{
    *shelf = (struct fl_shelf){.first = NULL};
    (void)pthread_mutex_init(&shelf->lock, NULL);
}

/* Only from the holder of the file that has the name may the name be taken away. */
static void take_away(int dir_fd, const char *name)
{
    fl_auto_fd int fd = fl_beside_open(dir_fd, name, 0);

    if (fd >= 0 && fl_beside_lock(fd) == 0 && fl_beside_holds(dir_fd, name, fd))
        (void)unlinkat(dir_fd, name, 0);
}

static void clear(struct fl_shelved *dir)
{
    while (dir) {
        struct fl_shelved *next = dir->next;

        for (uint32_t i = 0; i < dir->count; i++)
            take_away(dir->dir_fd, dir->names[i]);
        (void)close(dir->dir_fd);
        free(dir->names);
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

static struct fl_shelved *find_dir(const struct fl_shelf *shelf, const struct stat *facts)
{
    struct fl_shelved *dir = shelf->first;

    while (dir && (dir->device != facts->st_dev || dir->inode != facts->st_ino))
        dir = dir->next;
    return dir;
}

static struct fl_shelved *add_dir(struct fl_shelf *shelf, int dir_fd, const struct stat *facts)
{
    struct fl_shelved *dir = shelf->dirs < FL_SHELF_DIRS ? calloc(1, sizeof(*dir)) : NULL;

    if (!dir)
        return NULL;
    dir->dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    if (dir->dir_fd < 0) {
        free(dir);
        return NULL;
    }
    dir->device = facts->st_dev;
    dir->inode = facts->st_ino;
    dir->next = shelf->first;
    shelf->first = dir;
    shelf->dirs++;
    return dir;
}

static bool add_name(struct fl_shelved *dir, const char *name)
{
    if (dir->count == dir->room) {
        uint32_t room = dir->room ? 2 * dir->room : 16;
        void *grown =
            room <= FL_SHELF_NAMES ? realloc(dir->names, room * sizeof(*dir->names)) : NULL;

        if (!grown)
            return false;
        dir->names = grown;
        dir->room = room;
    }
    (void)stpncpy(dir->names[dir->count++], name, FL_BESIDE_NAME_SIZE);
    return true;
}

bool fl_shelf_put(struct fl_shelf *shelf, int dir_fd, const char *name)
{
    struct fl_shelved *dir = NULL;
    struct stat facts;
    bool is_there;

    if (fstat(dir_fd, &facts) != 0)
        return false;
    (void)pthread_mutex_lock(&shelf->lock);
    if (shelf->users > 1) /* who is alone takes away his own */
        dir = find_dir(shelf, &facts);
    if (shelf->users > 1 && !dir)
        dir = add_dir(shelf, dir_fd, &facts);
    is_there = dir && add_name(dir, name);
    (void)pthread_mutex_unlock(&shelf->lock);
    return is_there;
}
