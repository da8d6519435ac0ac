/* SPDX-License-Identifier: Apache-2.0 */
/* Faults that tests ask for: what a call does instead of going on, and when.
 *
 * A call claims the fault when it begins; from then on what it sends (of an upload: what it
 * receives) is counted, and the fault is due before the message that would exceed `after` bytes. So
 * 0 is before the first byte. (A cut comes while that message leaves, so that some of it may
 * arrive.) The configuration is shared and does not change but for the count of claims; a run
 * belongs to one call. */
#ifndef FL_CACHE_FAULTS_H
#define FL_CACHE_FAULTS_H

#include "service.h"

#include <stdatomic.h>

/* X(name, word, what it does) */
#define FL_CACHE_FAULT_TABLE(X)                                                                    \
    X(NONE, "none", "nothing")                                                                     \
    X(CUT, "cut", "the connection is cut; what left last may not arrive")                          \
    X(STALL, "stall", "nothing more is sent, or taken, for --stall-ms")                            \
    X(STATUS, "status", "the call ends with --fault-status")                                       \
    X(TRAILERS, "trailers", "the call ends with OK and no message")                                \
    X(SHORT, "short", "DoGet leaves out its last message and ends with OK")                        \
    X(SCHEMA, "schema", "DoGet sends a schema without the column data")

/* clang-format off */
enum fl_cache_fault_kind {
#define FL_CACHE_ROW_(name, word, help) FL_CACHE_FAULT_##name,
    FL_CACHE_FAULT_TABLE(FL_CACHE_ROW_)
#undef FL_CACHE_ROW_
};
/* clang-format on */

struct fl_cache_faults {
    enum fl_cache_fault_kind kind;
    uint32_t method; /* enum fl_cache_method; FL_CACHE_METHODS = any */
    uint64_t after;
    uint64_t times;    /* so many calls have it; 0 = all */
    uint64_t stall_ms; /* 0 = for ever */
    enum fl_cache_code code;
    atomic_ullong claimed;
};

/* {0} = none. */
struct fl_cache_fault_run {
    enum fl_cache_fault_kind kind;
    enum fl_cache_code code;
    uint64_t after;
    uint64_t stall_ms;
    uint64_t passed;
};

struct fl_cache_fault_run fl_cache_faults_claim(struct fl_cache_faults *faults,
                                                enum fl_cache_method method);

/* A message of `size` bytes is next: CUT, STALL or STATUS if that is to happen now, and once. */
enum fl_cache_fault_kind fl_cache_fault_due(struct fl_cache_fault_run *run, uint64_t size);

#endif
