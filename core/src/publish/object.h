/* SPDX-License-Identifier: Apache-2.0 */
/* What a struct fl_publish is, for the files of this module only. */
#ifndef FL_PUBLISH_OBJECT_H
#define FL_PUBLISH_OBJECT_H

#include "publish/commit.h"
#include "publish/inode.h"
#include "publish/spot.h"

struct fl_publish {
    struct fl_spot spot;
    struct fl_inode inode;
    struct fl_commit commit;
    uint64_t space_reserve;
};

#endif
