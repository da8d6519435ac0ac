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

static bool no_tmpfile, no_noreplace, no_procfs;
static int syncs_left = 100;

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
    if (syncs_left-- <= 0) {
        errno = EIO;
        return -1;
    }
    return fsync(fd);
}

#include "../../plugins/file/call.c"
#include "../../plugins/file/path.c"
#include "../../plugins/file/version.c"

#define openat test_openat
#define renameat2 test_renameat2
#define linkat test_linkat
#define fsync test_fsync
#include "../../plugins/file/store.c"
#include "../../plugins/file/temp.c"
#undef openat
#undef renameat2
#undef linkat
#undef fsync

#include "plugin_host.h"
#include "scratch.h"

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
    cr_assert_eq(fl_temp_replace(&call, &temp, "target"), FLAME_ERR_POLICY);
    fl_temp_done(&temp);
    cr_assert_eq(scratch_count(&scratch), 1);
}

Test(file_temp, a_directory_that_cannot_be_synced_is_its_own_failure)
{
    cr_assert_eq(fl_sync_directory(&call, dir), FLAME_OK);
    syncs_left = 0;
    cr_assert_eq(fl_sync_directory(&call, dir), FLAME_ERR_DURABILITY_UNKNOWN);
    cr_assert_eq(failure.detail[FLAME_DETAIL_ERRNO], EIO);
}

/* ---- a whole store ---- */

static struct flame_instance instance = {.host = NULL};

static int32_t store_init(const struct flame_host *host, struct flame_instance **out,
                          struct flame_error *err)
{
    (void)err;
    instance.host = host;
    *out = &instance;
    return FLAME_OK;
}

static void store_shutdown(struct flame_instance *made)
{
    (void)made;
}

static const struct flame_plugin store_plugin = {.struct_size = sizeof(store_plugin),
                                                 .init = store_init,
                                                 .shutdown = store_shutdown,
                                                 .store = fl_file_store};

/* Store with so many syncs that succeed. */
static void store_with_syncs(int syncs, int32_t expected, size_t files)
{
    struct plugin_host *host = plugin_host_new(&store_plugin);
    struct plugin_run run;

    syncs_left = syncs;
    plugin_run_init(&run, host, scratch_url(&scratch, "target"));
    run.source = "new";
    run.source_size = 3;
    cr_assert_eq(plugin_run_store(&run), expected, "%s", run.failure.error.message);
    cr_assert_eq(run.finishes, expected == FLAME_OK);
    cr_assert_eq(scratch_count(&scratch), files);
    plugin_run_done(&run);
    plugin_host_close(host);
}

Test(file_temp, a_store_is_done_when_file_and_directory_are_synced)
{
    for (int i = 0; i < 2; i++) {
        no_tmpfile = i;
        store_with_syncs(0, FLAME_ERR_IO, 0);
        store_with_syncs(1, FLAME_ERR_DURABILITY_UNKNOWN, 1);
        cr_assert(scratch_holds(scratch_path(&scratch, "target"), "new", 3));
        store_with_syncs(2, FLAME_OK, 1);
        cr_assert_eq(unlinkat(dir, "target", 0), 0);
    }
}

Test(file_temp, a_file_that_had_a_hidden_name_has_the_mode_of_any_other)
{
    mode_t before = umask(027);
    struct stat status;

    no_tmpfile = true;
    store_with_syncs(2, FLAME_OK, 1);
    cr_assert_eq(fstatat(dir, "target", &status, 0), 0);
    cr_assert_eq(status.st_mode & 07777, 0640);
    (void)umask(before);
}
