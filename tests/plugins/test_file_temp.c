/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing where the file system or the kernel lacks something: the plugin's own source, over
 * system calls that this test can switch off. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool no_tmpfile, no_noreplace, no_procfs, no_sync;

static int test_openat(int dir, const char *path, int flags, mode_t mode)
{
    if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return openat(dir, path, flags, mode);
}

static int test_renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    if (no_noreplace) {
        errno = EINVAL;
        return -1;
    }
    return renameat2(from, old, to, new, flags);
}

static int test_linkat(int from, const char *old, int to, const char *new, int flags)
{
    if (no_procfs && strncmp(old, "/proc/", 6) == 0) {
        errno = ENOENT;
        return -1;
    }
    return linkat(from, old, to, new, flags);
}

static int test_fsync(int fd)
{
    if (no_sync) {
        errno = EIO;
        return -1;
    }
    return fsync(fd);
}

#define openat test_openat
#define renameat2 test_renameat2
#define linkat test_linkat
#define fsync test_fsync
#include "../../plugins/file/temp.c"
#undef openat
#undef renameat2
#undef linkat
#undef fsync

#include "plugin_host.h"
#include "scratch.h"

int32_t fl_fail_errno(const struct fl_call *call, int errnum, const char *what)
{
    call->host->fail_detail(call->err, FLAME_DETAIL_ERRNO, errnum);
    return flame_fail(call->host, call->err, FLAME_ERR_IO, "%s", what);
}

static struct scratch scratch;
static struct plugin_failure failure;
static struct fl_call call;
static int dir = -1;

static void set_up(void)
{
    scratch_open(&scratch);
    plugin_failure_init(&failure);
    call.host = &plugin_run_table;
    call.err = &failure.error;
    dir = open(scratch.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void tear_down(void)
{
    (void)close(dir);
    scratch_close(&scratch);
}

TestSuite(file_temp, .init = set_up, .fini = tear_down);

static void open_temp(struct fl_temp *temp)
{
    cr_assert_eq(fl_temp_open(&call, dir, temp), FLAME_OK, "%s", failure.error.message);
    cr_assert_eq(write(temp->fd, "new", 3), 3);
    cr_assert_eq(scratch_count(&scratch), no_tmpfile ? 1 : 0);
}

/* Create, fail to create again, replace: nothing but the file is ever left. */
static void create_and_replace(void)
{
    const char *path = scratch_path(&scratch, "target");
    struct fl_temp temp;

    open_temp(&temp);
    cr_assert_eq(fl_temp_create(&call, &temp, "target"), FLAME_OK, "%s", failure.error.message);
    fl_temp_done(&temp);
    cr_assert(scratch_holds(path, "new", 3));
    cr_assert_eq(scratch_count(&scratch), 1);
    scratch_write(&scratch, "target", "old", 3);

    cr_assert_eq(fl_temp_open(&call, dir, &temp), FLAME_OK);
    cr_assert_eq(write(temp.fd, "new", 3), 3);
    cr_assert_eq(fl_temp_create(&call, &temp, "target"), FLAME_ERR_EXISTS);
    cr_assert(scratch_holds(path, "old", 3));
    cr_assert_eq(fl_temp_replace(&call, &temp, "target"), FLAME_OK);
    fl_temp_done(&temp);
    cr_assert(scratch_holds(path, "new", 3));
    cr_assert_eq(scratch_count(&scratch), 1);
}

Test(file_temp, publishes_a_file_without_a_name)
{
    create_and_replace();
}

Test(file_temp, publishes_where_every_file_has_a_name)
{
    no_tmpfile = true;
    create_and_replace();
}

Test(file_temp, publishes_where_a_rename_cannot_refuse_to_replace)
{
    no_tmpfile = true;
    no_noreplace = true;
    create_and_replace();
}

/* By its descriptor a file is linked by root, or since Linux 6.10 by whoever opened it. */
Test(file_temp, publishes_without_procfs_where_the_kernel_can)
{
    struct fl_temp temp;

    no_procfs = true;
    open_temp(&temp);
    if (fl_temp_create(&call, &temp, "target") == FLAME_OK)
        cr_assert(scratch_holds(scratch_path(&scratch, "target"), "new", 3));
    else
        cr_assert_eq(failure.detail[FLAME_DETAIL_ERRNO], ENOENT);
    fl_temp_done(&temp);
}

Test(file_temp, a_hidden_file_given_up_is_removed)
{
    struct fl_temp temp;

    no_tmpfile = true;
    open_temp(&temp);
    fl_temp_done(&temp);
    cr_assert_eq(scratch_count(&scratch), 0);
}

/* A failed rename must not leave the name that a file without one got for it. */
Test(file_temp, a_failed_replacement_leaves_no_hidden_file)
{
    struct fl_temp temp;

    open_temp(&temp);
    cr_assert_eq(mkdirat(dir, "target", 0777), 0);
    cr_assert_eq(fl_temp_replace(&call, &temp, "target"), FLAME_ERR_IO);
    fl_temp_done(&temp);
    cr_assert_eq(scratch_count(&scratch), 1);
}

Test(file_temp, a_directory_that_cannot_be_synced_is_its_own_failure)
{
    cr_assert_eq(fl_sync_directory(&call, dir), FLAME_OK);
    no_sync = true;
    cr_assert_eq(fl_sync_directory(&call, dir), FLAME_ERR_DURABILITY_UNKNOWN);
    cr_assert_eq(failure.detail[FLAME_DETAIL_ERRNO], EIO);
}
