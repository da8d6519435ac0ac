/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Where a store stands. */
struct store {
    struct fl_call call;
    struct fl_temp temp;
    const char *name; /* that the file will get; inside call.path */
    uint64_t size;    /* bytes of the source that are in the file */
};

static void close_store(struct store *store)
{
    fl_temp_done(&store->temp);
}

/* May the request's condition be met by what is there now? Asked before the transfer, and again
 * when the file is about to get its name. */
static int32_t judge_target(const struct store *store)
{
    const struct fl_call *call = &store->call;
    uint32_t condition = call->request->condition;
    struct fl_version there;
    int32_t status = fl_version_at(call, store->temp.dir, store->name, &there);
    mode_t mode = there.status.st_mode;

    if (status != FLAME_OK)
        return status;
    if (condition == FLAME_WHEN_ABSENT && mode != 0)
        return flame_fail(call->host, call->err, FLAME_ERR_EXISTS, "it already exists");
    if (mode != 0 && !S_ISREG(mode) && !S_ISLNK(mode))
        return fl_fail_kind(call, mode);
    if (condition == FLAME_WHEN_SAME && !fl_version_is(&there, call->request->validator))
        return flame_fail(call->host, call->err, FLAME_ERR_CHANGED, "it is another version now");
    return FLAME_OK;
}

static int32_t judge_request(const struct fl_call *call)
{
    const struct flame_request *request = call->request;

    if (request->flags & FLAME_REQUEST_SOURCE_SIZE && request->source_size > request->max_bytes)
        return flame_fail(
            call->host, call->err, FLAME_ERR_LIMIT, "%llu bytes are more than the allowed %llu",
            (unsigned long long)request->source_size, (unsigned long long)request->max_bytes);
    return fl_call_allows(call, FL_ALLOW(ALWAYS) | FL_ALLOW(SAME) | FL_ALLOW(ABSENT));
}

/* `count` more bytes are in the file. */
static int32_t advance(struct store *store, uint64_t count)
{
    const struct fl_call *call = &store->call;
    const struct flame_request *request = call->request;

    /* Start writing now, so that the sync at the end, during which nobody can tell that we are
     * alive, finds little left to do. */
    (void)sync_file_range(store->temp.fd, (off_t)store->size, (off_t)count, SYNC_FILE_RANGE_WRITE);
    store->size += count;
    call->host->progress(call->transfer, FLAME_PHASE_BODY, store->size);
    if (request->flags & FLAME_REQUEST_SOURCE_SIZE && store->size > request->source_size)
        return flame_fail(call->host, call->err, FLAME_ERR_CHANGED,
                          "the source grew while it was read");
    if (store->size > request->max_bytes)
        return flame_fail(call->host, call->err, FLAME_ERR_LIMIT,
                          "the source is larger than the allowed %llu bytes",
                          (unsigned long long)request->max_bytes);
    return FLAME_OK;
}

/* Let the kernel copy as far as it can. Where it stops is no failure: read_rest() goes on there,
 * and finds the end or the reason. */
static int32_t copy_from(struct store *store, int source)
{
    const struct fl_call *call = &store->call;

    for (;;) {
        loff_t from = (loff_t)store->size, to = from;
        int32_t status = call->host->cancelled(call->transfer);
        ssize_t copied;

        if (status != FLAME_OK)
            return status;
        copied = copy_file_range(source, &from, store->temp.fd, &to, FL_PIECE_BYTES, 0);
        if (copied <= 0)
            return FLAME_OK;
        status = advance(store, (uint64_t)copied);
        if (status != FLAME_OK)
            return status;
    }
}

static int32_t write_all(const struct store *store, const char *data, uint64_t size)
{
    uint64_t done = 0;

    while (done < size) {
        off_t offset = (off_t)(store->size + done);
        ssize_t written = pwrite(store->temp.fd, data + done, (size_t)(size - done), offset);

        if (written < 0 && errno != EINTR)
            return fl_fail_errno(&store->call, errno, "cannot write the file");
        done += written > 0 ? (uint64_t)written : 0;
    }
    return FLAME_OK;
}

