/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of Arrow's IPC format (Message.fbs, Schema.fbs), as far as a file needs them.
 *
 * A file is a table with the columns {version, data} (0.5) or {version, kind, data} (0.6), its
 * bytes the values of `data` joined. What such a table looks like on the wire is judged here,
 * before a byte of the body is looked at: where each buffer lies, that none leaves the body or
 * overlaps another, that nothing is null. Anything else has its own code: NATIVE (the object is an
 * arrow table), COLUMNS, CODEC, TRUNCATED, LIMIT, MALFORMED. Pure, any thread. */
#ifndef FL_FLIGHT_IPC_H
#define FL_FLIGHT_IPC_H

#include "codec.h"
#include "flatbuf.h"

/* Bytes of a batch's buffers beside `data`, which are held in memory: 2 million rows. */
#define FL_FLIGHT_AUX_MAX (16u << 20)

/* What the columns are. */
struct fl_flight_plan {
    bool has_kind;
    bool kind_first; /* {kind, version, data} */
    bool wide_kind;  /* 64-bit offsets: large_utf8 */
    bool wide_data;  /* large_binary */
};

enum fl_flight_role {
    FL_FLIGHT_ROLE_VALIDITY,
    FL_FLIGHT_ROLE_VERSIONS,
    FL_FLIGHT_ROLE_KIND_OFFSETS,
    FL_FLIGHT_ROLE_KINDS,
    FL_FLIGHT_ROLE_DATA_OFFSETS,
    FL_FLIGHT_ROLE_DATA, /* always the last one */
    FL_FLIGHT_ROLES,
};

#define FL_FLIGHT_REGIONS_MAX 8

/* A buffer of a batch. Those without bytes are there too. */
struct fl_flight_region {
    uint64_t offset; /* in the body */
    uint64_t size;
    enum fl_flight_role role;
};

struct fl_flight_batch {
    uint64_t rows;
    enum fl_flight_codec codec;
    uint32_t regions;
    struct fl_flight_region region[FL_FLIGHT_REGIONS_MAX]; /* ascending, disjoint, in the body */
};

enum fl_flight_kind {
    FL_FLIGHT_IPC_SCHEMA,
    FL_FLIGHT_IPC_BATCH,
};

/* An opened Message. It points into the header's bytes and into itself: do not copy it. */
struct fl_flight_ipc {
    struct fl_flight_fb fb;
    struct fl_flight_table table; /* of Schema or RecordBatch */
    enum fl_flight_kind kind;
    uint64_t body_length; /* as it says; the body may be longer */
};

/* Open a Message. A dictionary, a tensor, an unknown version: COLUMNS or MALFORMED. */
bool fl_flight_ipc_open(struct fl_flight_ipc *ipc, struct fl_flight_bytes header,
                        struct fl_flight_fault *fault);

/* Judge the columns. NATIVE goes before COLUMNS. */
bool fl_flight_ipc_plan(struct fl_flight_ipc *ipc, struct fl_flight_plan *plan,
                        struct fl_flight_fault *fault);

/* Judge a RecordBatch whose body has `body_size` bytes. */
bool fl_flight_ipc_batch(struct fl_flight_ipc *ipc, const struct fl_flight_plan *plan,
                         uint64_t body_size, struct fl_flight_batch *batch,
                         struct fl_flight_fault *fault);

#endif
