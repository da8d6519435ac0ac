/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of one test, with files to make and look at. Whatever goes wrong aborts. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scratch {
    char dir[256];
    char **texts; /* what scratch_path() and scratch_url() gave out */
    size_t text_count;
};

void scratch_open(struct scratch *scratch);
/* Remove the directory with all that is in it. */
void scratch_close(struct scratch *scratch);

/* The path and the file: URL of a name in it, valid until scratch_close(). */
const char *scratch_path(struct scratch *scratch, const char *name);
const char *scratch_url(struct scratch *scratch, const char *name);

/* Create or replace a file; returns its path. */
const char *scratch_write(struct scratch *scratch, const char *name, const void *data, size_t size);
/* A file of `size` bytes that never repeat at a power of two. */
const char *scratch_fill(struct scratch *scratch, const char *name, size_t size);

/* Does a file hold exactly these bytes? */
bool scratch_holds(const char *path, const void *data, size_t size);
/* Do two files hold the same bytes? */
bool scratch_equal(const char *a, const char *b);
/* Names in the directory, hidden ones too. */
size_t scratch_count(const struct scratch *scratch);

#endif
