/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin must leave alone while it is loaded (plugin.h, Hygiene), seen before and after.
 * Internal to the module; any thread. */
#ifndef FL_REGISTRY_PROCESS_H
#define FL_REGISTRY_PROCESS_H

#include <fenv.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define FL_PROCESS_SIGNALS 32 /* the standard ones */

struct fl_process {
    fenv_t floats;
    int rounding;
    bool has_subnormals;
    void *handlers[FL_PROCESS_SIGNALS];
    struct stat directory;
    char umask[16];
    char locale[128];
};

/* Remember; floating point traps are off until fl_process_restore(). */
void fl_process_look(struct fl_process *process);

/* Give this thread its floating point mode back, and name what else is not as it was: "umask,
 * signal handlers"; "" = nothing. */
void fl_process_restore(const struct fl_process *before, char *changed, size_t capacity);

#endif
