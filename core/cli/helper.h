/* SPDX-License-Identifier: Apache-2.0 */
/* The program flame-fetch-sdk, which stands in ../libexec/flame beside the directory of this one,
 * in a build tree as in an installation. It has the verbs that need the SDK, and is asked for the
 * user's Flame context, so that this program needs no YAML. */
#ifndef CLI_HELPER_H
#define CLI_HELPER_H

#include "text.h"

#define CLI_HELPER_NAME "flame-fetch-sdk"
#define CLI_HELPER_ANSWER_MAX ((size_t)4 << 20) /* bytes */
#define CLI_HELPER_PATIENCE_MS 10000

/* Go on as the helper, with our arguments; does not return. Else fails with UNSUPPORTED (it is not
 * installed; the message begins with `verb`), IO, NO_MEMORY. */
int32_t cli_helper_become(const char *verb, char **argv, struct flame_error *err);

/* Run it with `words`, NULL-terminated, which other users can see, and read what it writes to its
 * standard output: within the bounds above, and none of it is left behind. It has no standard input
 * and our standard error. *exit_code is how it ended.
 * *out: a text, cli_wipe_free() it. Fails with UNSUPPORTED (not installed), LIMIT, TIMEOUT,
 * CANCELLED (a signal came), INTERNAL (killed, or no text), IO, NO_MEMORY. [one-thread] */
int32_t cli_helper_ask(const char *const *words, char **out, int *exit_code,
                       struct flame_error *err) CLI_MUST_USE;

#endif
