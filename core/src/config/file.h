/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a small file as a whole. Internal to the module. */
#ifndef FL_CONFIG_FILE_H
#define FL_CONFIG_FILE_H

#include "base/error.h"

#include <sys/types.h>

#define FL_FILE_MAX (1u << 20) /* bytes; of a configuration, and of a secret */

struct fl_file {
    char *bytes;
    size_t size;
    mode_t mode;
};

/* Read a regular file. Symbolic links are followed: orchestrators mount secrets as links.
 * `where` begins the message, and is "" or ends in a colon and a blank.
 * *out: fl_file_done() it. Fails with IO, INVALID (too large), NO_MEMORY. */
int32_t fl_file_read(const char *path, const char *where, struct fl_file *out,
                     struct flame_error *err) FL_CHECK;

void fl_file_done(struct fl_file *file); /* wipes the bytes */

#endif
