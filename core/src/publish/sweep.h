/* SPDX-License-Identifier: Apache-2.0 */
/* What killed runs left in a directory, and how it goes. Only names that this module gives are
 * looked at, only regular files of ours with one name, only what nobody holds:
 *  - a partial and its state under the lock of their destination
 *  - the lock file while every byte of it is held by the sweep
 *  - a hidden name, which no lock covers, if nobody holds flock() on its inode
 * No link is followed. A name that cannot be removed stays, which is no failure. No state. */
#ifndef FL_PUBLISH_SWEEP_H
#define FL_PUBLISH_SWEEP_H

#include "base/error.h"

#include <stdint.h>

/* Remove ".flame-tmp-<16 hex>", ".flame-new-<16 hex>", ".flame-part-<16 hex>" with ".state" and
 * our ".flame-lock-<uid>" from the directory `dir`, if their mtime is `min_age_s` seconds ago or
 * more (of a partial and its state: both of them). `told`, which may be NULL, is called for each
 * one that was removed. Fails with NOT_FOUND (no such directory), IO. */
int32_t fl_sweep(const char *dir, uint64_t min_age_s,
                 void (*told)(void *data, const char *name, uint64_t size), void *data,
                 struct flame_error *err) FL_CHECK;

#endif
