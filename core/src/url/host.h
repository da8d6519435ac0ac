/* SPDX-License-Identifier: Apache-2.0 */
/* The host of a URL: what it may be, and its one spelling. Private to the parser. */
#ifndef FL_URL_HOST_H
#define FL_URL_HOST_H

#include "base/error.h"

/* Check `size` bytes between "//" (or '@') and ':' (or the end), brackets included, and make the
 * canonical spelling without brackets. *out: to be freed. Fails with INVALID_URL, NO_MEMORY. */
int32_t fl_host_canonical(const char *text, size_t size, char **out,
                          struct flame_error *err) FL_CHECK;

#endif
