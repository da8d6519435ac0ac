/* SPDX-License-Identifier: Apache-2.0 */
/* fl_option_canonical() for a value whose place is known. Internal to the module. */
#ifndef FL_CONFIG_VALUE_H
#define FL_CONFIG_VALUE_H

#include "config/option.h"
#include "config/place.h"

/* Fails with INVALID, beginning with the place; NO_MEMORY. */
int32_t fl_value_canonical(const struct flame_option *option, const char *text,
                           const struct fl_place *place, char **out,
                           struct flame_error *err) FL_CHECK;

#endif
