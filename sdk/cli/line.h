/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the verbs that need the SDK: one table of its options, most of which are
 * those of flame-fetch and do the same. No state. */
#ifndef SDK_CLI_LINE_H
#define SDK_CLI_LINE_H

#include "options.h"

#include <stdio.h>

/* Options that only these verbs have. */
enum sdk_own {
    SDK_FOR,
    SDK_CONTEXT,
    SDK_CONTEXT_FILE,
    SDK_STORAGE,
    SDK_ENDPOINT,
    SDK_PREFIX,
    SDK_OWN_COUNT
};

struct sdk_line {
    struct cli_args args;     /* the verb, its words, and the options that flame-fetch has too */
    char *own[SDK_OWN_COUNT]; /* a copy of what was said, "" where it takes nothing; NULL = not */
};

/* Understand it; the order of words and options does not matter, and the first word is the verb.
 * *out: sdk_line_done() it, also after a failure. Fails with INVALID, NO_MEMORY. */
int32_t sdk_line_parse(int argc, char **argv, struct sdk_line *out,
                       struct flame_error *err) CLI_MUST_USE;
void sdk_line_done(struct sdk_line *line); /* wipes */

/* The verb that was said and its options, or all of them. */
void sdk_line_help(FILE *out, const struct sdk_line *line);

#endif
