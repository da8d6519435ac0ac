/* SPDX-License-Identifier: Apache-2.0 */
/* Could anybody but root and us change what a path leads to? Internal to the module; asks the file
 * system and keeps nothing, any thread. */
#ifndef FL_REGISTRY_TRUST_H
#define FL_REGISTRY_TRUST_H

#include "registry/refusal.h"

#include <sys/stat.h>

/* Judge a resolved, absolute directory and all above it: each belongs to root or to us, and nobody
 * else may write into it. Above the directory a sticky one will do (/tmp): there others cannot move
 * away what belongs to root or to us.
 * Refuses with UNTRUSTED, which names the path and why; OPEN. */
enum fl_reject fl_trust_directory(const char *path, struct fl_refusal *refusal) FL_CHECK;

/* Judge one file by what fstat() said of it; `path` is for the reason. Refuses with UNTRUSTED. */
enum fl_reject fl_trust_file(const char *path, const struct stat *file,
                             struct fl_refusal *refusal) FL_CHECK;

#endif
