/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are refused by looking at them; none of their code runs. */
#include "fixture.h"
#include "skip.h"

#include <elf.h>
#include <sys/socket.h>
#include <sys/un.h>

TestSuite(refused, .init = set_up, .fini = tear_down);

static void refuse(const char *plugin, const char *code, const char *reason)
{
    (void)put(plugin, "x.so");
    open_registry();
    expect_refused("x.so", code, reason);
}

static void refuse_forged(const char *before, const char *after, const char *code,
                          const char *reason)
{
    forge(put("option.so", "x.so"), before, after);
    open_registry();
    expect_refused("x.so", code, reason);
}

static void refuse_patched(off_t offset, uint16_t value, const char *code, const char *reason)
{
    patch(put("option.so", "x.so"), offset, &value, sizeof(value));
    open_registry();
    expect_refused("x.so", code, reason);
}

Test(refused, a_text_is_no_plugin)
{
    (void)scratch_write(&here.scratch, "x.so", "/* GNU ld script */\n", 20);
    open_registry();
    expect_refused("x.so", "NOT_ELF", "not an elf file");
}

Test(refused, an_empty_file_is_no_plugin)
{
    (void)scratch_write(&here.scratch, "x.so", "", 0);
    open_registry();
    expect_refused("x.so", "NOT_ELF", "not an elf file");
}

Test(refused, a_plugin_cut_short_anywhere_does_not_kill_us)
{
    size_t size;
    char *bytes = slurp(put("option.so", "x.so"), &size);
    const Elf64_Phdr *segments =
        (const void *)(bytes + ((const Elf64_Ehdr *)(void *)bytes)->e_phoff);
    size_t loaded = 0;

    for (int i = 0; i < ((const Elf64_Ehdr *)(void *)bytes)->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset + segments[i].p_filesz > loaded)
            loaded = segments[i].p_offset + segments[i].p_filesz;
    for (int i = 4; i <= 40; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "cut%02d.so", i);
        (void)scratch_write(&here.scratch, name, bytes, (loaded - 1) * (size_t)i / 40);
    }
    (void)unlink(at("x.so"));
    open_registry();
    for (int i = 4; i <= 40; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "cut%02d.so", i);
        expect_refused(name, "TRUNCATED", "ends behind the end of the file");
    }
    free(bytes);
}

Test(refused, a_header_cut_short_says_so)
{
    (void)put("option.so", "x.so");
    cr_assert_eq(truncate(at("x.so"), 20), 0);
    open_registry();
    expect_refused("x.so", "TRUNCATED", "its elf header is cut short");
}

Test(refused, another_machine_is_named)
{
    refuse_patched(offsetof(Elf64_Ehdr, e_machine), EM_S390, "WRONG_ARCH", "is for s390 (22)");
}

Test(refused, a_program_is_no_plugin)
{
    refuse_patched(offsetof(Elf64_Ehdr, e_type), ET_EXEC, "WRONG_ARCH", "elf type 2");
}

Test(refused, a_32_bit_plugin_says_so)
{
    refuse_patched(EI_CLASS, ELFCLASS32 | ELFDATA2LSB << 8, "WRONG_ARCH", "is 32 bit");
}

Test(refused, another_byte_order_says_so)
{
    refuse_patched(EI_CLASS, ELFCLASS64 | ELFDATA2MSB << 8, "WRONG_ARCH", "byte order");
}

Test(refused, a_segment_table_behind_the_end_is_not_followed)
{
    const uint64_t far = UINT64_MAX - 100;

    patch(put("option.so", "x.so"), offsetof(Elf64_Ehdr, e_phoff), &far, sizeof(far));
    open_registry();
    expect_refused("x.so", "TRUNCATED", "segment table");
}

Test(refused, too_many_segments_are_not_read)
{
    refuse_patched(offsetof(Elf64_Ehdr, e_phnum), 0xffff, "NOT_ELF", "65535 segments");
}

Test(refused, a_library_without_note_is_listed_as_such)
{
    refuse("libforeign.so", "NOT_A_PLUGIN", "has no flame note");
    cr_expect_null(info_of("x.so").id);
}

