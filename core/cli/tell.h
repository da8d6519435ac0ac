/* SPDX-License-Identifier: Apache-2.0 */
/* What happens on the way of a task, to those who want to hear it: --json and -v. One thread at a
 * time. */
#ifndef CLI_TELL_H
#define CLI_TELL_H

#include "app.h"

/* From now on it is about the url of this number, from 1. */
void cli_turn_to(struct cli_app *app, uint32_t id);

/* An event of a task. The library has log lines for redirects, retries and mirrors. */
void cli_tell(struct cli_app *app, const struct flame_event *event);

/* With -v, a line like those of the log. */
void cli_say(const struct cli_app *app, const char *format, ...) CLI_PRINTF(2, 3);

#endif
