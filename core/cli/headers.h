/* SPDX-License-Identifier: Apache-2.0 */
/* -H, in its two forms. */
#ifndef CLI_HEADERS_H
#define CLI_HEADERS_H

#include "text.h"

struct cli_option;

/* Add what "Name: value" or "@FILE" says to a list of pairs. Messages never hold a value.
 * Fails with INVALID, NO_MEMORY. */
int32_t cli_headers_add(struct cli_list *headers, const struct cli_option *option, const char *text,
                        struct flame_error *err) CLI_MUST_USE;

#endif
