/* SPDX-License-Identifier: Apache-2.0 */
/* How far several downloads at once are: one bar or line for all of them. One thread at a time. */
#ifndef CLI_OVERVIEW_H
#define CLI_OVERVIEW_H

#include "progress.h"

struct cli_overview {
    enum cli_progress_kind kind; /* not EVENTS: those are told of each download */
    FILE *out;
    uint64_t started_ns;
    uint64_t shown_ns;
    uint64_t shown_tenth;
    size_t count; /* of downloads */
    size_t ended;
    size_t sized;     /* whose size is known */
    uint64_t done;    /* bytes */
    uint64_t resumed; /* of those: from an earlier run */
    uint64_t total;   /* of those whose size is known */
    bool is_drawn;    /* a bar stands there */
};

void cli_overview_begin(struct cli_overview *overview, size_t count);
/* One of them is now here and was there before. */
void cli_overview_update(struct cli_overview *overview, const struct flame_progress *before,
                         const struct flame_progress *now);
void cli_overview_ended(struct cli_overview *overview);
/* The bar makes room for a message, or for nothing at all. */
void cli_overview_clear(struct cli_overview *overview);

#endif
