/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/scan.h"

#include "base/error.h"
#include "base/text.h"
#include "registry/note.h"
#include "registry/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* One file being looked at. */
struct look {
    struct fl_found *found;
    struct fl_refusal refusal;
    bool has_memory;
};

static enum fl_reject refuse_errno(struct look *look, int errnum)
{
    if (errnum == ENOMEM)
        look->has_memory = false;
    return fl_refuse(&look->refusal, FL_REJECT_OPEN, "cannot be opened: %s", strerror(errnum));
}

/* Where a symbolic link leads, and whether that place can be trusted. */
static enum fl_reject resolve_link(struct look *look)
{
    fl_auto_free char *real = realpath(look->found->path, NULL);
    fl_auto_free char *parent = real ? strdup(real) : NULL;
    char *slash;

    if (!real)
        return refuse_errno(look, errno);
    if (!parent)
        return refuse_errno(look, ENOMEM);
    slash = strrchr(parent, '/');
    slash[slash == parent ? 1 : 0] = '\0';
    look->found->real = fl_take(real);
    return fl_trust_directory(parent, &look->refusal);
}

static enum fl_reject resolve(struct look *look, const char *directory)
{
    struct stat entry;

    if (lstat(look->found->path, &entry) != 0)
        return refuse_errno(look, errno);
    if (S_ISLNK(entry.st_mode) || !directory)
        return resolve_link(look);
    /* Seen before it is opened: opening some devices does things. */
    if (!S_ISREG(entry.st_mode))
        return fl_refuse_plainly(&look->refusal, FL_REJECT_NOT_REGULAR);
    look->found->real = fl_format("%s/%s", directory, strrchr(look->found->path, '/') + 1);
    return look->found->real ? FL_ACCEPTED : refuse_errno(look, ENOMEM);
}

static enum fl_reject check_file(struct look *look, const struct stat *file)
{
    if (!S_ISREG(file->st_mode))
        return fl_refuse_plainly(&look->refusal, FL_REJECT_NOT_REGULAR);
    if (file->st_size > (off_t)FL_SCAN_MAX_BYTES)
        return fl_refuse(&look->refusal, FL_REJECT_TOO_LARGE, "is larger than %u MiB",
                         FL_SCAN_MAX_BYTES >> 20);
    return fl_trust_file(look->found->real, file, &look->refusal);
}

static enum fl_reject read_manifest(struct look *look, int fd, uint64_t size)
{
    char *text = NULL;
    enum fl_reject reject = fl_note_read(fd, size, &text, &look->refusal);

    if (reject != FL_ACCEPTED)
        return reject;
    if (!text)
        return refuse_errno(look, ENOMEM);
    return fl_manifest_read(text, &look->found->manifest, &look->has_memory, &look->refusal);
}

static enum fl_reject examine(struct look *look, const char *directory)
{
    fl_auto_fd int fd = -1;
    struct stat file;
    enum fl_reject reject = resolve(look, directory);

    if (reject != FL_ACCEPTED)
        return reject;
    fd = open(look->found->real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &file) != 0)
        return refuse_errno(look, errno);
    look->found->identity = fl_identity_of(&file);
    reject = check_file(look, &file);
    return reject == FL_ACCEPTED ? read_manifest(look, fd, (uint64_t)file.st_size) : reject;
}

int32_t fl_scan_file(const char *directory, struct fl_found *found, struct flame_error *err)
{
    struct look look = {.found = found, .has_memory = true};
    enum fl_reject reject = examine(&look, directory);

    if (!look.has_memory || (reject != FL_ACCEPTED && !fl_found_refuse(found, &look.refusal)))
        return fl_fail_memory(err);
    return FLAME_OK;
}
