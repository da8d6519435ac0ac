/* SPDX-License-Identifier: Apache-2.0 */
/* What a context takes from the process. A program that runs as another user than its caller takes
 * nothing. No state; any thread, as long as none changes the environment. */
#ifndef FL_CONTEXT_ENVIRONMENT_H
#define FL_CONTEXT_ENVIRONMENT_H

#include "base/cleanup.h"

#include <stdbool.h>

/* The value of a variable, borrowed; NULL = unset or empty. `name` may be NULL. */
const char *fl_environment(const char *name);

/* *out = ~/.flame/flame.yaml by HOME, else by the user database; NULL where neither knows a home.
 * To be freed. false = no memory. */
bool fl_default_file(char **out) FL_CHECK;

#endif
