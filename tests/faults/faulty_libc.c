/* SPDX-License-Identifier: Apache-2.0 */
/* For LD_PRELOAD: a C library that is short of something, as the environment says.
 *     FAULTY_MALLOC=N   the Nth allocation fails, counted over all threads
 *     FAULTY_LASTING=1  and so do all after it
 *     FAULTY_OURS=1     only what our program, library and plugins ask for is counted and fails,
 *                       also where they let the C library, the loader or jansson ask
 *     FAULTY_SHORT=N    a read or write of a file, pipe or socket moves N bytes at most, and each
 *                       second call of a thread is interrupted before it moves any
 *     FAULTY_REFUSE=N   the first N of the kernel's ways to copy are refused: to share blocks,
 *                       copy_file_range(), sendfile()
 *     FAULTY_REPORT=F   at the end "ALLOCATIONS FAILED SHORTENED INTERRUPTED WHERE" is written to
 *                       F; WHERE is OBJECT+OFFSET of the last caller whose allocation failed
 * Nothing is counted before the constructor has run. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong fatal; /* 0 = no allocation fails */
static atomic_int is_counting;
static int is_lasting;
static int only_ours;
static size_t at_most;
static unsigned long refused_ways;
static const char *report;
static atomic_ulong allocations;
static atomic_ulong failed;
static atomic_ulong shortened;
static atomic_ulong interrupted;
static atomic_uintptr_t last_caller;
static _Thread_local unsigned turn;
static _Thread_local int is_walking;

static unsigned long number(const char *name)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void)
{
    at_most = number("FAULTY_SHORT");
    is_lasting = number("FAULTY_LASTING") != 0;
    only_ours = number("FAULTY_OURS") != 0;
    refused_ways = number("FAULTY_REFUSE");
    report = getenv("FAULTY_REPORT");
    fatal = number("FAULTY_MALLOC");
    is_counting = 1;
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
    char text[256];
    int size;
    int fd;

    is_counting = 0;
    at_most = 0;
    if (!report)
        return;
    describe(last_caller, where, sizeof(where));
    size = snprintf(text, sizeof(text), "%lu %lu %lu %lu %s\n", allocations, failed, shortened,
                    interrupted, where);
    fd = open(report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && syscall(SYS_write, fd, text, (size_t)size) == size)
        (void)close(fd);
}

/* ---- memory ---------------------------------------------------------------------------------- */

enum owner { OURS, FOREIGN, TRANSPARENT };

/* Whose code is at that address? Transparent is what allocates for whoever called it. */
static enum owner owner_of(uintptr_t address)
{
    static const char *const transparent[] = {"/libc.so.", "/ld-linux", "/libjansson.so.",
                                              "/faulty_libc.so"};
    struct dl_find_object found;
    const char *path;

    if (_dl_find_object((void *)address, &found) != 0)
        return FOREIGN;
    path = found.dlfo_link_map->l_name;
    if (!*path || strstr(path, "/libflame-fetch.so") || strstr(path, "/flame/plugins/"))
        return OURS;
    for (size_t i = 0; i < sizeof(transparent) / sizeof(*transparent); i++)
        if (strstr(path, transparent[i]))
            return TRANSPARENT;
    return FOREIGN;
}

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *data)
{
    enum owner owner = owner_of(_Unwind_GetIP(context));

    if (owner == TRANSPARENT)
        return _URC_NO_REASON;
    *(enum owner *)data = owner;
    return _URC_END_OF_STACK;
}

static int is_ours(uintptr_t caller)
{
    enum owner owner = owner_of(caller);

    if (owner != TRANSPARENT || is_walking)
        return owner == OURS;
    is_walking = 1;
    (void)_Unwind_Backtrace(look, &owner);
    is_walking = 0;
    return owner == OURS;
}

static int is_refused(const void *caller)
{
    unsigned long count;

    if (!is_counting || (only_ours && !is_ours((uintptr_t)caller)))
        return 0;
    count = atomic_fetch_add(&allocations, 1) + 1;
    if (fatal == 0 || count < fatal || (count > fatal && !is_lasting))
        return 0;
    atomic_fetch_add(&failed, 1);
    last_caller = (uintptr_t)caller;
    errno = ENOMEM;
    return 1;
}

#define IS_REFUSED() is_refused(__builtin_return_address(0))

void *malloc(size_t size)
{
    return IS_REFUSED() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return IS_REFUSED() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return IS_REFUSED() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return IS_REFUSED() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    int before = errno;
    void *made = IS_REFUSED() ? NULL : __libc_memalign(alignment, size);

    errno = before;
    if (!made)
        return ENOMEM;
    *out = made;
    return 0;
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
    if (at_most == 0 || wanted == 0 || !may_be_short(fd))
        return wanted;
    if (turn++ % 2 == 0) {
        atomic_fetch_add(&interrupted, 1);
        errno = EINTR;
        return INTERRUPTED;
    }
    if (wanted <= at_most)
        return wanted;
    atomic_fetch_add(&shortened, 1);
    return at_most;
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
    return refused_ways >= number_of_way;
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