Test(refused, two_notes_are_one_too_many)
{
    refuse("two-notes.so", "BAD_NOTE", "has 2 notes");
}

Test(refused, a_note_that_is_too_long_is_not_read)
{
    refuse("long-note.so", "BAD_NOTE", "wrong size");
}

/* Let the note claim `text_size` bytes. */
static void refuse_note_of(uint32_t text_size)
{
    static const char before[] = "\1\0\0\0Flame\0\0\0abi=";
    size_t size;
    char *bytes = slurp(put("option.so", "x.so"), &size);
    char *note = memmem(bytes, size, before, sizeof(before) - 1);

    cr_assert_not_null(note);
    patch(at("x.so"), note - bytes - 4, &text_size, sizeof(text_size));
    free(bytes);
    open_registry();
    expect_refused("x.so", "BAD_NOTE", "wrong size");
}

Test(refused, a_note_of_four_gigabytes_is_not_read)
{
    refuse_note_of(UINT32_MAX);
}

Test(refused, a_note_that_reaches_behind_its_segment_is_not_read)
{
    refuse_note_of(9000);
}

Test(refused, a_note_without_text_is_refused)
{
    refuse_note_of(0);
}

Test(refused, a_note_of_two_strings_is_refused)
{
    size_t size;
    char *bytes = slurp(put("option.so", "x.so"), &size);
    char *note = memmem(bytes, size, "min_host=0\n", 11);

    cr_assert_not_null(note);
    patch(at("x.so"), note - bytes + 5, "", 1);
    free(bytes);
    open_registry();
    expect_refused("x.so", "BAD_NOTE", "not one string");
}

Test(refused, a_line_without_key_is_refused)
{
    refuse_forged("version=1.0", "version:1.0", "BAD_NOTE", "is not key=value");
}

Test(refused, a_control_character_in_a_note_is_refused)
{
    refuse_forged("for tests", "for\33tests", "BAD_NOTE", "'summary' of its note is not printable");
}

Test(refused, another_abi_major_names_both_versions)
{
    refuse_forged("abi=1.0", "abi=2.0", "ABI_MAJOR", "is built for abi 2.0, this host is 1.0");
}

Test(refused, a_newer_minor_alone_is_no_reason)
{
    forge(put("option.so", "x.so"), "abi=1.0", "abi=1.9");
    open_registry();
    cr_expect_eq(info_of("x.so").accepted, 1);
}

Test(refused, a_plugin_that_needs_a_newer_host_names_both_versions)
{
    refuse("newer-host.so", "ABI_MINOR", "needs a host of abi 1.7, this is 1.0");
}

Test(refused, a_malformed_id_is_named)
{
    refuse_forged("org.example.bad", "org.Example.bad", "BAD_ID", "'org.Example.bad' is no id");
}

Test(refused, an_upper_case_scheme_is_named)
{
    refuse_forged("schemes=bad", "schemes=BAD", "BAD_SCHEME", "'BAD' is no scheme");
    cr_expect_str_eq(info_of("x.so").id, "org.example.bad");
    cr_expect_str_eq(info_of("x.so").schemes, "");
}

Test(refused, no_scheme_at_all_says_so)
{
    refuse("no-scheme.so", "BAD_SCHEME", "names no scheme");
}

Test(refused, a_scheme_of_33_bytes_is_named)
{
    refuse("long-scheme.so", "BAD_SCHEME", "'a23456789012345678901234567890123' is no scheme");
}

Test(refused, an_executable_stack_is_refused)
{
    refuse("executable-stack.so", "REFUSED_FLAGS", "asks for an executable stack");
}

Test(refused, silence_about_the_stack_is_refused)
{
    size_t size;
    char *bytes = slurp(put("option.so", "x.so"), &size);
    const Elf64_Ehdr *header = (const void *)bytes;
    const uint32_t none = PT_NULL;

    for (int i = 0; i < header->e_phnum; i++) {
        off_t at_segment = (off_t)(header->e_phoff + (size_t)i * sizeof(Elf64_Phdr));

        if (((const Elf64_Phdr *)(void *)(bytes + at_segment))->p_type == PT_GNU_STACK)
            patch(at("x.so"), at_segment, &none, sizeof(none));
    }
    free(bytes);
    open_registry();
    expect_refused("x.so", "REFUSED_FLAGS", "does not say that its stack");
}

