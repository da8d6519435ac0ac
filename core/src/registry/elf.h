/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object looked at without the dynamic linker: what dlopen() would trip over, said
 * clearly beforehand. Reads with pread() and believes no number in the file. Internal to the
 * module; no state beside the struct, any thread. */
#ifndef FL_REGISTRY_ELF_H
#define FL_REGISTRY_ELF_H

#include "registry/refusal.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_ELF_HEAD 4096       /* bytes at the start that are read once */
#define FL_ELF_MAX_SEGMENTS 64 /* ten is usual */

struct fl_elf {
    int fd;        /* borrowed */
    uint64_t size; /* of the file */
    uint16_t segment_count;
    size_t head_size;
    Elf64_Phdr segments[FL_ELF_MAX_SEGMENTS];
    unsigned char head[FL_ELF_HEAD];
};

/* Header and segments. Refuses with NOT_ELF, WRONG_ARCH, TRUNCATED (a segment reaches behind the
 * end of the file: touching it would be SIGBUS), OPEN (cannot be read). */
enum fl_reject fl_elf_open(struct fl_elf *elf, int fd, uint64_t size,
                           struct fl_refusal *refusal) FL_CHECK;

/* Is its stack not executable, its text constant, and every library it names found without the
 * working directory? Refuses with REFUSED_FLAGS, TRUNCATED. */
enum fl_reject fl_elf_check_flags(const struct fl_elf *elf, struct fl_refusal *refusal) FL_CHECK;

/* Copy `size` bytes at `offset`; false = they are not there. */
bool fl_elf_read(const struct fl_elf *elf, uint64_t offset, void *out, size_t size) FL_CHECK;

#endif
