/* SPDX-License-Identifier: Apache-2.0 */
/* A file that becomes a package: opened once, named after its content, and watched for changes, so
 * that the name is true of the bytes that were sent. One thread. */
#ifndef SDK_CLI_PACKAGE_H
#define SDK_CLI_PACKAGE_H

#include "text.h"

#include <stdint.h>
#include <sys/stat.h>

#define SDK_SHA256_HEX 64

struct sdk_package {
    const char *path; /* borrowed */
    int fd;
    struct stat facts; /* as it was before it was read */
    char hex[SDK_SHA256_HEX + 1];
    char *name; /* <app>-<first 16 hex digits>.<extension> */
};

/* Open and read a regular file. *out: sdk_package_done() it, also after a failure.
 * Fails with NOT_FOUND, POLICY (not a regular file), IO (of the source), CHANGED, CANCELLED (a
 * signal came), NO_MEMORY. */
int32_t sdk_package_open(const char *app, const char *path, struct sdk_package *out,
                         struct flame_error *err) CLI_MUST_USE;

/* Is it still the file that was read? Fails with CHANGED, IO. */
int32_t sdk_package_check(const struct sdk_package *package, struct flame_error *err) CLI_MUST_USE;

void sdk_package_done(struct sdk_package *package);

/* What a path's last name ends with: "tar.gz", "zip", or "" where there is nothing or where it has
 * other letters than A-Z, a-z, 0-9 and dots, or more than 32. Points into `path` or to a constant.
 */
const char *sdk_package_extension(const char *path);

#endif
