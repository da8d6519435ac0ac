/* SPDX-License-Identifier: Apache-2.0 */
/* An object as it lies in a file: its bytes, then the record that says what they are.
 *
 *     the bytes of all parts | record | its size (8 bytes) | the end mark (8 bytes)
 *
 * The bytes come first because an upload does not say how many there will be; so the file of an
 * object without patches begins with the package itself. A part is the base or a patch; of a native
 * object (an Arrow table) the first part is the schema's header and each other one a whole
 * FlightData. The parts follow each other without a gap from 0. A record that is read is checked:
 * it and its parts are the whole file, its key and versions are such as there can be. Numbers are
 * little-endian. Any thread; a record is not shared. */
#ifndef FL_CACHE_RECORD_H
#define FL_CACHE_RECORD_H

#include "key.h"
#include "status.h"

#define FL_CACHE_VERSION_MAX ((uint64_t)INT64_MAX) /* a reference has it as a signed number */
#define FL_CACHE_PARTS_MAX 65536 /* of an object: patches, or messages of a native one */

struct fl_cache_part {
    uint64_t offset; /* in the file */
    uint64_t size;
    uint64_t version; /* 1 to FL_CACHE_VERSION_MAX; 0 = not known yet */
    bool is_patch;
};

/* {0} is an object without parts. */
struct fl_cache_record {
    struct fl_flight_key key; /* three parts */
    bool is_native;
    uint32_t parts;
    uint32_t capacity;
    struct fl_cache_part *part; /* owned */
};

/* Where the bytes end, and the record begins. */
uint64_t fl_cache_record_end(const struct fl_cache_record *record);

/* The newest version of any part; 0 without parts. */
uint64_t fl_cache_record_version(const struct fl_cache_record *record);

/* Append a part of `size` bytes behind the last one. RESOURCE_EXHAUSTED: too many, no memory. */
bool fl_cache_record_add(struct fl_cache_record *record, uint64_t size, uint64_t version,
                         bool is_patch, struct fl_cache_status *status);

/* Write it behind the bytes, which are there. Fails as write() does. */
bool fl_cache_record_write(const struct fl_cache_record *record, int fd,
                           struct fl_cache_status *status);

/* Read what a file holds; *out is {0} before. DATA_LOSS: it is no object, or a broken one. */
bool fl_cache_record_read(int fd, struct fl_cache_record *out, struct fl_cache_status *status);

void fl_cache_record_done(struct fl_cache_record *record);

#endif
