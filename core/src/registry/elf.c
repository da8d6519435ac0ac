/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/elf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#elif defined(__s390x__)
#define OUR_MACHINE EM_S390
#elif defined(__powerpc64__)
#define OUR_MACHINE EM_PPC64
#else
#error "name this machine's ELF number"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_ORDER ELFDATA2LSB
#else
#define OUR_ORDER ELFDATA2MSB
#endif

static const char *machine_name(uint16_t machine)
{
    switch (machine) {
    case EM_386:
        return "i386";
    case EM_ARM:
        return "arm";
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "aarch64";
    case EM_RISCV:
        return "riscv";
    case EM_S390:
        return "s390";
    case EM_PPC64:
        return "ppc64";
    default:
        return "another machine";
    }
}

static bool pread_all(int fd, uint64_t offset, void *out, size_t size)
{
    char *to = out;

    while (size > 0) {
        ssize_t got = pread(fd, to, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

bool fl_elf_read(const struct fl_elf *elf, uint64_t offset, void *out, size_t size)
{
    if (offset > elf->size || size > elf->size - offset)
        return false;
    if (offset > elf->head_size || size > elf->head_size - offset)
        return pread_all(elf->fd, offset, out, size);
    memcpy(out, elf->head + offset, size);
    return true;
}

static enum fl_reject check_kind(const Elf64_Ehdr *header, struct fl_refusal *refusal)
{
    if (header->e_ident[EI_CLASS] != ELFCLASS64)
        return fl_refuse(refusal, FL_REJECT_WRONG_ARCH, "is 32 bit, this host is 64 bit");
    if (header->e_ident[EI_DATA] != OUR_ORDER)
        return fl_refuse(refusal, FL_REJECT_WRONG_ARCH, "has another byte order than this host");
    if (header->e_machine != OUR_MACHINE)
        return fl_refuse(refusal, FL_REJECT_WRONG_ARCH, "is for %s (%u), this host is %s",
                         machine_name(header->e_machine), header->e_machine,
                         machine_name(OUR_MACHINE));
    if (header->e_type != ET_DYN)
        return fl_refuse(refusal, FL_REJECT_WRONG_ARCH, "is no shared object but elf type %u",
                         header->e_type);
    return FL_ACCEPTED;
}

static enum fl_reject check_segments(const struct fl_elf *elf, struct fl_refusal *refusal)
{
    for (uint16_t i = 0; i < elf->segment_count; i++) {
        const Elf64_Phdr *segment = &elf->segments[i];

        if (segment->p_type != PT_LOAD && segment->p_type != PT_NOTE)
            continue;
        if (segment->p_offset > elf->size || segment->p_filesz > elf->size - segment->p_offset)
            return fl_refuse(refusal, FL_REJECT_TRUNCATED,
                             "segment %u ends behind the end of the file (%llu bytes)", i,
                             (unsigned long long)elf->size);
    }
    return FL_ACCEPTED;
}

static enum fl_reject read_segments(struct fl_elf *elf, const Elf64_Ehdr *header,
                                    struct fl_refusal *refusal)
{
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
        header->e_phnum > FL_ELF_MAX_SEGMENTS)
        return fl_refuse(refusal, FL_REJECT_NOT_ELF, "its elf header is malformed (%u segments)",
                         header->e_phnum);
    if (!fl_elf_read(elf, header->e_phoff, elf->segments, header->e_phnum * sizeof(Elf64_Phdr)))
        return fl_refuse(refusal, FL_REJECT_TRUNCATED, "its segment table is cut short");
    elf->segment_count = header->e_phnum;
    return check_segments(elf, refusal);
}

enum fl_reject fl_elf_open(struct fl_elf *elf, int fd, uint64_t size, struct fl_refusal *refusal)
{
    Elf64_Ehdr header;
    enum fl_reject reject;
    size_t head_size = size < sizeof(elf->head) ? (size_t)size : sizeof(elf->head);

    elf->fd = fd;
    elf->size = size;
    elf->segment_count = 0;
    elf->head_size = 0;
    if (!pread_all(fd, 0, elf->head, head_size))
        return fl_refuse(refusal, FL_REJECT_OPEN, "cannot be read");
    elf->head_size = head_size;
    if (!fl_elf_read(elf, 0, &header, SELFMAG) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return fl_refuse_plainly(refusal, FL_REJECT_NOT_ELF);
    if (!fl_elf_read(elf, 0, &header, sizeof(header)))
        return fl_refuse(refusal, FL_REJECT_TRUNCATED, "its elf header is cut short");
    reject = check_kind(&header, refusal);
    return reject == FL_ACCEPTED ? read_segments(elf, &header, refusal) : reject;
}
