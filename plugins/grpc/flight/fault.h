/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong with the bytes of a Flight peer, in codes that a caller acts on.
 *
 * Everything in this folder reads or writes the wire formats of Arrow Flight as Flame's object
 * cache speaks them: pure functions over memory, no sockets, no gRPC, no global state. Functions
 * that can fail return bool and take a fault, which keeps the first failure. Foreign bytes never
 * come into a fault: `why` is a static text, one line, lower case. Header-only, any thread. */
#ifndef FL_FLIGHT_FAULT_H
#define FL_FLIGHT_FAULT_H

#include <flame/status.h>

#include <stdbool.h>

/* X(name, status for the core) */
#define FL_FLIGHT_FAULT_TABLE(X)                                                                   \
    X(NONE, FLAME_OK)                                                                              \
    X(NO_ROWS, FLAME_ERR_NOT_FOUND)   /* a schema and no row: not modified, or not found */        \
    X(PATCHED, FLAME_ERR_UNSUPPORTED) /* the object has patches: it is not one file */             \
    X(NATIVE, FLAME_ERR_UNSUPPORTED)  /* the object is an arrow table, not a file */               \
    X(COLUMNS, FLAME_ERR_UNSUPPORTED) /* the columns or rows are not those of a file */            \
    X(CODEC, FLAME_ERR_UNSUPPORTED)   /* compressed in an unknown way */                           \
    X(TRUNCATED, FLAME_ERR_TRUNCATED) /* fewer bytes than were announced */                        \
    X(LIMIT, FLAME_ERR_LIMIT)         /* more than the caller or this folder takes */              \
    X(MALFORMED, FLAME_ERR_PROTOCOL)  /* not what the formats allow */                             \
    X(KEY, FLAME_ERR_INVALID_URL)     /* not the key of an object */                               \
    X(SINK, FLAME_ERR_INTERNAL)       /* the receiver of the bytes said no */                      \
    X(NO_MEMORY, FLAME_ERR_NO_MEMORY)

/* clang-format off */
enum fl_flight_code {
#define FL_FLIGHT_ROW_(name, status) FL_FLIGHT_##name,
    FL_FLIGHT_FAULT_TABLE(FL_FLIGHT_ROW_)
#undef FL_FLIGHT_ROW_
};
/* clang-format on */

/* {0} is "nothing is wrong". */
struct fl_flight_fault {
    enum fl_flight_code code;
    const char *why; /* static; NULL while code is NONE */
};

/* State a failure, the first one stays. Returns false, so that a function may end with it. */
static inline bool fl_flight_fail(struct fl_flight_fault *fault, enum fl_flight_code code,
                                  const char *why)
{
    if (fault->code == FL_FLIGHT_NONE) {
        fault->code = code;
        fault->why = why;
    }
    return false;
}

static inline bool fl_flight_fail_memory(struct fl_flight_fault *fault)
{
    return fl_flight_fail(fault, FL_FLIGHT_NO_MEMORY, "out of memory");
}

/* enum flame_status for a code. SINK has none of its own: the receiver's status is the right one
 * (fl_flight_reader_status()). */
static inline int32_t fl_flight_status(enum fl_flight_code code)
{
    switch (code) {
#define FL_FLIGHT_ROW_(name, status)                                                               \
    case FL_FLIGHT_##name:                                                                         \
        return status;
        FL_FLIGHT_FAULT_TABLE(FL_FLIGHT_ROW_)
#undef FL_FLIGHT_ROW_
    }
    return FLAME_ERR_INTERNAL;
}

/* The name in the table, "PATCHED". */
static inline const char *fl_flight_code_name(enum fl_flight_code code)
{
    switch (code) {
#define FL_FLIGHT_ROW_(name, status)                                                               \
    case FL_FLIGHT_##name:                                                                         \
        return #name;
        FL_FLIGHT_FAULT_TABLE(FL_FLIGHT_ROW_)
#undef FL_FLIGHT_ROW_
    }
    return "UNKNOWN";
}

#endif
