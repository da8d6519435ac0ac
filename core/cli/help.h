/* SPDX-License-Identifier: Apache-2.0 */
/* The help text, made from the tables of options.h. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "options.h"

#include <stdio.h>

/* The verb that was said and its options, or all of them. */
void cli_help_print(FILE *out, const struct cli_args *args);

/* Its parts: how the verbs (a bit each) are used and what they do; one option. */
void cli_help_usage(FILE *out, uint32_t verbs);
void cli_help_option(FILE *out, const struct cli_option *option);

#endif
