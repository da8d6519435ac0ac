/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/scan.h"

#include <string.h>

struct fl_identity fl_identity_of(const struct stat *file)
{
    return (struct fl_identity){.device = file->st_dev,
                                .inode = file->st_ino,
                                .size = file->st_size,
                                .mtime = file->st_mtim};
}

bool fl_identity_same(const struct fl_identity *one, const struct fl_identity *other)
{
    return one->device == other->device && one->inode == other->inode && one->size == other->size &&
           one->mtime.tv_sec == other->mtime.tv_sec && one->mtime.tv_nsec == other->mtime.tv_nsec;
}

bool fl_found_refuse(struct fl_found *found, const struct fl_refusal *refusal)
{
    if (found->code != FL_ACCEPTED)
        return true;
    found->reason = strdup(refusal->reason);
    found->code = refusal->code;
    return found->reason != NULL;
}

void fl_found_done(struct fl_found *found)
{
    free(found->path);
    free(found->real);
    free(found->reason);
    free(found->schemes);
    fl_manifest_done(&found->manifest);
}

void fl_found_list_done(struct fl_found_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        fl_found_done(&list->items[i]);
    free(list->items);
    *list = (struct fl_found_list){.items = NULL};
}
