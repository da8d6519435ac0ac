/* SPDX-License-Identifier: Apache-2.0 */
/* What `flame-fetch-sdk context --for URL --json` says: one line of JSON,
 *     {"options": {NAME: VALUE, ...}, "secrets": {NAME: VALUE, ...}}
 *     {"error": {"status": NAME, "message": TEXT}}
 * No state. */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include "text.h"

/* Add the pairs to both lists; after an error, fail as the answer says. Fails with INTERNAL (it is
 * no such answer), NO_MEMORY. */
int32_t cli_answer_parse(const char *text, struct cli_list *options, struct cli_list *secrets,
                         struct flame_error *err) CLI_MUST_USE;

#endif
