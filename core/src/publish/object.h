/* SPDX-License-Identifier: Apache-2.0 */
/* What a struct fl_publish is, for the files of this module only. */
#ifndef FL_PUBLISH_OBJECT_H
#define FL_PUBLISH_OBJECT_H

#include "publish/commit.h"
#include "publish/inode.h"
#include "publish/spot.h"
#include "publish/state.h"

/* What makes the inode a partial that can be taken over. */
struct fl_kept {
    int fd;                /* of the state's file; -1: there is none */
    struct fl_state state; /* as last written */
    uint64_t synced;       /* bytes that are durable, whatever the caller says */
    bool names_synced;     /* of the partial and its state */
    char part[FL_BESIDE_NAME_SIZE];
    char state_name[FL_BESIDE_NAME_SIZE];
};

struct fl_publish {
    struct fl_spot spot;
    struct fl_inode inode;
    struct fl_commit commit;
    uint64_t space_reserve;
    struct fl_kept kept;
    bool is_to_leave;
    int lost; /* the errno of a sync that failed: the bytes cannot be trusted any more; 0 = none */
};

/* The names of the partial and its state; nothing is kept yet. */
void fl_kept_init(struct fl_kept *kept, const struct fl_spot *spot);

/* Close the state; take its name away unless `leave`. */
void fl_kept_done(struct fl_kept *kept, const struct fl_spot *spot, bool leave);

/* Before an uncommitted publish is freed: leave what is kept, or let nothing of it stay. */
void fl_partial_end(struct fl_publish *publish);

#endif
