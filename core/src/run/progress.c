/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include "base/clock.h"

/* Of a source that was lent, what the plugin says that the wire has carried. */
static uint64_t bytes_done(const struct fl_run *run)
{
    const struct flame_transfer *transfer = &run->transfer;
    uint64_t total = atomic_load(&transfer->total);
    uint64_t carried = atomic_load(&run->watch.wire_bytes);

    if (atomic_load(&transfer->lends_source) && carried > atomic_load(&transfer->received))
        return carried < total ? carried : total;
    return atomic_load(&transfer->base) + atomic_load(&transfer->received) +
           atomic_load(&run->shown.in_parts);
}

void fl_progress_read(const struct fl_run *run, struct flame_progress *out)
{
    const struct flame_transfer *transfer = &run->transfer;
    uint64_t until_ns = atomic_load(&run->waits_until_ns);
    uint64_t now_ns = fl_now_ns();

    *out = FLAME_INIT(flame_progress);
    out->phase = atomic_load(&run->watch.phase);
    if (atomic_load(&run->shown.is_over))
        out->phase = FLAME_PHASE_VERIFY;
    out->done = bytes_done(run);
    out->total = atomic_load(&transfer->total);
    out->resumed = atomic_load(&run->shown.resumed);
    out->attempt = atomic_load(&run->shown.attempt);
    out->source = atomic_load(&run->shown.source);
    out->redirects = atomic_load(&run->shown.redirects);
    if (until_ns > now_ns)
        out->waiting_ms = (uint32_t)((until_ns - now_ns) / FL_NS_PER_MS) + 1;
}
