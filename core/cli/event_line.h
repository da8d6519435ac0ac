/* SPDX-License-Identifier: Apache-2.0 */
/* One line of --json, and the values it is made of. For the files that make events only, here and
 * in sdk/cli. A value that could not be made is NULL, and so is all that is made of it:
 * cli_line_emit() notes that there was no memory. */
#ifndef CLI_EVENT_LINE_H
#define CLI_EVENT_LINE_H

#include "events.h"

#include <jansson.h>

/* Write the event, whole and at once: the reader may be waiting for it. Takes `members`. */
void cli_line_emit(struct cli_events *events, const char *name, json_t *members);

/* Both objects in one; takes both. */
json_t *cli_line_joined(json_t *event, json_t *rest);

/* As it is where JSON can say it, else with its odd bytes as \xNN; NULL becomes null. */
json_t *cli_line_text(const char *text);
/* What is known but could not be put into words is no event at all: NULL. */
json_t *cli_line_text_if(bool known, const char *text);
json_t *cli_line_integer(uint64_t number);
json_t *cli_line_integer_if(bool known, uint64_t number);

#endif
