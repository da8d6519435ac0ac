/* SPDX-License-Identifier: Apache-2.0 */
/* A record is read as it was written; from a file that is damaged, cut or somebody else's comes no
 * part that leads outside. */
#include "files.h"
#include "record.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct fl_cache_status status;

static void make(struct fl_cache_record *record, bool is_native)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};

    *record = (struct fl_cache_record){.is_native = is_native};
    cr_assert(fl_flight_key_parse(&record->key, fl_flight_text("app/ssn/object"),
                                  FL_FLIGHT_KEY_OBJECT, &fault));
    cr_assert(fl_cache_record_add(record, 100, 3, false, &status));
    cr_assert(fl_cache_record_add(record, 0, 4, true, &status));
    cr_assert(fl_cache_record_add(record, 28, FL_CACHE_VERSION_MAX, true, &status));
}

/* The bytes of the parts, and the record. */
static int write_file(const struct fl_cache_record *record)
{
    static uint8_t bytes[128];
    struct flame_slice slice = {bytes, sizeof(bytes)};
    int fd = memfd_create("record", MFD_CLOEXEC);

    cr_assert(fd >= 0 && fl_cache_write_at(fd, 0, &slice, 1, &status));
    cr_assert(fl_cache_record_write(record, fd, &status), "%s", status.text);
    return fd;
}

/* Whatever was read lies in the file. */
static void check_inside(const struct fl_cache_record *record, uint64_t size)
{
    uint64_t end = 0;

    for (uint32_t i = 0; i < record->parts; i++) {
        cr_assert_eq(record->part[i].offset, end);
        cr_assert(record->part[i].size <= size - end);
        end += record->part[i].size;
    }
}

Test(record, what_was_written_is_read)
{
    for (int is_native = 0; is_native < 2; is_native++) {
        struct fl_cache_record got = {.parts = 0};
        struct fl_cache_record record;
        int fd;

        make(&record, is_native);
        fd = write_file(&record);
        cr_assert(fl_cache_record_read(fd, &got, &status), "%s", status.text);
        cr_expect_str_eq(got.key.text, "app/ssn/object");
        cr_expect_eq(got.is_native, is_native);
        cr_expect_eq(got.parts, 3);
        cr_expect_eq(fl_cache_record_end(&got), 128);
        cr_expect_eq(fl_cache_record_version(&got), FL_CACHE_VERSION_MAX);
        for (uint32_t i = 0; i < 3; i++) {
            cr_expect_eq(got.part[i].offset, record.part[i].offset);
            cr_expect_eq(got.part[i].size, record.part[i].size);
            cr_expect_eq(got.part[i].version, record.part[i].version);
            cr_expect_eq(got.part[i].is_patch, record.part[i].is_patch);
        }
        fl_cache_record_done(&got);
        fl_cache_record_done(&record);
        (void)close(fd);
    }
}

Test(record, a_damaged_file_never_leads_outside)
{
    static const uint8_t damage[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    struct fl_cache_record record;
    off_t size;
    int fd;

    make(&record, false);
    fd = write_file(&record);
    size = lseek(fd, 0, SEEK_END);
    for (off_t at = 128; at < size; at++) {
        uint8_t before;

        cr_assert(fl_cache_read_at(fd, (uint64_t)at, &before, 1));
        for (size_t i = 0; i < sizeof(damage); i++) {
            struct fl_cache_status ignored = {FL_CACHE_OK, ""};
            struct fl_cache_record got = {.parts = 0};

            cr_assert_eq(pwrite(fd, &damage[i], 1, at), 1);
            if (fl_cache_record_read(fd, &got, &ignored))
                cr_assert_eq(fl_cache_record_end(&got), 128, "byte %ld", (long)at);
            check_inside(&got, 128);
            fl_cache_record_done(&got);
        }
        cr_assert_eq(pwrite(fd, &before, 1, at), 1);
    }
    fl_cache_record_done(&record);
    (void)close(fd);
}

Test(record, a_file_that_is_cut_is_no_object)
{
    struct fl_cache_record record;
    off_t size;
    int fd;

    make(&record, false);
    fd = write_file(&record);
    size = lseek(fd, 0, SEEK_END);
    while (size-- > 0) {
        struct fl_cache_status why = {FL_CACHE_OK, ""};
        struct fl_cache_record got = {.parts = 0};

        cr_assert_eq(ftruncate(fd, size), 0);
        cr_assert_not(fl_cache_record_read(fd, &got, &why));
        cr_expect_eq(why.code, FL_CACHE_DATA_LOSS);
        fl_cache_record_done(&got);
    }
    fl_cache_record_done(&record);
    (void)close(fd);
}

Test(record, a_version_that_nobody_can_be_told_is_refused)
{
    static const uint64_t versions[] = {0, FL_CACHE_VERSION_MAX + 1, UINT64_MAX};

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct fl_cache_status why = {FL_CACHE_OK, ""};
        struct fl_cache_record got = {.parts = 0};
        struct fl_cache_record record;
        int fd;

        make(&record, false);
        record.part[1].version = versions[i];
        fd = write_file(&record);
        cr_expect_not(fl_cache_record_read(fd, &got, &why));
        cr_expect_eq(why.code, FL_CACHE_DATA_LOSS);
        fl_cache_record_done(&got);
        fl_cache_record_done(&record);
        (void)close(fd);
    }
}

Test(record, there_are_only_so_many_parts)
{
    struct fl_cache_record record = {.parts = 0};
    struct fl_cache_status why = {FL_CACHE_OK, ""};

    for (uint32_t i = 0; i < FL_CACHE_PARTS_MAX; i++)
        cr_assert(fl_cache_record_add(&record, 1, 1, true, &status));
    cr_expect_not(fl_cache_record_add(&record, 1, 1, true, &why));
    cr_expect_eq(why.code, FL_CACHE_RESOURCE_EXHAUSTED);
    fl_cache_record_done(&record);
}
