/* SPDX-License-Identifier: Apache-2.0 */
#include "package.h"

#include "signals.h"

#include <nettle/sha2.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)
#define EXTENSION_MAX 32
#define DIGITS_IN_NAME 16

const char *sdk_package_extension(const char *path)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = *name ? strstr(name + 1, ".tar.") : NULL; /* no name begins with one */
    size_t size;

    if (!dot && *name)
        dot = strrchr(name + 1, '.');
    size = dot ? strlen(dot + 1) : 0;
    return size > 0 && size <= EXTENSION_MAX && strspn(dot + 1, letters) == size ? dot + 1 : "";
}

static int32_t fail_source(const char *path, struct flame_error *err)
{
    int errnum = errno;
    int32_t status = errnum == ENOENT || errnum == ENOTDIR ? FLAME_ERR_NOT_FOUND : FLAME_ERR_IO;

    err->errno_code = errnum;
    err->flags |= status == FLAME_ERR_IO ? FLAME_ERROR_SOURCE : 0;
    return cli_fail(err, status, "cannot read '%s': %s", path, strerror(errnum));
}

/* A FIFO or a terminal must not stop us before fstat() can refuse it. */
static int32_t open_file(struct sdk_package *package, struct flame_error *err)
{
    package->fd = open(package->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (package->fd < 0 || fstat(package->fd, &package->facts) != 0)
        return fail_source(package->path, err);
    if (!S_ISREG(package->facts.st_mode))
        return cli_fail(err, FLAME_ERR_POLICY, "'%s' is not a regular file", package->path);
    return FLAME_OK;
}

static int32_t hash(const struct sdk_package *package, struct sha256_ctx *sum, uint8_t *piece,
                    struct flame_error *err)
{
    uint64_t offset = 0;
    ssize_t got;

    while ((got = pread(package->fd, piece, PIECE, (off_t)offset)) != 0) {
        if (got < 0 && errno != EINTR)
            return fail_source(package->path, err);
        if (cli_signals_caught() != 0)
            return cli_fail(err, FLAME_ERR_CANCELLED, "cancelled");
        if (got < 0)
            continue;
        sha256_update(sum, (size_t)got, piece);
        offset += (uint64_t)got;
    }
    return FLAME_OK;
}

static int32_t read_file(struct sdk_package *package, struct flame_error *err)
{
    cli_auto_text char *piece = malloc(PIECE);
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sum;
    int32_t status;

    if (!piece)
        return cli_fail_memory(err);
    sha256_init(&sum);
    status = hash(package, &sum, (uint8_t *)piece, err);
    if (status != FLAME_OK)
        return status;
    sha256_digest(&sum, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(package->hex + 2 * i, 3, "%02x", digest[i]);
    return FLAME_OK;
}

int32_t sdk_package_open(const char *app, const char *path, struct sdk_package *out,
                         struct flame_error *err)
{
    const char *extension = sdk_package_extension(path);
    int32_t status;

    *out = (struct sdk_package){.path = path, .fd = -1};
    status = open_file(out, err);
    if (status == FLAME_OK)
        status = read_file(out, err);
    if (status == FLAME_OK)
        status = sdk_package_check(out, err);
    if (status != FLAME_OK)
        return status;
    out->name =
        cli_format("%s-%.*s%s%s", app, DIGITS_IN_NAME, out->hex, *extension ? "." : "", extension);
    return out->name ? FLAME_OK : cli_fail_memory(err);
}

static bool is_same_time(struct timespec one, struct timespec other)
{
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

int32_t sdk_package_check(const struct sdk_package *package, struct flame_error *err)
{
    const struct stat *then = &package->facts;
    struct stat now;

    if (fstat(package->fd, &now) != 0)
        return fail_source(package->path, err);
    if (now.st_size != then->st_size || !is_same_time(now.st_mtim, then->st_mtim) ||
        !is_same_time(now.st_ctim, then->st_ctim))
        return cli_fail(err, FLAME_ERR_CHANGED, "'%s' has changed while it was read",
                        package->path);
    return FLAME_OK;
}

void sdk_package_done(struct sdk_package *package)
{
    if (package->fd >= 0)
        (void)close(package->fd);
    free(package->name);
    *package = (struct sdk_package){.fd = -1};
}
