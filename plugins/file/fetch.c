/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* The bytes that are still to be delivered. */
struct part {
    uint64_t offset;
    uint64_t left;
};

static int32_t fail_changed(const struct fl_call *call)
{
    return flame_fail(call->host, call->err, FLAME_ERR_CHANGED,
                      "the source changed while it was read");
}

/* Look before opening: already the open of a device or a pipe can do something. */
static int32_t open_source(const struct fl_call *call, struct fl_version *version, int *fd)
{
    fl_auto_fd int handle = -1;
    int32_t status = fl_path_open(call, call->path, O_PATH, &handle);

    if (status == FLAME_OK)
        status = fl_version_of(call, handle, version);
    if (status != FLAME_OK)
        return status;
    status = fl_path_open(call, call->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, fd);
    return status == FLAME_OK ? fl_version_of(call, *fd, version) : status;
}

/* Which part is asked for, and does that make sense? */
static int32_t choose_part(const struct fl_call *call, const struct fl_version *version,
                           struct part *out)
{
    const struct flame_request *request = call->request;
    uint64_t size = (uint64_t)version->status.st_size;
    bool other =
        request->condition == FLAME_WHEN_SAME && !fl_version_is(version, request->validator);
    struct part part = {other ? 0 : request->offset, 0};

    if (part.offset > size)
        return flame_fail(call->host, call->err, FLAME_ERR_RANGE,
                          "byte %llu is behind the end at %llu", (unsigned long long)part.offset,
                          (unsigned long long)size);
    part.left = size - part.offset;
    if (!other && request->length > 0 && request->length < part.left)
        part.left = request->length;
    if (part.left > request->max_bytes)
        return flame_fail(call->host, call->err, FLAME_ERR_LIMIT,
                          "%llu bytes are more than the allowed %llu",
                          (unsigned long long)part.left, (unsigned long long)request->max_bytes);
    *out = part;
    return FLAME_OK;
}

static int32_t report_part(const struct fl_call *call, const struct fl_version *version,
                           const struct part *part)
{
    struct flame_object object = fl_version_object(version);

    object.flags |= FLAME_OBJECT_BODY_SIZE;
    object.offset = part->offset;
    object.body_size = part->left;
    return call->host->report(call->transfer, &object);
}

/* Let the host copy: the kernel may share the blocks, or move them without us. */
static int32_t copy_part(const struct fl_call *call, int fd, struct part *part)
{
    while (part->left > 0) {
        uint64_t piece = part->left < FL_PIECE_BYTES ? part->left : FL_PIECE_BYTES;
        uint64_t copied = 0;
        int32_t status = call->host->cancelled(call->transfer);

        if (status == FLAME_OK)
            status = call->host->sink_copy(call->transfer, fd, part->offset, piece, &copied);
        if (status != FLAME_OK)
            return status;
        if (copied < piece)
            return fail_changed(call);
        part->offset += copied;
        part->left -= copied;
    }
    return FLAME_OK;
}

static int32_t read_piece(const struct fl_call *call, int fd, struct part *part, void *buffer)
{
    uint64_t want = part->left < FL_BUFFER_BYTES ? part->left : FL_BUFFER_BYTES;
    ssize_t got = pread(fd, buffer, (size_t)want, (off_t)part->offset);

    if (got < 0)
        return errno == EINTR ? FLAME_OK : fl_fail_errno(call, errno, "cannot read it");
    if (got == 0)
        return fail_changed(call);
    part->offset += (uint64_t)got;
    part->left -= (uint64_t)got;
    return flame_write(call->host, call->transfer, buffer, (uint64_t)got);
}

static int32_t read_part(const struct fl_call *call, int fd, struct part *part)
{
    void *buffer = malloc(FL_BUFFER_BYTES);
    int32_t status = FLAME_OK;

    if (!buffer)
        return flame_fail(call->host, call->err, FLAME_ERR_NO_MEMORY, "out of memory");
    while (part->left > 0 && status == FLAME_OK) {
        status = call->host->cancelled(call->transfer);
        if (status == FLAME_OK)
            status = read_piece(call, fd, part, buffer);
    }
    free(buffer);
    return status;
}

static int32_t deliver(const struct fl_call *call, int fd, const struct fl_version *version,
                       struct part part)
{
    struct stat after;
    int32_t status = report_part(call, version, &part);

    if (status != FLAME_OK)
        return status;
    call->host->progress(call->transfer, FLAME_PHASE_BODY, 0);
    status = copy_part(call, fd, &part);
    if (status == FLAME_ERR_UNSUPPORTED)
        status = read_part(call, fd, &part);
    if (status != FLAME_OK)
        return status;
    if (fstat(fd, &after) != 0)
        return fl_fail_errno(call, errno, "cannot look at it again");
    if (!fl_version_same(&version->status, &after))
        return fail_changed(call);
    return flame_finish(call->host, call->transfer, FLAME_PROOF_COMPLETE);
}

static bool is_unchanged(const struct fl_call *call, const struct fl_version *version)
{
    return call->request->condition == FLAME_WHEN_CHANGED &&
           fl_version_is(version, call->request->validator);
}

int32_t fl_file_fetch(struct flame_instance *instance, const struct flame_request *request,
                      struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_call call;
    struct fl_version version;
    struct part part = {0, 0};
    fl_auto_fd int fd = -1;
    int32_t status = fl_call_begin(&call, instance, request, transfer, err);

    if (status == FLAME_OK)
        status = fl_call_allows(&call, FL_ALLOW(ALWAYS) | FL_ALLOW(CHANGED) | FL_ALLOW(SAME));
    if (status == FLAME_OK)
        status = open_source(&call, &version, &fd);
    if (status != FLAME_OK)
        return status;
    if (is_unchanged(&call, &version))
        return FLAME_NOT_MODIFIED;
    status = choose_part(&call, &version, &part);
    return status == FLAME_OK ? deliver(&call, fd, &version, part) : status;
}

int32_t fl_file_stat(struct flame_instance *instance, const struct flame_request *request,
                     struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_call call;
    struct fl_version version;
    struct flame_object object;
    fl_auto_fd int handle = -1;
    int32_t status = fl_call_begin(&call, instance, request, transfer, err);

    if (status == FLAME_OK)
        status = fl_call_allows(&call, FL_ALLOW(ALWAYS) | FL_ALLOW(CHANGED));
    if (status == FLAME_OK)
        status = fl_path_open(&call, call.path, O_PATH, &handle);
    if (status == FLAME_OK)
        status = fl_version_of(&call, handle, &version);
    if (status != FLAME_OK)
        return status;
    if (is_unchanged(&call, &version))
        return FLAME_NOT_MODIFIED;
    object = fl_version_object(&version);
    return call.host->report(transfer, &object);
}
