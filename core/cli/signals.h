/* SPDX-License-Identifier: Apache-2.0 */
/* SIGINT, SIGTERM and SIGHUP stop what is under way; SIGPIPE becomes an error of write(). */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <flame/fetch.h>

/* From now on these signals set `cancel`, but for those that the parent had ignored (nohup, a
 * background job). The third one ends the process at once. */
void cli_signals_catch(struct flame_cancel *cancel);

/* The first one that came, or 0. */
int cli_signals_caught(void);

#endif
