/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of faulty_libc.so share: faulty_libc.c reads the settings, writes the report
 * and has the calls that move bytes; faulty_memory.c has the allocator. */
#ifndef FAULTY_LIBC_H
#define FAULTY_LIBC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

extern struct faulty_state {
    atomic_ulong fatal; /* 0 = no allocation fails */
    atomic_int is_counting;
    int is_lasting;
    int only_ours;
    size_t at_most;
    unsigned long refused_ways;
    const char *report;
    atomic_ulong allocations;
    atomic_ulong failed;
    atomic_ulong shortened;
    atomic_ulong interrupted;
    atomic_uintptr_t last_caller;
} faulty;

/* How many blocks of ours were not freed, and who asked for one of them. */
unsigned long faulty_blocks_left(uintptr_t *caller);

#endif
