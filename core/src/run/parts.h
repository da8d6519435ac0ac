/* SPDX-License-Identifier: Apache-2.0 */
/* What the helpers of one fetch in parts share. parts.c hands out the pieces and follows behind;
 * part.c is a helper at work. The lock guards what is marked. */
#ifndef FL_RUN_PARTS_H
#define FL_RUN_PARTS_H

#include "run/run.h"

#define HELPERS_MAX 16
#define PART_MAX (64u << 20) /* bytes; a helper that is done early takes from the others' work */

/* Bytes [begin, end) that somebody fetches. */
struct fl_part {
    uint64_t begin;
    uint64_t end;
    bool is_busy;
};

struct fl_parts {
    struct fl_run *run;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    uint64_t next;                      /* nobody has begun what is behind it */
    uint64_t total;                     /* of the whole */
    struct fl_part pieces[HELPERS_MAX]; /* one per helper; not busy with begin < end: left over */
    uint32_t count;
    uint32_t working;
    struct flame_error failure; /* the first that ended a helper */
};

struct fl_helper {
    struct fl_parts *parts;
    struct fl_part *mine;
    struct fl_watch watch;
    struct flame_transfer transfer;
    pthread_t thread;
};

/* The next piece, of nobody or left over by another. false: nothing is left to be begun. */
bool fl_parts_take(struct fl_parts *parts, struct fl_part *mine);
/* So many more bytes of it are in the file. */
void fl_parts_advance(struct fl_parts *parts, struct fl_part *mine, uint64_t bytes, bool is_over);
/* A helper ends; the rest of his piece is for the others. */
void fl_parts_leave(struct fl_parts *parts, struct fl_part *mine, int32_t status,
                    const struct flame_error *err);

/* The body of a helper's thread; `data` is a struct fl_helper. */
void *fl_helper_work(void *data);

#endif
