/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to download: the urls of the command line, and those of an --input-file.
 *
 * A line is a url and, behind tabs, further ones of the same bytes. Indented lines below it say
 * "out=NAME", "dir=DIR" and "checksum=ALGO:HEX" (or "checksum=sha-256=HEX") of it. '#' begins a
 * comment. Such a file may come from anybody: it names no place outside the output directory.
 * No shared state. */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "text.h"

struct cli_item {
    char *url;
    struct cli_list mirrors;
    char *out;    /* below the output directory and `dir`; or NULL */
    char *dir;    /* below the output directory; or NULL */
    char *digest; /* or NULL */
};

struct cli_batch { /* {0} is empty */
    struct cli_item *items;
    size_t count;
};

int32_t cli_batch_add(struct cli_batch *batch, const char *url,
                      struct flame_error *err) CLI_MUST_USE;

/* Add what the file lists; "-" is standard input. Messages name file and line.
 * Fails with INVALID, UNSAFE_NAME, IO, NO_MEMORY. */
int32_t cli_batch_read(struct cli_batch *batch, const char *path,
                       struct flame_error *err) CLI_MUST_USE;

void cli_batch_done(struct cli_batch *batch); /* wipes */

#endif
