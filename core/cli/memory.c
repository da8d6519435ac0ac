/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

/* gRPC takes memory for each message and frees it; by itself glibc gives it back to the kernel each
 * time and asks for it again, page by page: a quarter of the processor time of a download in many
 * batches. Both are set, since setting either ends the adjusting of both, and then each buffer of
 * 128 KiB or more would be a mapping of its own. docs/benchmarks.md has the figures. */
#define KEEP_FREE (16 << 20)
#define OWN_MAPPING (4 << 20)

void cli_memory_tune(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_FREE);
    (void)mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
}
#else
void cli_memory_tune(void)
{
}
#endif
