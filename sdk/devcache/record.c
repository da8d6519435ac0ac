/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include "cleanup.h"
#include "files.h"
#include "flatbuf.h"

#include <string.h>
#include <sys/stat.h>

#define MAGIC "FLMOBJ1\n"
#define MAGIC_SIZE 8
#define HEAD_SIZE 16 /* flags, number of parts, size of the key, 4 bytes that are 0 */
#define PART_SIZE 24 /* size, version, flags */
#define TRAILER_SIZE 16
#define RECORD_MAX (HEAD_SIZE + (uint64_t)FL_CACHE_PARTS_MAX * PART_SIZE + FL_FLIGHT_KEY_MAX)
#define FLAG_NATIVE 1u
#define FLAG_PATCH 1u

uint64_t fl_cache_record_end(const struct fl_cache_record *record)
{
    const struct fl_cache_part *last;

    if (record->parts == 0)
        return 0;
    last = &record->part[record->parts - 1];
    return last->offset + last->size;
}

uint64_t fl_cache_record_version(const struct fl_cache_record *record)
{
    uint64_t newest = 0;

    for (uint32_t i = 0; i < record->parts; i++) {
        if (record->part[i].version > newest)
            newest = record->part[i].version;
    }
    return newest;
}

bool fl_cache_record_add(struct fl_cache_record *record, uint64_t size, uint64_t version,
                         bool is_patch, struct fl_cache_status *status)
{
    uint32_t capacity = record->capacity ? record->capacity * 2 : 4;
    struct fl_cache_part *grown = record->part;

    if (record->parts == FL_CACHE_PARTS_MAX)
        return fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "the object has too many parts");
    if (record->parts == record->capacity) {
        grown = realloc(record->part, capacity * sizeof(*grown));
        if (!grown)
            return fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
        record->part = grown;
        record->capacity = capacity;
    }
    grown[record->parts] =
        (struct fl_cache_part){fl_cache_record_end(record), size, version, is_patch};
    record->parts++;
    return true;
}

void fl_cache_record_done(struct fl_cache_record *record)
{
    free(record->part);
    *record = (struct fl_cache_record){.parts = 0};
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put(struct fl_flight_buffer *out, uint64_t value, uint32_t width)
{
    uint8_t bytes[8];

    for (uint32_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    (void)fl_flight_buffer_add(out, bytes, width);
}

static void put_record(struct fl_flight_buffer *out, const struct fl_cache_record *record)
{
    size_t key_size = strlen(record->key.text);

    put(out, record->is_native ? FLAG_NATIVE : 0, 4);
    put(out, record->parts, 4);
    put(out, key_size, 4);
    put(out, 0, 4);
    for (uint32_t i = 0; i < record->parts; i++) {
        put(out, record->part[i].size, 8);
        put(out, record->part[i].version, 8);
        put(out, record->part[i].is_patch ? FLAG_PATCH : 0, 8);
    }
    (void)fl_flight_buffer_add(out, record->key.text, key_size);
    put(out, out->size, 8);
    (void)fl_flight_buffer_add(out, MAGIC, MAGIC_SIZE);
}

bool fl_cache_record_write(const struct fl_cache_record *record, int fd,
                           struct fl_cache_status *status)
{
    struct fl_flight_buffer bytes = {.size = 0};
    struct flame_slice slice;
    bool done;

    put_record(&bytes, record);
    slice = (struct flame_slice){bytes.data, bytes.size};
    done = bytes.failed ? fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory")
                        : fl_cache_write_at(fd, fl_cache_record_end(record), &slice, 1, status);
    fl_flight_buffer_done(&bytes);
    return done;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool broken(struct fl_cache_status *status, const char *why)
{
    return fl_cache_fail(status, FL_CACHE_DATA_LOSS, "%s", why);
}

/* The record's bytes, to be freed. *end = where it begins in the file. */
static uint8_t *load(int fd, uint64_t *end, uint64_t *size, struct fl_cache_status *status)
{
    uint8_t trailer[TRAILER_SIZE];
    struct stat file;
    uint8_t *bytes;

    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size < TRAILER_SIZE ||
        !fl_cache_read_at(fd, (uint64_t)file.st_size - TRAILER_SIZE, trailer, TRAILER_SIZE) ||
        memcmp(trailer + 8, MAGIC, MAGIC_SIZE) != 0) {
        (void)broken(status, "the file is no object of a cache");
        return NULL;
    }
    *size = fl_flight_little(trailer, 8);
    if (*size < HEAD_SIZE || *size > RECORD_MAX || *size > (uint64_t)file.st_size - TRAILER_SIZE) {
        (void)broken(status, "the record of the object has an impossible size");
        return NULL;
    }
    *end = (uint64_t)file.st_size - TRAILER_SIZE - *size;
    bytes = malloc((size_t)*size);
    if (bytes && fl_cache_read_at(fd, *end, bytes, (size_t)*size))
        return bytes;
    free(bytes);
    (void)broken(status, "the record of the object cannot be read");
    return NULL;
}

static bool read_parts(const uint8_t *at, uint32_t parts, uint64_t end, struct fl_cache_record *out,
                       struct fl_cache_status *status)
{
    for (uint32_t i = 0; i < parts; i++, at += PART_SIZE) {
        uint64_t size = fl_flight_little(at, 8);
        uint64_t version = fl_flight_little(at + 8, 8);

        if (size > end - fl_cache_record_end(out))
            return broken(status, "a part of the object lies outside of its file");
        if (version == 0 || version > FL_CACHE_VERSION_MAX)
            return broken(status, "a part of the object has an impossible version");
        if (!fl_cache_record_add(out, size, version, fl_flight_little(at + 16, 8) & FLAG_PATCH,
                                 status))
            return false;
    }
    return fl_cache_record_end(out) == end ||
           broken(status, "the parts of the object are not its file");
}

bool fl_cache_record_read(int fd, struct fl_cache_record *out, struct fl_cache_status *status)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    uint64_t end;
    uint64_t size;
    fl_auto_free uint8_t *bytes = load(fd, &end, &size, status);
    struct fl_flight_bytes key;
    uint32_t parts;

    if (!bytes)
        return false;
    parts = (uint32_t)fl_flight_little(bytes + 4, 4);
    key.size = (size_t)fl_flight_little(bytes + 8, 4);
    if (parts == 0 || parts > FL_CACHE_PARTS_MAX ||
        size != HEAD_SIZE + (uint64_t)parts * PART_SIZE + key.size)
        return broken(status, "the record of the object does not add up");
    key.data = bytes + size - key.size;
    if (!fl_flight_key_parse(&out->key, key, FL_FLIGHT_KEY_OBJECT, &fault))
        return broken(status, fault.why);
    out->is_native = fl_flight_little(bytes, 4) & FLAG_NATIVE;
    return read_parts(bytes + HEAD_SIZE, parts, end, out, status);
}
