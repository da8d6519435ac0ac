/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/pace.h"

#include "base/clock.h"

#define STEP_MIN 4096U
#define STEP_MAX (64U << 20)
#define SAVED_UP_NS (FL_NS_PER_S / 10) /* time that was not used counts so far back */

void fl_pace_init(struct fl_pace *pace, uint64_t bytes_per_second)
{
    *pace = (struct fl_pace){.bytes_per_second = bytes_per_second};
    (void)pthread_mutex_init(&pace->lock, NULL);
}

void fl_pace_done(struct fl_pace *pace)
{
    (void)pthread_mutex_destroy(&pace->lock);
}

uint64_t fl_pace_take(struct fl_pace *pace, uint64_t bytes)
{
    uint64_t now = fl_now_ns();
    double cost_ns;
    uint64_t wait = 0;

    if (pace->bytes_per_second == UINT64_MAX || bytes == 0)
        return 0;
    cost_ns = (double)bytes * (double)FL_NS_PER_S / (double)pace->bytes_per_second;
    (void)pthread_mutex_lock(&pace->lock);
    if (pace->free_at_ns + SAVED_UP_NS < now)
        pace->free_at_ns = now - SAVED_UP_NS;
    pace->free_at_ns += (uint64_t)cost_ns;
    if (pace->free_at_ns > now)
        wait = pace->free_at_ns - now;
    (void)pthread_mutex_unlock(&pace->lock);
    return wait;
}

uint64_t fl_pace_step(const struct fl_pace *pace)
{
    uint64_t step = pace->bytes_per_second / 10;

    if (step > STEP_MAX)
        return STEP_MAX;
    return step < STEP_MIN ? STEP_MIN : step;
}
