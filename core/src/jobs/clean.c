/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/sweep.h"

#include "base/error.h"

#include <flame/fetch.h>

int32_t flame_clean(const char *directory, uint64_t min_age_s,
                    void (*told)(void *data, const char *name, uint64_t size), void *data,
                    struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    int32_t status = fl_sweep(directory, min_age_s, told, data, &own);

    if (status != FLAME_OK)
        fl_error_export(&own, err);
    return status;
}
