/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/note.h"

#include "registry/elf.h"

#include <flame/plugin.h>

#include <string.h>

#define MAX_NOTES 64u /* in one segment; three are usual */

/* One of our notes: where its text lies in the file. */
struct place {
    uint64_t offset;
    uint64_t size;
    unsigned count; /* of our notes */
};

static uint64_t round_up(uint64_t size, uint64_t align)
{
    return (size + align - 1) / align * align;
}

static bool is_ours(const struct fl_elf *elf, const Elf64_Nhdr *note, uint64_t name_offset)
{
    char name[sizeof(FLAME_NOTE_NAME)];

    return note->n_type == FLAME_NOTE_TYPE && note->n_namesz == sizeof(name) &&
           fl_elf_read(elf, name_offset, name, sizeof(name)) &&
           memcmp(name, FLAME_NOTE_NAME, sizeof(name)) == 0;
}

/* One note at `offset`; returns the offset of the next, 0 when there is none within `end`. */
static uint64_t read_one(const struct fl_elf *elf, uint64_t offset, uint64_t end, uint64_t align,
                         struct place *ours)
{
    Elf64_Nhdr note;
    uint64_t text;
    uint64_t next;

    if (end - offset < sizeof(note) || !fl_elf_read(elf, offset, &note, sizeof(note)))
        return 0;
    text = offset + round_up(sizeof(note) + note.n_namesz, align);
    next = text + round_up(note.n_descsz, align);
    if (is_ours(elf, &note, offset + sizeof(note))) {
        ours->count++;
        ours->offset = text;
        ours->size = text + note.n_descsz <= end ? note.n_descsz : UINT64_MAX;
    }
    return next < end ? next : 0;
}

static void read_segment(const struct fl_elf *elf, const Elf64_Phdr *segment, struct place *ours)
{
    uint64_t align = segment->p_align == 8 ? 8 : 4;
    uint64_t end = segment->p_offset + segment->p_filesz;
    uint64_t offset = segment->p_offset;

    for (unsigned i = 0; i < MAX_NOTES; i++) {
        offset = read_one(elf, offset, end, align, ours);
        if (offset == 0)
            return;
    }
}

static enum fl_reject find(const struct fl_elf *elf, struct place *ours, struct fl_refusal *refusal)
{
    for (uint16_t i = 0; i < elf->segment_count; i++)
        if (elf->segments[i].p_type == PT_NOTE && elf->segments[i].p_filesz > 0)
            read_segment(elf, &elf->segments[i], ours);
    if (ours->count == 0)
        return fl_refuse_plainly(refusal, FL_REJECT_NOT_A_PLUGIN);
    if (ours->count > 1)
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "has %u notes", ours->count);
    if (ours->size == 0 || ours->size > FL_NOTE_MAX)
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "the text of its note has a wrong size");
    return FL_ACCEPTED;
}

static enum fl_reject copy(const struct fl_elf *elf, const struct place *ours, char **text,
                           struct fl_refusal *refusal)
{
    size_t size = (size_t)ours->size;
    fl_auto_free char *bytes = malloc(size);

    if (!bytes) {
        *text = NULL;
        return FL_ACCEPTED;
    }
    if (!fl_elf_read(elf, ours->offset, bytes, size))
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "its note is cut short");
    if (strnlen(bytes, size) != size - 1)
        return fl_refuse(refusal, FL_REJECT_BAD_NOTE, "its note is not one string");
    *text = fl_take(bytes);
    return FL_ACCEPTED;
}

enum fl_reject fl_note_read(int fd, uint64_t size, char **text, struct fl_refusal *refusal)
{
    struct place ours = {0};
    struct fl_elf elf;
    enum fl_reject reject = fl_elf_open(&elf, fd, size, refusal);

    if (reject == FL_ACCEPTED)
        reject = find(&elf, &ours, refusal);
    if (reject == FL_ACCEPTED)
        reject = fl_elf_check_flags(&elf, refusal);
    return reject == FL_ACCEPTED ? copy(&elf, &ours, text, refusal) : reject;
}
