/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/flame.h"

#include "base/text.h"

#include <string.h>

void fl_list_free(const char *const *items, bool wipe)
{
    for (size_t i = 0; items && items[i]; i++) {
        char *item = (char *)(uintptr_t)items[i];

        if (wipe)
            fl_wipe_free(item);
        else
            free(item);
    }
    free((void *)(uintptr_t)items);
}

bool fl_list_copy(const char *const *items, const char *const **out)
{
    size_t count = 0;
    const char **copy;

    *out = NULL;
    if (!items)
        return true;
    while (items[count])
        count++;
    copy = calloc(count + 1, sizeof(*copy));
    if (!copy)
        return false;
    for (size_t i = 0; i < count; i++) {
        copy[i] = strdup(items[i]);
        if (!copy[i]) {
            fl_list_free(copy, true);
            return false;
        }
    }
    *out = copy;
    return true;
}
