/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of a store come from: a regular file, that may be read again, or a stream, that
 * may not.
 *
 * A file is opened without following a link, never waits (a FIFO is refused), and is looked at
 * before and after: whoever changes it meanwhile makes the store fail. One thread at a time. */
#ifndef FL_TRANSFER_SOURCE_H
#define FL_TRANSFER_SOURCE_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/stat.h>

struct fl_source {
    int fd;
    bool is_owned;     /* ours to close */
    bool is_file;      /* else a stream */
    bool has_ended;    /* a stream's end was seen */
    uint64_t position; /* how far it was read at most */
    struct stat facts; /* of a file, when it was opened */
};

/* `path`, or where that is NULL the caller's `fd`, of which a regular file is read from its
 * beginning. Fails with IO (SOURCE: missing, not to be read, neither file nor stream), INVALID. */
int32_t fl_source_open(const char *path, int fd, struct fl_source *out,
                       struct flame_error *err) FL_CHECK;
void fl_source_close(struct fl_source *source); /* takes one of zeros with fd -1 */

/* How long it is; false: a stream. */
bool fl_source_size(const struct fl_source *source, uint64_t *size);

struct fl_source_place {
    uint64_t offset;
    int cancel_fd; /* readable when nobody waits for the bytes any more */
};

/* Up to `capacity` bytes. *size = 0: the end. Fails with IO (SOURCE), CHANGED (a file that became
 * shorter), UNSUPPORTED (a stream anywhere but where it is), CANCELLED. */
int32_t fl_source_read(struct fl_source *source, const struct fl_source_place *place, void *buffer,
                       uint64_t capacity, uint64_t *size, struct flame_error *err) FL_CHECK;

/* A descriptor of a file for the plugin, his to close; -1 for a stream. */
int fl_source_fd(struct fl_source *source);

/* Was all of it read? A file given away by fl_source_fd() counts as read. */
bool fl_source_is_spent(const struct fl_source *source);

/* From the beginning again; false: a stream that was begun. */
bool fl_source_rewind(struct fl_source *source);

/* Is the file what it was? Fails with CHANGED, IO. */
int32_t fl_source_check(const struct fl_source *source, struct flame_error *err) FL_CHECK;

#endif
