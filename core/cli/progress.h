/* SPDX-License-Identifier: Apache-2.0 */
/* How far a download is, for people (a bar, or now and then a line) and programs (events). One
 * thread at a time. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "events.h"

enum cli_progress_kind {
    CLI_PROGRESS_NONE,
    CLI_PROGRESS_BAR,  /* drawn over and over on one line, gone at the end */
    CLI_PROGRESS_LINE, /* at the start, each tenth or 30 seconds, at the end */
    CLI_PROGRESS_EVENTS,
};

struct cli_progress {
    enum cli_progress_kind kind;
    FILE *out;                 /* bars and lines */
    struct cli_events *events; /* EVENTS: where they go */
    const char *name;          /* of what is downloaded, escaped; borrowed */
    uint64_t started_ns;
    uint64_t shown_ns;
    uint64_t shown_tenth;
    struct flame_progress last;
    bool is_drawn; /* a bar stands there */
};

/* Columns of the terminal, or a usual number of them. */
size_t cli_terminal_width(FILE *out);

void cli_progress_begin(struct cli_progress *progress, const char *name);
void cli_progress_update(struct cli_progress *progress, const struct flame_progress *now);
/* The bar makes room for a message, or for nothing at all. */
void cli_progress_end(struct cli_progress *progress, bool is_done);

#endif