static int32_t read_rest(struct store *store)
{
    const struct fl_call *call = &store->call;
    char *buffer = malloc(FL_BUFFER_BYTES);
    uint64_t got = 1;
    int32_t status = FLAME_OK;

    if (!buffer)
        return flame_fail(call->host, call->err, FLAME_ERR_NO_MEMORY, "out of memory");
    while (got > 0 && status == FLAME_OK) {
        status =
            call->host->source_read(call->transfer, store->size, buffer, FL_BUFFER_BYTES, &got);
        if (status == FLAME_OK && got > 0)
            status = write_all(store, buffer, got);
        if (status == FLAME_OK && got > 0)
            status = advance(store, got);
    }
    free(buffer);
    return status;
}

static int32_t receive_from(struct store *store, int source)
{
    const struct fl_call *call = &store->call;
    struct stat before, after;
    int32_t status;

    if (fstat(source, &before) != 0)
        return fl_fail_errno(call, errno, "cannot look at the source");
    status = S_ISREG(before.st_mode) ? copy_from(store, source) : FLAME_OK;
    if (status == FLAME_OK)
        status = read_rest(store);
    if (status != FLAME_OK || !S_ISREG(before.st_mode))
        return status;
    if (fstat(source, &after) != 0)
        return fl_fail_errno(call, errno, "cannot look at the source again");
    if (!fl_version_same(&before, &after))
        return flame_fail(call->host, call->err, FLAME_ERR_CHANGED,
                          "the source changed while it was read");
    return FLAME_OK;
}

static int32_t receive(struct store *store)
{
    const struct fl_call *call = &store->call;
    const struct flame_request *request = call->request;
    fl_auto_fd int source = call->host->source_fd(call->transfer);
    int32_t status = source >= 0 ? receive_from(store, source) : read_rest(store);

    if (status == FLAME_OK && request->flags & FLAME_REQUEST_SOURCE_SIZE &&
        store->size < request->source_size)
        return flame_fail(call->host, call->err, FLAME_ERR_TRUNCATED,
                          "the source ended at byte %llu of %llu", (unsigned long long)store->size,
                          (unsigned long long)request->source_size);
    return status;
}

/* WHEN_SAME is checked and then acted upon: no file system offers more, so a change that falls
 * between these two calls is lost. WHEN_ABSENT is exact. */
static int32_t publish(struct store *store)
{
    const struct fl_call *call = &store->call;
    int32_t status;

    call->host->progress(call->transfer, FLAME_PHASE_FINISH, store->size);
    if (fsync(store->temp.fd) != 0)
        return fl_fail_errno(call, errno, "cannot sync the file");
    status = call->host->cancelled(call->transfer);
    if (status == FLAME_OK)
        status = judge_target(store);
    if (status != FLAME_OK)
        return status;
    if (call->request->condition == FLAME_WHEN_ABSENT)
        status = fl_temp_create(call, &store->temp, store->name);
    else
        status = fl_temp_replace(call, &store->temp, store->name);
    return status == FLAME_OK ? fl_sync_directory(call, store->temp.dir) : status;
}

static int32_t announce(const struct store *store)
{
    const struct fl_call *call = &store->call;
    struct fl_version version;
    struct flame_object object;
    int32_t status = fl_version_of(call, store->temp.fd, &version);

    if (status != FLAME_OK)
        return status;
    object = fl_version_object(&version);
    status = call->host->report(call->transfer, &object);
    return status == FLAME_OK ? flame_finish(call->host, call->transfer, FLAME_PROOF_COMPLETE)
                              : status;
}

int32_t fl_file_store(struct flame_instance *instance, const struct flame_request *request,
                      struct flame_transfer *transfer, struct flame_error *err)
{
    fl_auto_fd int dir = -1;
    __attribute__((cleanup(close_store))) struct store store = {.temp = {.fd = -1}};
    int32_t status = fl_call_begin(&store.call, instance, request, transfer, err);

    if (status == FLAME_OK)
        status = judge_request(&store.call);
    if (status == FLAME_OK)
        status = fl_place_open(&store.call, &dir, &store.name);
    if (status == FLAME_OK)
        status = fl_judge_filesystem(&store.call, dir);
    if (status != FLAME_OK)
        return status;
    store.temp.dir = dir;
    status = judge_target(&store);
    if (status == FLAME_OK)
        status = fl_temp_open(&store.call, dir, &store.temp);
    if (status == FLAME_OK)
        status = receive(&store);
    if (status == FLAME_OK)
        status = publish(&store);
    return status == FLAME_OK ? announce(&store) : status;
}
