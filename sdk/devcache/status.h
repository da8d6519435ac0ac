/* SPDX-License-Identifier: Apache-2.0 */
/* How a call ends: a gRPC status, by number as the protocol has it, and the text that the caller
 * reads. What fails in this folder for a reason that somebody is told takes one, and returns false,
 * NULL or -1; the first failure stays. Texts of foreign origin are made harmless where they come
 * in. Any thread. */
#ifndef FL_CACHE_STATUS_H
#define FL_CACHE_STATUS_H

#include "buffer.h"
#include "fault.h"

#include <stdbool.h>
#include <stdint.h>

/* X(name, number) */
#define FL_CACHE_CODE_TABLE(X)                                                                     \
    X(OK, 0)                                                                                       \
    X(CANCELLED, 1)                                                                                \
    X(UNKNOWN, 2)                                                                                  \
    X(INVALID_ARGUMENT, 3)                                                                         \
    X(DEADLINE_EXCEEDED, 4)                                                                        \
    X(NOT_FOUND, 5)                                                                                \
    X(ALREADY_EXISTS, 6)                                                                           \
    X(PERMISSION_DENIED, 7)                                                                        \
    X(RESOURCE_EXHAUSTED, 8)                                                                       \
    X(FAILED_PRECONDITION, 9)                                                                      \
    X(ABORTED, 10)                                                                                 \
    X(OUT_OF_RANGE, 11)                                                                            \
    X(UNIMPLEMENTED, 12)                                                                           \
    X(INTERNAL, 13)                                                                                \
    X(UNAVAILABLE, 14)                                                                             \
    X(DATA_LOSS, 15)                                                                               \
    X(UNAUTHENTICATED, 16)

/* clang-format off */
enum fl_cache_code {
#define FL_CACHE_ROW_(name, number) FL_CACHE_##name = number,
    FL_CACHE_CODE_TABLE(FL_CACHE_ROW_)
#undef FL_CACHE_ROW_
};
/* clang-format on */

#define FL_CACHE_TEXT_MAX 1536

/* {0} is OK. */
struct fl_cache_status {
    enum fl_cache_code code;
    char text[FL_CACHE_TEXT_MAX];
};

/* State a failure, the first one stays. Returns false, so that a function may end with it. */
bool fl_cache_fail(struct fl_cache_status *status, enum fl_cache_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what errno says: "<what>: <reason>"; RESOURCE_EXHAUSTED where space, memory or
 * descriptors ran out, else INTERNAL. */
bool fl_cache_fail_errno(struct fl_cache_status *status, const char *what);

/* The same for bytes that are wrong: INVALID_ARGUMENT, for a limit or memory RESOURCE_EXHAUSTED. */
bool fl_cache_fail_fault(struct fl_cache_status *status, const struct fl_flight_fault *fault);

/* Foreign bytes for such a text: printable, and as many as `room`, at least 1, has place for. */
void fl_cache_show(struct fl_flight_bytes text, char *out, size_t room);

/* "NOT_FOUND" or "5" -> its code. false = there is none. */
bool fl_cache_code_find(const char *name, enum fl_cache_code *code);

#endif
