/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

FLAME_EXPORT_ struct flame_plugin foreign_table = {.struct_size = sizeof(foreign_table)};
FLAME_EXPORT_ const char foreign_text[] = "abi=1.0\n";

FLAME_EXPORT_ int32_t foreign_fetch(struct flame_instance *instance,
                                    const struct flame_request *request,
                                    struct flame_transfer *transfer, struct flame_error *err)
{
    (void)instance;
    (void)request;
    (void)transfer;
    (void)err;
    return FLAME_OK;
}

/* The trap: dlsym() on a plugin without an entry finds this one. */
FLAME_EXPORT_ const struct flame_plugin *flame_plugin_entry_v1(void);
const struct flame_plugin *flame_plugin_entry_v1(void)
{
    return &foreign_table;
}
