/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <string.h>

static bool is_news(const struct flame_progress *now, const struct flame_progress *shown)
{
    return memcmp(now, shown, sizeof(*now)) != 0;
}

void fl_progress_show(struct fl_run *run, bool final)
{
    const struct flame_task *said = run->said;
    struct flame_progress now = FLAME_INIT(flame_progress);

    if (!FLAME_REACHES(said, progress) || !said->progress)
        return;
    if (run->shown.phase == FLAME_PHASE_VERIFY) /* the last was shown: there is no way back */
        return;
    now.phase = atomic_load(&run->watch.phase);
    now.done = atomic_load(&run->transfer.received);
    now.total = atomic_load(&run->transfer.total);
    now.attempt = 1;
    if (final)
        now.phase = FLAME_PHASE_VERIFY;
    if (!is_news(&now, &run->shown))
        return;
    run->shown = now;
    if (said->progress(said->data, &now) != 0)
        fl_watch_raise(&run->watch, FLAME_ERR_CANCELLED);
}
