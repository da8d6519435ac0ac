/* SPDX-License-Identifier: Apache-2.0 */
#include "run/patience.h"

#include "base/clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define WISH_JITTER_MS 250u

struct fl_patience_row {
    struct fl_patience_row *next;
    uint64_t until_ns;
    char origin[];
};

void fl_patience_init(struct fl_patience *patience)
{
    *patience = (struct fl_patience){.first = NULL};
    (void)pthread_mutex_init(&patience->lock, NULL);
}

/* Drop the rows whose time is over, or all. */
static void drop_rows(struct fl_patience *patience, uint64_t now_ns, bool all)
{
    for (struct fl_patience_row **at = &patience->first; *at;) {
        struct fl_patience_row *row = *at;

        if (!all && row->until_ns > now_ns) {
            at = &row->next;
            continue;
        }
        *at = row->next;
        free(row);
    }
}

void fl_patience_done(struct fl_patience *patience)
{
    drop_rows(patience, 0, true);
    (void)pthread_mutex_destroy(&patience->lock);
}

static struct fl_patience_row *find_row(struct fl_patience *patience, const char *origin)
{
    struct fl_patience_row *row = patience->first;

    while (row && strcmp(row->origin, origin) != 0)
        row = row->next;
    return row;
}

static struct fl_patience_row *add_row(struct fl_patience *patience, const char *origin)
{
    size_t size = strlen(origin) + 1;
    struct fl_patience_row *row = calloc(1, sizeof(*row) + size);

    if (!row)
        return NULL;
    memcpy(row->origin, origin, size);
    row->next = patience->first;
    patience->first = row;
    return row;
}

void fl_patience_note(struct fl_patience *patience, const char *origin, uint64_t until_ns)
{
    struct fl_patience_row *row;

    (void)pthread_mutex_lock(&patience->lock);
    drop_rows(patience, fl_now_ns(), false);
    row = find_row(patience, origin);
    if (!row)
        row = add_row(patience, origin);
    if (row && row->until_ns < until_ns)
        row->until_ns = until_ns;
    (void)pthread_mutex_unlock(&patience->lock);
}

uint64_t fl_patience_until(struct fl_patience *patience, const char *origin)
{
    const struct fl_patience_row *row;
    uint64_t until_ns;

    (void)pthread_mutex_lock(&patience->lock);
    row = find_row(patience, origin);
    until_ns = row ? row->until_ns : 0;
    (void)pthread_mutex_unlock(&patience->lock);
    return until_ns;
}

/* 0 .. most - 1. Unpredictable is not needed, spread is. */
static uint32_t any_below(uint32_t most)
{
    uint32_t number = 0;

    if (most == 0 || getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
        return most / 2;
    return number % most;
}

uint32_t fl_pause_ms(uint32_t delay_ms, uint32_t tries)
{
    uint64_t most = delay_ms;

    while (tries > 1 && most < FL_PAUSE_MAX_MS) {
        most *= 2;
        tries--;
    }
    return any_below(most < FL_PAUSE_MAX_MS ? (uint32_t)most : FL_PAUSE_MAX_MS);
}

uint32_t fl_pause_wished_ms(int64_t retry_after_ms)
{
    int64_t wish = retry_after_ms < 0 ? 0 : retry_after_ms;

    if (wish > FL_PAUSE_MAX_MS)
        wish = FL_PAUSE_MAX_MS;
    return (uint32_t)wish + any_below(WISH_JITTER_MS);
}
