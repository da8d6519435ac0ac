/* SPDX-License-Identifier: Apache-2.0 */
/* How the C library keeps the memory of this process: a matter of programs, never of a library or a
 * plugin, since it holds for all of the process. */
#ifndef CLI_MEMORY_H
#define CLI_MEMORY_H

/* Keep what is freed for what comes next. Before there is a second thread. Where the C library
 * cannot be told, nothing changes. */
void cli_memory_tune(void);

#endif
