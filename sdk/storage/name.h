/* SPDX-License-Identifier: Apache-2.0 */
/* Names of applications and packages: one part of a path, whatever letters it has. What would be
 * another place, or could harm a terminal, is refused; the rest is percent-encoded. Pure functions;
 * any thread. */
#ifndef SDK_STORAGE_NAME_H
#define SDK_STORAGE_NAME_H

#include "base/error.h"

#define SDK_NAME_MAX 255 /* bytes: what a file system takes */

/* `status`: what a bad one fails with; `what`: what it is called in the message. */
int32_t sdk_name_check(const char *name, const char *what, int32_t status,
                       struct flame_error *err) FL_CHECK;

/* Percent-encoded. NULL = no memory. */
char *sdk_name_encode(const char *name) FL_CHECK;

#endif
