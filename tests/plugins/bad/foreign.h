/* SPDX-License-Identifier: Apache-2.0 */
/* A library that some of the bad plugins need, and take for their own. */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <flame/plugin.h>

extern struct flame_plugin foreign_table;
extern const char foreign_text[];

int32_t foreign_fetch(struct flame_instance *instance, const struct flame_request *request,
                      struct flame_transfer *transfer, struct flame_error *err);

#endif
