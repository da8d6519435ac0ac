/* SPDX-License-Identifier: Apache-2.0 */
/* What the command says to people: one line for each failure, and warnings. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "events.h"
#include "text.h"

/* The exit code of a failure; of one that a signal caused, 128 and its number. */
int cli_exit_code(const struct flame_error *err);

/* "flame-fetch: <where>: <message>", and the event: where it happened if `err` knows, else
 * `subject`, which is shown as it is (NULL = nowhere). Returns the exit code. */
int cli_report(struct cli_events *events, const char *subject, const struct flame_error *err);

void cli_warn(const char *text);
/* How to go on: a line that is no failure. */
void cli_hint(const char *format, ...) CLI_PRINTF(1, 2);

/* flame_config.log */
void cli_log(void *data, uint32_t level, const char *plugin, const char *text);

#endif
