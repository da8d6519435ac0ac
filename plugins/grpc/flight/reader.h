/* SPDX-License-Identifier: Apache-2.0 */
/* An object, from the FlightData messages that carry it to the bytes of a file: what DoGet answers,
 * and what DoPut brings.
 *
 *     reader = fl_flight_reader_new(&config);
 *     fl_flight_reader_message(reader, slices, count)     for each message, or in pieces:
 *         fl_flight_reader_begin(reader, size); fl_flight_reader_push(reader, slices, count) ...
 *     fl_flight_reader_finish(reader, &summary)           when the peer has said OK
 *
 * Bytes go to the sink where they lie, or from the inflater's room: memory is bounded whatever the
 * size (header 1 MiB, small buffers 16 MiB, 256 KiB). Rows are judged before their bytes are given
 * away, and yet a later message may turn out to be a patch: nothing counts before finish says so.
 *
 * Patches: with a column `kind` a row says so; without one (0.5) a row whose version differs from
 * the first row's is one. They are never joined to a file. After a failure every call fails with
 * the same fault. One thread at a time. */
#ifndef FL_FLIGHT_READER_H
#define FL_FLIGHT_READER_H

#include "rows.h"

struct fl_flight_reader_config {
    void *context;
    /* The next bytes of the file, borrowed; none is legal. Not OK = stop with SINK. */
    int32_t (*sink)(void *context, const struct flame_slice *slices, uint32_t count);
    /* May be NULL. A row, before its bytes; several may come before the bytes of all of them. Not
     * OK = stop with SINK. */
    int32_t (*row)(void *context, const struct fl_flight_row *row);
    /* More than so many bytes is LIMIT, before the first of the batch that is too much. UINT64_MAX
     * = no bound. */
    uint64_t max_bytes;
    bool takes_patches; /* hand patches to row() and sink() too, do not refuse them */
};

struct fl_flight_summary {
    uint64_t version; /* of the first row */
    uint64_t bytes;
    uint64_t rows; /* patches included */
    uint64_t patches;
    bool has_kind;              /* the peer speaks 0.6 */
    enum fl_flight_codec codec; /* of the last batch */
};

struct fl_flight_reader;

/* NULL = no memory. */
struct fl_flight_reader *fl_flight_reader_new(const struct fl_flight_reader_config *config);

/* A message of `size` bytes is to come. */
bool fl_flight_reader_begin(struct fl_flight_reader *reader, uint64_t size);
/* Some bytes of it, not more than are left. */
bool fl_flight_reader_push(struct fl_flight_reader *reader, const struct flame_slice *slices,
                           uint32_t count);
/* A whole message at once. */
bool fl_flight_reader_message(struct fl_flight_reader *reader, const struct flame_slice *slices,
                              uint32_t count);

/* The peer has ended with OK. NO_ROWS when there was a schema and no row: for a ticket with a
 * version that is "not modified", and it is for the caller to know. TRUNCATED inside a message and
 * without a schema. *summary is filled in any case, with what has come. */
bool fl_flight_reader_finish(struct fl_flight_reader *reader, struct fl_flight_summary *summary);

/* A schema has come: the peer has the object and begins to answer. */
bool fl_flight_reader_has_schema(const struct fl_flight_reader *reader);

/* Of the message that came last: its descriptor (DoPut: of the first one), its metadata. Good until
 * the next begin. */
struct fl_flight_bytes fl_flight_reader_descriptor(const struct fl_flight_reader *reader);
struct fl_flight_bytes fl_flight_reader_metadata(const struct fl_flight_reader *reader);

/* What failed. Never NULL. */
const struct fl_flight_fault *fl_flight_reader_fault(const struct fl_flight_reader *reader);
/* enum flame_status for it; for SINK what the sink returned. */
int32_t fl_flight_reader_status(const struct fl_flight_reader *reader);

/* Takes NULL. */
void fl_flight_reader_free(struct fl_flight_reader *reader);

#endif
