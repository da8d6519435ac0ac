/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>

#define NS_PER_S 1000000000LL
/* Twice the coarsest kernel tick, from which file systems take their times ... */
#define SETTLED_NS (20 * 1000000LL)
/* ... and more than the two seconds of file systems that store no fractions. */
#define SETTLED_COARSE_NS (3 * NS_PER_S)

/* Regular files without bytes of their own: reading, or even opening, one runs code. */
static const uint32_t synthetic_filesystems[] = {
    PROC_SUPER_MAGIC, SYSFS_MAGIC,    DEBUGFS_MAGIC,      TRACEFS_MAGIC,       SECURITYFS_MAGIC,
    SELINUX_MAGIC,    SMACK_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC,
    PSTOREFS_MAGIC,   EFIVARFS_MAGIC, BINFMTFS_MAGIC,     NSFS_MAGIC,
};

int32_t fl_fail_kind(const struct fl_call *call, mode_t mode)
{
    const char *kind = S_ISDIR(mode)    ? "a directory"
                       : S_ISLNK(mode)  ? "a symbolic link"
                       : S_ISFIFO(mode) ? "a pipe"
                       : S_ISSOCK(mode) ? "a socket"
                                        : "a device";

    return flame_fail(call->host, call->err, FLAME_ERR_POLICY, "it is not a regular file but %s",
                      kind);
}

int32_t fl_judge_filesystem(const struct fl_call *call, int fd)
{
    struct statfs filesystem;
    size_t count = sizeof(synthetic_filesystems) / sizeof(synthetic_filesystems[0]);

    if (fstatfs(fd, &filesystem) != 0)
        return fl_fail_errno(call, errno, "cannot look at its file system");
    for (size_t i = 0; i < count; i++)
        if ((uint32_t)filesystem.f_type == synthetic_filesystems[i])
            return flame_fail(call->host, call->err, FLAME_ERR_POLICY,
                              "it lies on a file system that the kernel makes up");
    return FLAME_OK;
}

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
}

/* Equal validators must mean equal bytes. Every change gives a file a new ctime, which no program
 * can set; but two changes within one tick of the kernel's clock get the same. So a validator is
 * strong only when the last change is older than a tick: the next one will show. Until then the
 * text differs ("w" in front) and is the same as no other. What is left: a clock that is set back,
 * and a writer through mmap, whose changes show when the kernel writes them out. */
static void describe(struct fl_version *version, int64_t now_ns)
{
    const struct stat *status = &version->status;
    int64_t mtime_ns = nanoseconds(&status->st_mtim);
    int64_t ctime_ns = nanoseconds(&status->st_ctim);
    int64_t settled_ns = status->st_ctim.tv_nsec ? SETTLED_NS : SETTLED_COARSE_NS;

    version->strong = now_ns - ctime_ns > settled_ns;
    (void)snprintf(version->validator, sizeof(version->validator),
                   "%s%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64,
                   version->strong ? "" : "w", (uint64_t)status->st_dev, (uint64_t)status->st_ino,
                   (uint64_t)status->st_size, (uint64_t)mtime_ns, (uint64_t)ctime_ns);
}

/* Taken before the file is looked at: what happens in between must count as new. */
static int64_t wall_clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return nanoseconds(&now);
}

int32_t fl_version_of(const struct fl_call *call, int fd, struct fl_version *out)
{
    int64_t now_ns = wall_clock_ns();

    if (fstat(fd, &out->status) != 0)
        return fl_fail_errno(call, errno, "cannot look at it");
    if (!S_ISREG(out->status.st_mode))
        return fl_fail_kind(call, out->status.st_mode);
    describe(out, now_ns);
    return fl_judge_filesystem(call, fd);
}

int32_t fl_version_at(const struct fl_call *call, int dir, const char *name, struct fl_version *out)
{
    int64_t now_ns = wall_clock_ns();

    *out = (struct fl_version){.strong = false};
    if (fstatat(dir, name, &out->status, AT_SYMLINK_NOFOLLOW) == 0)
        describe(out, now_ns);
    else if (errno != ENOENT)
        return fl_fail_errno(call, errno, "cannot look at it");
    return FLAME_OK;
}

bool fl_version_is(const struct fl_version *version, const char *validator)
{
    return validator && version->strong && strcmp(version->validator, validator) == 0;
}

bool fl_version_same(const struct stat *before, const struct stat *after)
{
    return before->st_size == after->st_size &&
           nanoseconds(&before->st_mtim) == nanoseconds(&after->st_mtim) &&
           nanoseconds(&before->st_ctim) == nanoseconds(&after->st_ctim);
}

struct flame_object fl_version_object(const struct fl_version *version)
{
    struct flame_object object = FLAME_INIT(flame_object);

    object.flags = FLAME_OBJECT_SIZE | FLAME_OBJECT_MTIME | FLAME_OBJECT_RANGES |
                   (version->strong ? FLAME_OBJECT_STRONG : 0);
    object.total_size = (uint64_t)version->status.st_size;
    object.mtime_ns = nanoseconds(&version->status.st_mtim);
    object.validator = version->validator;
    return object;
}
