/* SPDX-License-Identifier: Apache-2.0 */
/* One body in several parts at once. Each part is an ordinary fetch with offset and length, on a
 * thread of its own, with a transfer, a watch and a sink of its own, all into one file; the thread
 * of the task follows behind and hashes what has become contiguous. */
#include "run/parts.h"

#include "base/clock.h"
#include "base/thread.h"

#include <string.h>

bool fl_parts_wanted(const struct fl_run *run, uint64_t caps)
{
    uint64_t needed = FLAME_CAN_RANGE | FLAME_CAN_SAME;

    return run->task.connections > 1 && !run->has_no_parts && (caps & needed) == needed &&
           (run->publish || run->spool_fd >= 0);
}

/* ---- who does what --------------------------------------------------------------------------- */

/* Smaller towards the end, so that all helpers end together. */
static uint64_t size_of_next(const struct fl_parts *parts)
{
    uint64_t left = parts->total - parts->next;
    uint64_t size = left / (2 * (uint64_t)parts->count);
    uint64_t least = parts->run->task.part_min_size;

    if (size > PART_MAX)
        size = PART_MAX;
    if (size < least)
        size = least;
    return size < left ? size : left;
}

static bool take_left_over(struct fl_parts *parts, struct fl_part *mine)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        struct fl_part *piece = &parts->pieces[i];

        if (piece->is_busy || piece->begin >= piece->end)
            continue;
        *mine = (struct fl_part){.begin = piece->begin, .end = piece->end};
        if (mine != piece)
            *piece = (struct fl_part){0};
        return true;
    }
    return false;
}

/* false: nothing is left to be begun. */
bool fl_parts_take(struct fl_parts *parts, struct fl_part *mine)
{
    bool is_there = true;

    (void)pthread_mutex_lock(&parts->lock);
    if (!take_left_over(parts, mine)) {
        uint64_t size = size_of_next(parts);

        is_there = size > 0;
        *mine = (struct fl_part){.begin = parts->next, .end = parts->next + size};
        parts->next += size;
    }
    mine->is_busy = is_there;
    (void)pthread_mutex_unlock(&parts->lock);
    return is_there;
}

void fl_parts_advance(struct fl_parts *parts, struct fl_part *mine, uint64_t bytes, bool is_over)
{
    (void)pthread_mutex_lock(&parts->lock);
    mine->begin += bytes;
    mine->is_busy = !is_over;
    (void)pthread_cond_signal(&parts->changed);
    (void)pthread_mutex_unlock(&parts->lock);
}

/* Who cannot go on leaves the rest of his piece to the others, also when the peer has another
 * version now: then they see the same with their next piece. */
void fl_parts_leave(struct fl_parts *parts, struct fl_part *mine, int32_t status,
                    const struct flame_error *err)
{
    (void)pthread_mutex_lock(&parts->lock);
    mine->is_busy = false;
    parts->working--;
    if (status != FLAME_OK && parts->failure.status == FLAME_OK) {
        parts->failure = *err;
        parts->failure.status = status;
    }
    (void)pthread_cond_signal(&parts->changed);
    (void)pthread_mutex_unlock(&parts->lock);
}

/* ---- following behind ------------------------------------------------------------------------ */

/* Up to where is everything there? Called with the lock held. */
static uint64_t contiguous(const struct fl_parts *parts)
{
    uint64_t end = parts->next;

    for (uint32_t i = 0; i < parts->count; i++) {
        const struct fl_part *piece = &parts->pieces[i];

        if (piece->begin < piece->end && piece->begin < end)
            end = piece->begin;
    }
    return end;
}

static void note_prefix(struct fl_run *run, uint64_t size, uint64_t *noted)
{
    struct flame_error ignored = FLAME_INIT(flame_error);
    struct fl_partial *partial = &run->held.partial;

    if (!run->held.is_kept || size - *noted < PART_MAX ||
        run->task.durability == FLAME_DURABILITY_NONE)
        return;
    *noted = size;
    partial->prefix = size;
    (void)!fl_publish_advance(run->publish, partial, size, &ignored);
}

/* What they fetch now is of no use: the failure stays the reason, the task is not cancelled. */
static void stop_helpers(struct fl_helper *helpers, uint32_t started)
{
    for (uint32_t i = 0; i < started; i++)
        fl_watch_raise(&helpers[i].watch, FLAME_ERR_CANCELLED);
}

/* Hash what has become contiguous, until nobody works any more. */
static int32_t follow(struct fl_parts *parts, struct fl_helper *helpers, uint32_t started,
                      struct flame_error *err)
{
    struct fl_run *run = parts->run;
    uint64_t noted = fl_sink_size(run->sink);
    int32_t status = FLAME_OK;
    bool goes_on = true;

