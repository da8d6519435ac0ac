/* SPDX-License-Identifier: Apache-2.0 */
#include "private_copy.h"

#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)

struct fl_grpc_copy {
    atomic_int users;
    void *data;
    size_t size;
};

/* ---- a file without a name ------------------------------------------------------------------- */

static int open_nameless(void)
{
    const char *const directories[] = {secure_getenv("TMPDIR"), "/var/tmp", "/tmp"};
    int fd = -1;

    for (size_t i = 0; i < 3 && fd < 0; i++)
        if (directories[i])
            fd = open(directories[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd;
}

static int32_t fail_file(const struct fl_grpc_exchange *exchange, const char *what)
{
    char reason[128];
    int error = errno;

    exchange->host->fail_detail(exchange->err, FLAME_DETAIL_ERRNO, error);
    return flame_fail(exchange->host, exchange->err,
                      error == ENOSPC || error == EDQUOT ? FLAME_ERR_NO_SPACE : FLAME_ERR_IO,
                      "%s: %s", what, strerror_r(error, reason, sizeof(reason)));
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t wrote = write(fd, bytes, size);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        bytes += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

static int32_t fill(struct fl_grpc_exchange *exchange, int fd, uint64_t size, char *chunk)
{
    struct fl_grpc_source source = {.exchange = exchange, .size = size, .has_size = true};
    size_t got;

    do {
        int32_t status = fl_grpc_source_read(&source, chunk, CHUNK, &got);

        if (status != FLAME_OK)
            return status;
        if (!write_all(fd, chunk, got))
            return fail_file(exchange, "cannot copy the source to send it as one");
        fl_grpc_progress(exchange, FLAME_PHASE_BODY);
    } while (got > 0);
    return FLAME_OK;
}

static int32_t map(const struct fl_grpc_exchange *exchange, int fd, struct fl_grpc_copy *copy)
{
    void *data = copy->size ? mmap(NULL, copy->size, PROT_READ, MAP_SHARED, fd, 0) : NULL;

    if (data == MAP_FAILED)
        return fail_file(exchange, "cannot map a copy of the source");
    copy->data = data;
    return FLAME_OK;
}

int32_t fl_grpc_copy_new(struct fl_grpc_exchange *exchange, uint64_t size,
                         struct fl_grpc_copy **out)
{
    struct fl_grpc_copy *copy = calloc(1, sizeof(*copy));
    char *chunk = malloc(CHUNK);
    int fd = copy && chunk ? open_nameless() : -1;
    int32_t status = FLAME_OK;

    if (!copy || !chunk)
        status = fl_grpc_fail_memory(exchange);
    else if (fd < 0)
        status = fail_file(exchange, "cannot make a file to copy the source to");
    if (status == FLAME_OK)
        status = fill(exchange, fd, size, chunk);
    if (status == FLAME_OK) {
        copy->size = (size_t)size;
        atomic_store(&copy->users, 1);
        status = map(exchange, fd, copy);
    }
    if (fd >= 0)
        (void)close(fd);
    free(chunk);
    if (status == FLAME_OK)
        *out = copy;
    else
        free(copy);
    return status;
}

const void *fl_grpc_copy_data(const struct fl_grpc_copy *copy)
{
    return copy->data;
}

void fl_grpc_copy_hold(struct fl_grpc_copy *copy)
{
    (void)atomic_fetch_add(&copy->users, 1);
}

void fl_grpc_copy_release(void *held)
{
    struct fl_grpc_copy *copy = held;

    if (!copy || atomic_fetch_sub(&copy->users, 1) > 1)
        return;
    if (copy->data)
        (void)munmap(copy->data, copy->size);
    free(copy);
}