/* Linkers say it twice; each alone must do. */
static void refuse_text_relocation_without(Elf64_Sxword tag, Elf64_Xword value)
{
    const Elf64_Dyn said = {.d_tag = tag, .d_un = {.d_val = value}};
    const Elf64_Dyn other = {.d_tag = DT_DEBUG};
    size_t size;
    char *bytes;
    char *found;

    if (access(BAD_DIR "/text-relocation.so", F_OK) != 0)
        skip_loudly("this machine's assembler is not known here");
    bytes = slurp(put("text-relocation.so", "x.so"), &size);
    found = memmem(bytes, size, &said, sizeof(said));
    cr_assert_not_null(found);
    patch(at("x.so"), found - bytes, &other, sizeof(other));
    free(bytes);
    open_registry();
    expect_refused("x.so", "REFUSED_FLAGS", "text relocations");
}

Test(refused, text_relocations_said_by_a_flag_are_refused)
{
    refuse_text_relocation_without(DT_TEXTREL, 0);
}

Test(refused, text_relocations_said_by_a_tag_are_refused)
{
    refuse_text_relocation_without(DT_FLAGS, DF_TEXTREL);
}

Test(refused, a_relative_search_path_is_refused)
{
    refuse("relative-path.so", "REFUSED_FLAGS", "depends on the working directory");
}

Test(refused, an_empty_search_path_is_refused)
{
    forge(put("origin-path.so", "x.so"), "$ORIGIN/lib:/opt/lib", "$ORIGIN/lib::/opt/li");
    open_registry();
    expect_refused("x.so", "REFUSED_FLAGS", "depends on the working directory");
}

Test(refused, a_search_path_beside_the_plugin_is_fine)
{
    (void)put("origin-path.so", "x.so");
    open_registry();
    cr_expect_eq(use("origin"), FLAME_OK, "%s", here.err.message);
}

Test(refused, a_library_of_the_working_directory_is_refused)
{
    forge(put("needs-library.so", "x.so"), "libforeign.so", "./foreign.so ");
    open_registry();
    expect_refused("x.so", "REFUSED_FLAGS", "needs './foreign.so ' of the working directory");
}

Test(refused, a_fifo_does_not_hang_us)
{
    cr_assert_eq(mkfifo(at("x.so"), 0600), 0);
    open_registry();
    expect_refused("x.so", "NOT_REGULAR", "not a regular file");
}

Test(refused, what_is_no_file_is_not_even_opened)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", at("x.so"));
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    open_registry();
    expect_refused("x.so", "NOT_REGULAR", "not a regular file");
    (void)close(fd);
}

Test(refused, a_directory_is_no_plugin)
{
    cr_assert_eq(mkdir(at("x.so"), 0700), 0);
    open_registry();
    expect_refused("x.so", "NOT_REGULAR", "not a regular file");
}

Test(refused, a_link_to_a_device_is_no_plugin)
{
    cr_assert_eq(symlink("/dev/zero", at("x.so")), 0);
    open_registry();
    expect_refused("x.so", "NOT_REGULAR", "not a regular file");
}

Test(refused, a_loop_of_links_ends)
{
    cr_assert_eq(symlink("y.so", at("x.so")), 0);
    cr_assert_eq(symlink("x.so", at("y.so")), 0);
    open_registry();
    expect_refused("x.so", "OPEN", "Too many levels of symbolic links");
}

Test(refused, a_dangling_link_says_so)
{
    cr_assert_eq(symlink("nowhere.so", at("x.so")), 0);
    open_registry();
    expect_refused("x.so", "OPEN", "No such file or directory");
}

Test(refused, a_file_over_the_limit_is_not_read)
{
    cr_assert_eq(truncate(put("option.so", "x.so"), (256 << 20) + 1), 0);
    open_registry();
    expect_refused("x.so", "TOO_LARGE", "is larger than 256 MiB");
}