    while (goes_on) {
        uint64_t end;

        (void)pthread_mutex_lock(&parts->lock);
        while (parts->working > 0 && contiguous(parts) <= fl_sink_size(run->sink))
            (void)pthread_cond_wait(&parts->changed, &parts->lock);
        end = contiguous(parts);
        goes_on = parts->working > 0;
        (void)pthread_mutex_unlock(&parts->lock);
        if (status == FLAME_OK && end > fl_sink_size(run->sink))
            status = fl_sink_adopt(run->sink, end, err);
        if (status != FLAME_OK)
            stop_helpers(helpers, started);
        note_prefix(run, fl_sink_size(run->sink), &noted);
    }
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static uint32_t choose_count(const struct fl_run *run, uint64_t left)
{
    uint64_t most = (left + run->task.part_min_size - 1) / run->task.part_min_size;

    return most < run->task.connections ? (uint32_t)most : run->task.connections;
}

/* As many as can be had; one is enough. */
static uint32_t start_helpers(struct fl_parts *parts, struct fl_helper *helpers)
{
    uint32_t started = 0;

    for (uint32_t i = 0; i < parts->count; i++) {
        struct fl_helper *helper = &helpers[i];

        helper->parts = parts;
        helper->mine = &parts->pieces[i];
        if (fl_watch_start_part(&parts->run->watch, &helper->watch, NULL) != FLAME_OK)
            break;
        (void)pthread_mutex_lock(&parts->lock);
        parts->working++;
        (void)pthread_mutex_unlock(&parts->lock);
        if (fl_thread_start(&helper->thread, "flame-part", fl_helper_work, helper) != 0) {
            fl_watch_stop(parts->run->watch.watchdog, &helper->watch);
            fl_parts_leave(parts, helper->mine, FLAME_OK, NULL);
            break;
        }
        started++;
    }
    return started;
}

static int32_t fetch_all(struct fl_parts *parts, struct flame_error *err)
{
    struct fl_helper *helpers = calloc(parts->count, sizeof(*helpers));
    uint32_t started;
    int32_t status;

    if (!helpers)
        return fl_fail_memory(err);
    started = start_helpers(parts, helpers);
    parts->run->connections = started;
    status = follow(parts, helpers, started, err);
    for (uint32_t i = 0; i < started; i++) {
        (void)pthread_join(helpers[i].thread, NULL);
        fl_watch_stop(parts->run->watch.watchdog, &helpers[i].watch);
    }
    free(helpers);
    return status;
}

/* What is behind the prefix does not count for a later run. */
static void mark_as_sparse(struct fl_run *run)
{
    struct flame_error ignored = FLAME_INIT(flame_error);

    if (!run->held.is_kept)
        return;
    run->held.partial.prefix = fl_sink_size(run->sink);
    (void)!fl_publish_keep(run->publish, &run->held.partial, &ignored);
}

static int32_t run_parts(struct fl_run *run, uint64_t left, struct flame_error *err)
{
    struct fl_parts parts = {.run = run,
                             .next = fl_sink_size(run->sink),
                             .total = run->held.total,
                             .count = choose_count(run, left),
                             .failure = FLAME_INIT(flame_error)};
    uint64_t began = parts.next;
    int32_t status;

    (void)pthread_mutex_init(&parts.lock, NULL);
    (void)pthread_cond_init(&parts.changed, NULL);
    mark_as_sparse(run);
    fl_watch_enter(&run->watch);
    status = fetch_all(&parts, err);
    fl_watch_leave(&run->watch);
    (void)pthread_cond_destroy(&parts.changed);
    (void)pthread_mutex_destroy(&parts.lock);
    mark_as_sparse(run);
    run->transferred += fl_sink_size(run->sink) - began;
    if (status != FLAME_OK || fl_sink_size(run->sink) == parts.total)
        return status;
    *err = parts.failure;
    return parts.failure.status != FLAME_OK ? parts.failure.status : fl_fail_memory(err);
}

/* Is there more to come than the part that was asked for? Whatever size of it was said: a peer may
 * send less, or more, or ignore parts and send the whole. */
static bool is_first_part(const struct fl_run *run)
{
    uint64_t asked = run->transfer.length;
    uint64_t size = fl_sink_size(run->sink);

    if (asked == 0)
        return false;
    return run->held.total == UINT64_MAX ? size == asked : size < run->held.total;
}

int32_t fl_parts_fetch_rest(struct fl_run *run, struct flame_error *err)
{
    uint64_t total = run->held.total;

    if (!is_first_part(run))
        return FLAME_OK;
    run->has_no_parts = true;
    if (total == UINT64_MAX || !run->held.validator || fl_sink_size(run->sink) == 0)
        return fl_fail(err, FLAME_ERR_CHANGED, "the peer does not say what the parts are of");
    return run_parts(run, total - fl_sink_size(run->sink), err);
}
