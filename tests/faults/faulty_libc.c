/* SPDX-License-Identifier: Apache-2.0 */
/* For LD_PRELOAD: a C library that is short of something, as the environment says.
 *     FAULTY_MALLOC=N   the Nth allocation fails, counted over all threads
 *     FAULTY_LASTING=1  and so do all after it
 *     FAULTY_OURS=1     only what our program, libraries and plugins ask for is counted and fails,
 *                       also where they let the C library, the loader, jansson or libyaml ask
 *     FAULTY_SHORT=N    a read or write of a file, pipe or socket moves N bytes at most, and each
 *                       second call of a thread is interrupted before it moves any
 *     FAULTY_REFUSE=N   the first N of the kernel's ways to copy are refused: to share blocks,
 *                       copy_file_range(), sendfile()
 *     FAULTY_REPORT=F   at the end "ALLOCATIONS FAILED SHORTENED INTERRUPTED LEFT WHERE LOST" is
 *                       written to F. LEFT: how many blocks were not freed, of those that ours
 *                       asked for, under FAULTY_OURS. OBJECT+OFFSET of a caller each are WHERE,
 *                       the last whose allocation failed, and LOST, one whose block is left
 * Nothing is counted before the constructor has run. */
#include "faulty_libc.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct faulty_state faulty;
static _Thread_local unsigned turn;

static unsigned long number(const char *name)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    faulty.at_most = number("FAULTY_SHORT");
    faulty.is_lasting = number("FAULTY_LASTING") != 0;
    faulty.only_ours = number("FAULTY_OURS") != 0;
    faulty.refused_ways = number("FAULTY_REFUSE");
    faulty.report = getenv("FAULTY_REPORT");
    faulty.fatal = number("FAULTY_MALLOC");
    faulty.is_counting = 1;
}

/* "libcurl.so.4+0x1234" */
static void describe(uintptr_t caller, char *out, size_t size)
{
    struct dl_find_object found;
    const char *name;

    if (caller == 0 || _dl_find_object((void *)caller, &found) != 0) {
        (void)snprintf(out, size, "-");
        return;
    }
    name = strrchr(found.dlfo_link_map->l_name, '/');
    (void)snprintf(out, size, "%s+0x%lx", name ? name + 1 : "flame-fetch",
                   (unsigned long)(caller - found.dlfo_link_map->l_addr));
}

__attribute__((destructor)) static void end(void)
{
    char where[128];
    char lost[128];
    uintptr_t loser = 0;
    unsigned long left;
    char text[512];
    int size;
    int fd;

    faulty.is_counting = 0;
    faulty.at_most = 0;
    if (!faulty.report)
        return;
    left = faulty_blocks_left(&loser);
    describe(faulty.last_caller, where, sizeof(where));
    describe(loser, lost, sizeof(lost));
    size = snprintf(text, sizeof(text), "%lu %lu %lu %lu %lu %s %s\n", faulty.allocations,
                    faulty.failed, faulty.shortened, faulty.interrupted, left, where, lost);
    fd = open(faulty.report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && syscall(SYS_write, fd, text, (size_t)size) == size)
        (void)close(fd);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* An eventfd or a timer knows no short transfers. */
static int may_be_short(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 &&
           (S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

#define INTERRUPTED SIZE_MAX

/* How much of `wanted` a call may move. */
static size_t allowed(int fd, size_t wanted)
{
    if (faulty.at_most == 0 || wanted == 0 || !may_be_short(fd))
        return wanted;
    if (turn++ % 2 == 0) {
        atomic_fetch_add(&faulty.interrupted, 1);
        errno = EINTR;
        return INTERRUPTED;
    }
    if (wanted <= faulty.at_most)
        return wanted;
    atomic_fetch_add(&faulty.shortened, 1);
    return faulty.at_most;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    size_t room = allowed(fd, size);

    return room == INTERRUPTED ? -1 : syscall(SYS_pwrite64, fd, bytes, room, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    size_t room = allowed(fd, size);

    return room == INTERRUPTED ? -1 : syscall(SYS_pread64, fd, bytes, room, offset);
}

ssize_t pread64(int fd, void *bytes, size_t size, off_t offset)
{
    return pread(fd, bytes, size, offset);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    size_t room = allowed(fd, size);

    return room == INTERRUPTED ? -1 : syscall(SYS_write, fd, bytes, room);
}

ssize_t read(int fd, void *bytes, size_t size)
{
    size_t room = allowed(fd, size);

    return room == INTERRUPTED ? -1 : syscall(SYS_read, fd, bytes, room);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    size_t room = allowed(fd, size);

    return room == INTERRUPTED ? -1 : syscall(SYS_recvfrom, fd, bytes, room, flags, NULL, NULL);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    size_t room = allowed(fd, size);

    return room == INTERRUPTED ? -1 : syscall(SYS_sendto, fd, bytes, room, flags, NULL, 0);
}

static int is_refused_way(unsigned long number_of_way)
{
    errno = EXDEV;
    return faulty.refused_ways >= number_of_way;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *argument;

    va_start(arguments, request);
    argument = va_arg(arguments, void *);
    va_end(arguments);
    if (request == FICLONERANGE && is_refused_way(1))
        return -1;
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t size,
                        unsigned flags)
{
    size_t room;

    if (is_refused_way(2))
        return -1;
    room = allowed(to, size);
    return room == INTERRUPTED
               ? -1
               : syscall(SYS_copy_file_range, from, from_offset, to, to_offset, room, flags);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t size)
{
    size_t room;

    if (is_refused_way(3))
        return -1;
    room = allowed(to, size);
    return room == INTERRUPTED ? -1 : syscall(SYS_sendfile, to, from, offset, room);
}

ssize_t sendfile64(int to, int from, off_t *offset, size_t size)
{
    return sendfile(to, from, offset, size);
}

/* What _FORTIFY_SOURCE makes of the calls above. */
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t capacity)
{
    return size > capacity ? (abort(), -1) : read(fd, bytes, size);
}

ssize_t __pread_chk(int fd, void *bytes, size_t size, off_t offset, size_t capacity)
{
    return size > capacity ? (abort(), -1) : pread(fd, bytes, size, offset);
}

ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t offset, size_t capacity)
{
    return __pread_chk(fd, bytes, size, offset, capacity);
}

ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t capacity, int flags)
{
    return size > capacity ? (abort(), -1) : recv(fd, bytes, size, flags);
}
