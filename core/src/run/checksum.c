/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "request/sums.h"

#include <string.h>
#include <sys/mman.h>

/* The checksum file's url, absolute. */
static int32_t resolve(const struct fl_run *run, char **out, struct flame_error *err)
{
    if (fl_url_resolve(&run->task.url, run->task.said.checksum_url, out, NULL) != FLAME_OK)
        return fl_fail(err, FLAME_ERR_INVALID_URL, "malformed url of the checksum file");
    return FLAME_OK;
}

static int32_t fetch_file(struct fl_run *run, const char *url, int fd, struct flame_error *err)
{
    struct flame_task task = FLAME_INIT(flame_task);

    task.url = url;
    task.flags = FLAME_TASK_FD | FLAME_TASK_SPOOL;
    task.fd = fd;
    task.max_bytes = FL_SUMS_BYTES_MAX;
    return fl_child_run(run, FLAME_FETCH, &task, NULL, err);
}

static int32_t find_in(int fd, const char *url_path, struct fl_digest *out, struct flame_error *err)
{
    fl_auto_free char *text = malloc(FL_SUMS_BYTES_MAX);
    const char *slash = strrchr(url_path, '/');
    const char *last = slash ? slash + 1 : url_path;
    fl_auto_free char *name = fl_url_decode(last, strlen(last));
    ssize_t size;

    if (!text || !name)
        return fl_fail_memory(err);
    size = TEMP_FAILURE_RETRY(pread(fd, text, FL_SUMS_BYTES_MAX, 0));
    if (size < 0)
        return fl_fail_errno(err, errno, "cannot read the checksum file");
    return fl_sums_find(text, (size_t)size, name, out, err);
}

static int32_t compare_with_said(const struct fl_run *run, const struct fl_digest *found,
                                 struct flame_error *err)
{
    const struct fl_digest *said = &run->task.digest;

    if (said->kind == FL_DIGEST_NONE || said->kind != found->kind || fl_digest_equal(said, found))
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_DIGEST, "the checksum file has another digest than was given");
}

int32_t fl_checksum_settle(struct fl_run *run, struct flame_error *err)
{
    fl_auto_free char *url = NULL;
    struct fl_digest found = {.kind = FL_DIGEST_NONE};
    fl_auto_fd int fd = -1;
    int32_t status;

    if (!run->task.said.checksum_url)
        return FLAME_OK;
    fd = memfd_create("flame-checksums", MFD_CLOEXEC);
    if (fd < 0)
        return fl_fail_errno(err, errno, "cannot make a file for the checksums");
    status = resolve(run, &url, err);
    if (status == FLAME_OK)
        status = fetch_file(run, url, fd, err);
    if (status == FLAME_OK)
        status = find_in(fd, run->task.url.path, &found, err);
    if (status == FLAME_OK)
        status = compare_with_said(run, &found, err);
    if (status != FLAME_OK || run->expected.kind != FL_DIGEST_NONE)
        return status;
    run->expected = found;
    run->digest_from = "checksum-file";
    return FLAME_OK;
}
