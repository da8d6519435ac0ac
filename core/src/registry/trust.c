/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static enum fl_reject check_owner(const char *path, const struct stat *file,
                                  struct fl_refusal *refusal)
{
    if (file->st_uid == 0 || file->st_uid == geteuid())
        return FL_ACCEPTED;
    return fl_refuse(refusal, FL_REJECT_UNTRUSTED, "'%s' belongs to user %u, not to root or to us",
                     path, file->st_uid);
}

static bool others_may_write(const struct stat *file)
{
    return (file->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static enum fl_reject refuse_mode(const char *path, const struct stat *file,
                                  struct fl_refusal *refusal)
{
    return fl_refuse(refusal, FL_REJECT_UNTRUSTED, "'%s' can be changed by others (mode %04o)",
                     path, file->st_mode & 07777);
}

enum fl_reject fl_trust_file(const char *path, const struct stat *file, struct fl_refusal *refusal)
{
    enum fl_reject reject = check_owner(path, file, refusal);

    if (reject == FL_ACCEPTED && others_may_write(file))
        return refuse_mode(path, file, refusal);
    return reject;
}

static enum fl_reject check_step(const char *path, mode_t excuse, struct fl_refusal *refusal)
{
    struct stat directory;
    enum fl_reject reject;

    if (stat(path, &directory) != 0)
        return fl_refuse(refusal, FL_REJECT_OPEN, "'%s' cannot be examined: %s", path,
                         strerror(errno));
    reject = check_owner(path, &directory, refusal);
    if (reject == FL_ACCEPTED && others_may_write(&directory) && !(directory.st_mode & excuse))
        return refuse_mode(path, &directory, refusal);
    return reject;
}

enum fl_reject fl_trust_directory(const char *path, struct fl_refusal *refusal)
{
    char step[PATH_MAX];
    enum fl_reject reject;

    if (strlen(path) >= sizeof(step))
        return fl_refuse(refusal, FL_REJECT_OPEN, "its path is too long");
    memcpy(step, path, strlen(path) + 1);
    reject = check_step(step, 0, refusal);
    while (reject == FL_ACCEPTED && step[1] != '\0') {
        char *slash = strrchr(step, '/');

        slash[slash == step ? 1 : 0] = '\0';
        reject = check_step(step, S_ISVTX, refusal);
    }
    return reject;
}
