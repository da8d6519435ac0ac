/* SPDX-License-Identifier: Apache-2.0 */
/* Where a file is to appear: an open directory and a name in it. The path is read once, here;
 * whoever moves or links directories afterwards moves nothing of ours. */
#ifndef FL_PUBLISH_SPOT_H
#define FL_PUBLISH_SPOT_H

#include "publish/publish.h"

struct fl_spot {
    int dir_fd; /* for reading; O_PATH only where the directory may not be read */
    char *path; /* the caller's, for messages */
    char name[256];
};

/* Split the path, open (or make) its directory. Fails as fl_publish_open does. */
int32_t fl_spot_open(const struct fl_destination *destination, struct fl_spot *out,
                     struct flame_error *err) FL_CHECK;

/* Could a file be put there? IO where something is that no file may replace. With `flags` KEEP also
 * EXISTS. */
int32_t fl_spot_judge(const struct fl_spot *spot, uint32_t flags, struct flame_error *err) FL_CHECK;

void fl_spot_done(struct fl_spot *spot);

#endif
