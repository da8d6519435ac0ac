/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/elf.h"

#include <string.h>

#define MAX_ENTRIES 256u /* of the dynamic section; thirty are usual */
#define MAX_PATHS 4096u  /* bytes of one search path */

/* Where the linker finds names, in offsets of the file. */
struct strings {
    uint64_t offset;
    uint64_t size;
};

struct dynamic {
    size_t count; /* without the DT_NULL */
    Elf64_Dyn entries[MAX_ENTRIES];
};

/* The place in the file of a virtual address; *left = bytes of its segment from there on. */
static bool find_offset(const struct fl_elf *elf, uint64_t address, uint64_t *offset,
                        uint64_t *left)
{
    for (uint16_t i = 0; i < elf->segment_count; i++) {
        const Elf64_Phdr *segment = &elf->segments[i];

        if (segment->p_type != PT_LOAD || address < segment->p_vaddr ||
            address - segment->p_vaddr >= segment->p_filesz)
            continue;
        *offset = segment->p_offset + (address - segment->p_vaddr);
        *left = segment->p_filesz - (address - segment->p_vaddr);
        return true;
    }
    return false;
}

static enum fl_reject check_stack(const struct fl_elf *elf, struct fl_refusal *refusal)
{
    bool said = false;

    for (uint16_t i = 0; i < elf->segment_count; i++) {
        if (elf->segments[i].p_type != PT_GNU_STACK)
            continue;
        if (elf->segments[i].p_flags & PF_X)
            return fl_refuse(refusal, FL_REJECT_REFUSED_FLAGS, "asks for an executable stack");
        said = true;
    }
    /* glibc takes silence for an executable stack. */
    if (!said)
        return fl_refuse(refusal, FL_REJECT_REFUSED_FLAGS,
                         "does not say that its stack need not be executable");
    return FL_ACCEPTED;
}

static bool find_dynamic(const struct fl_elf *elf, uint64_t *offset, uint64_t *left)
{
    for (uint16_t i = 0; i < elf->segment_count; i++)
        if (elf->segments[i].p_type == PT_DYNAMIC)
            return find_offset(elf, elf->segments[i].p_vaddr, offset, left);
    return false;
}

static bool read_dynamic(const struct fl_elf *elf, struct dynamic *dynamic)
{
    size_t size = sizeof(dynamic->entries);
    uint64_t offset;
    uint64_t left;

    if (!find_dynamic(elf, &offset, &left))
        return false;
    if (left < size)
        size = (size_t)left;
    if (!fl_elf_read(elf, offset, dynamic->entries, size))
        return false;
    dynamic->count = 0;
    while (dynamic->count < size / sizeof(Elf64_Dyn)) {
        if (dynamic->entries[dynamic->count].d_tag == DT_NULL)
            return true;
        dynamic->count++;
    }
    return false;
}

static bool find_names(const struct fl_elf *elf, const struct dynamic *dynamic,
                       struct strings *names)
{
    uint64_t said = UINT64_MAX;
    bool found = false;

    for (size_t i = 0; i < dynamic->count; i++) {
        const Elf64_Dyn *entry = &dynamic->entries[i];

        if (entry->d_tag == DT_STRTAB)
            found = find_offset(elf, entry->d_un.d_ptr, &names->offset, &names->size);
        if (entry->d_tag == DT_STRSZ)
            said = entry->d_un.d_val;
    }
    if (found && said < names->size)
        names->size = said;
    return found;
}

static bool read_name(const struct fl_elf *elf, const struct strings *names, uint64_t at, char *out,
                      size_t capacity)
{
    size_t size = capacity;

    if (at >= names->size)
        return false;
    if (names->size - at < size)
        size = (size_t)(names->size - at);
    return fl_elf_read(elf, names->offset + at, out, size) && memchr(out, '\0', size);
}

static bool is_anchored(const char *path)
{
    static const char *const anchors[] = {"$ORIGIN", "${ORIGIN}"};

    if (path[0] == '/')
        return true;
    for (size_t i = 0; i < sizeof(anchors) / sizeof(*anchors); i++) {
        size_t size = strlen(anchors[i]);

        if (strncmp(path, anchors[i], size) == 0 && (path[size] == '\0' || path[size] == '/'))
            return true;
    }
    return false;
}

/* Each of "a:b:c" must be anchored; an empty one means the working directory. */
static bool are_anchored(char *paths)
{
    char *rest = paths;

    for (char *path = strsep(&rest, ":"); path; path = strsep(&rest, ":"))
        if (!is_anchored(path))
            return false;
    return true;
}

static enum fl_reject check_entry(const struct fl_elf *elf, const struct strings *names,
                                  const Elf64_Dyn *entry, struct fl_refusal *refusal)
{
    bool is_path = entry->d_tag == DT_RPATH || entry->d_tag == DT_RUNPATH;
    bool is_library =
        entry->d_tag == DT_NEEDED || entry->d_tag == DT_FILTER || entry->d_tag == DT_AUXILIARY;
    char text[MAX_PATHS];

    if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
        return fl_refuse(refusal, FL_REJECT_REFUSED_FLAGS, "asks for text relocations");
    if (!is_path && !is_library)
        return FL_ACCEPTED;
    if (!read_name(elf, names, entry->d_un.d_val, text, sizeof(text)))
        return fl_refuse(refusal, FL_REJECT_TRUNCATED,
                         "a name in its dynamic section is cut short");
    if (is_library && strchr(text, '/') && !is_anchored(text))
        return fl_refuse(refusal, FL_REJECT_REFUSED_FLAGS, "needs '%s' of the working directory",
                         text);
    if (is_path && !are_anchored(text))
        return fl_refuse(refusal, FL_REJECT_REFUSED_FLAGS,
                         "its library search path depends on the working directory");
    return FL_ACCEPTED;
}

enum fl_reject fl_elf_check_flags(const struct fl_elf *elf, struct fl_refusal *refusal)
{
    struct dynamic dynamic;
    struct strings names = {0};
    enum fl_reject reject = check_stack(elf, refusal);

    if (reject != FL_ACCEPTED)
        return reject;
    if (!read_dynamic(elf, &dynamic) || !find_names(elf, &dynamic, &names))
        return fl_refuse(refusal, FL_REJECT_NOT_ELF, "its dynamic section is malformed");
    for (size_t i = 0; reject == FL_ACCEPTED && i < dynamic.count; i++)
        reject = check_entry(elf, &names, &dynamic.entries[i], refusal);
    return reject;
}
