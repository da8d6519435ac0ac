/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of one record batch, from its small buffers: version, kind and size of each.
 *
 * Complete before the first byte of `data` comes, since `data` is the last column. Offsets may
 * begin behind 0, they never fall and never lead outside. One thread at a time. */
#ifndef FL_FLIGHT_ROWS_H
#define FL_FLIGHT_ROWS_H

#include "ipc.h"

struct fl_flight_row {
    uint64_t version;
    uint64_t size; /* bytes of `data` */
    bool is_patch; /* kind "patch"; without the column: not known, false */
};

struct fl_flight_rows {
    struct fl_flight_buffer buffer[FL_FLIGHT_ROLE_DATA]; /* by role */
    uint64_t held;                                       /* announced for all buffers together */
    uint64_t count;
    uint64_t first; /* where the bytes of the first row lie in `data` */
    uint64_t total; /* bytes of all rows */
    struct fl_flight_plan plan;
};

/* Another batch; keeps the memory. */
void fl_flight_rows_begin(struct fl_flight_rows *rows, const struct fl_flight_plan *plan,
                          uint64_t count);

/* A small buffer of `size` bytes is to come: LIMIT over FL_FLIGHT_AUX_MAX for all. */
bool fl_flight_rows_announce(struct fl_flight_rows *rows, uint64_t size,
                             struct fl_flight_fault *fault);

/* Some bytes of one. */
bool fl_flight_rows_add(struct fl_flight_rows *rows, enum fl_flight_role role,
                        const struct flame_slice *slice, struct fl_flight_fault *fault);

/* All small buffers are there, `data` has `size` bytes: judge every row. MALFORMED; COLUMNS for a
 * kind that is neither "base" nor "patch". Sets first and total. */
bool fl_flight_rows_judge(struct fl_flight_rows *rows, uint64_t size,
                          struct fl_flight_fault *fault);

/* Row `index` < count, after fl_flight_rows_judge(). */
void fl_flight_rows_get(const struct fl_flight_rows *rows, uint64_t index,
                        struct fl_flight_row *row);

void fl_flight_rows_done(struct fl_flight_rows *rows);

#endif
