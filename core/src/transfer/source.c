/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/source.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

static int32_t fail_source(struct flame_error *err, int errnum, const char *what)
{
    int32_t status = fl_fail_errno(err, errnum, "%s", what);

    if (err && status == FLAME_ERR_IO)
        err->flags |= FLAME_ERROR_SOURCE;
    return status;
}

static int32_t refuse_kind(struct flame_error *err, mode_t mode)
{
    const char *kind = S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a fifo" : "a device";
    int32_t status = fl_fail(err, FLAME_ERR_IO, "the source is %s, not a file", kind);

    if (err)
        err->flags |= FLAME_ERROR_SOURCE;
    return status;
}

static int32_t open_path(const char *path, struct fl_source *source, struct flame_error *err)
{
    source->is_owned = true;
    source->fd =
        TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (source->fd < 0 && errno == ELOOP)
        return fail_source(err, errno, "the source is a symbolic link");
    return source->fd < 0 ? fail_source(err, errno, "cannot open the source") : FLAME_OK;
}

int32_t fl_source_open(const char *path, int fd, struct fl_source *out, struct flame_error *err)
{
    struct fl_source source = {.fd = fd};
    int32_t status = path ? open_path(path, &source, err) : FLAME_OK;

    if (status == FLAME_OK && fstat(source.fd, &source.facts) != 0)
        status = fail_source(err, errno, "cannot look at the source");
    if (status == FLAME_OK && !S_ISREG(source.facts.st_mode) &&
        (path || S_ISDIR(source.facts.st_mode)))
        status = refuse_kind(err, source.facts.st_mode);
    source.is_file = S_ISREG(source.facts.st_mode);
    if (status == FLAME_OK)
        *out = source;
    else
        fl_source_close(&source);
    return status;
}

void fl_source_close(struct fl_source *source)
{
    if (source->is_owned && source->fd >= 0)
        (void)close(source->fd);
    source->fd = -1;
}

bool fl_source_size(const struct fl_source *source, uint64_t *size)
{
    if (source->is_file)
        *size = (uint64_t)source->facts.st_size;
    return source->is_file;
}

static int32_t fail_changed(struct flame_error *err)
{
    return fl_fail(err, FLAME_ERR_CHANGED, "the source changed while it was read");
}

static bool is_same_time(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

int32_t fl_source_check(const struct fl_source *source, struct flame_error *err)
{
    struct stat now;

    if (!source->is_file)
        return FLAME_OK;
    if (fstat(source->fd, &now) != 0)
        return fail_source(err, errno, "cannot look at the source");
    if (now.st_size != source->facts.st_size || (now.st_nlink == 0 && source->facts.st_nlink > 0) ||
        !is_same_time(&now.st_mtim, &source->facts.st_mtim))
        return fail_changed(err);
    return FLAME_OK;
}

/* Never behind the size that was promised: what a file has grown by is found at the end. */
static int32_t read_file(struct fl_source *source, const struct fl_source_place *place,
                         void *buffer, uint64_t capacity, uint64_t *size, struct flame_error *err)
{
    uint64_t whole = (uint64_t)source->facts.st_size;
    uint64_t left = place->offset < whole ? whole - place->offset : 0;
    ssize_t got;

    if (capacity > left)
        capacity = left;
    got = TEMP_FAILURE_RETRY(pread(source->fd, buffer, (size_t)capacity, (off_t)place->offset));
    if (got < 0)
        return fail_source(err, errno, "cannot read the source");
    if (got == 0 && capacity > 0)
        return fail_changed(err);
    *size = (uint64_t)got;
    /* The last bytes are kept back from a file that has changed: the peer must not get a whole. */
    return place->offset + *size < whole ? FLAME_OK : fl_source_check(source, err);
}

static int32_t wait_for_bytes(const struct fl_source *source, int cancel_fd,
                              struct flame_error *err)
{
    struct pollfd fds[] = {{.fd = source->fd, .events = POLLIN},
                           {.fd = cancel_fd, .events = POLLIN}};

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return fail_source(err, errno, "cannot wait for the source");
    return fds[1].revents ? FLAME_ERR_CANCELLED : FLAME_OK;
}

static int32_t read_stream(struct fl_source *source, const struct fl_source_place *place,
                           void *buffer, uint64_t capacity, uint64_t *size, struct flame_error *err)
{
    ssize_t got = 0;

    if (place->offset != source->position)
        return FLAME_ERR_UNSUPPORTED;
    while (!source->has_ended && capacity > 0) {
        int32_t status = wait_for_bytes(source, place->cancel_fd, err);

        if (status != FLAME_OK)
            return status;
        got = read(source->fd, buffer, (size_t)capacity);
        if (got >= 0)
            break;
        if (errno != EINTR && errno != EAGAIN)
            return fail_source(err, errno, "cannot read the source");
    }
    source->has_ended = source->has_ended || (got == 0 && capacity > 0);
    *size = (uint64_t)got;
    return FLAME_OK;
}

int32_t fl_source_read(struct fl_source *source, const struct fl_source_place *place, void *buffer,
                       uint64_t capacity, uint64_t *size, struct flame_error *err)
{
    int32_t status = source->is_file ? read_file(source, place, buffer, capacity, size, err)
                                     : read_stream(source, place, buffer, capacity, size, err);

    if (status == FLAME_OK && place->offset + *size > source->position)
        source->position = place->offset + *size;
    return status;
}

int fl_source_fd(struct fl_source *source)
{
    if (!source->is_file)
        return -1;
    source->position = (uint64_t)source->facts.st_size;
    return fcntl(source->fd, F_DUPFD_CLOEXEC, 0);
}

bool fl_source_is_spent(const struct fl_source *source)
{
    if (source->is_file)
        return source->position >= (uint64_t)source->facts.st_size;
    return source->has_ended;
}

bool fl_source_rewind(struct fl_source *source)
{
    if (!source->is_file && (source->position > 0 || source->has_ended))
        return false;
    source->position = 0;
    return true;
}
