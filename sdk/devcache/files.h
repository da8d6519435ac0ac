/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing and copying files to the end, whatever the kernel does at a time. Offsets are
 * given, positions of descriptors are not used. Any thread, as the descriptors allow. */
#ifndef FL_CACHE_FILES_H
#define FL_CACHE_FILES_H

#include "status.h"

#include <flame/plugin.h>

#include <stddef.h>

/* All `size` bytes at `offset`. false = an error, or the file is shorter. */
bool fl_cache_read_at(int fd, uint64_t offset, void *out, size_t size);

/* All slices at `offset`, one after another. */
bool fl_cache_write_at(int fd, uint64_t offset, const struct flame_slice *slices, uint32_t count,
                       struct fl_cache_status *status);

/* The first `size` bytes of `from`, to `offset` in `to`. */
bool fl_cache_copy(int from, uint64_t size, int to, uint64_t offset,
                   struct fl_cache_status *status);

#endif
