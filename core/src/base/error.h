/* SPDX-License-Identifier: Apache-2.0 */
/* Filling a caller's struct flame_error. The first failure wins; a NULL error is legal and ignored.
 * Messages: one line, lower case, no full stop, no URL (the caller adds it), user text in '...'.
 * Every message is escaped here, so remote bytes may be formatted into it as they are.
 *
 * Inside the core an error always has this header's full size; fl_error_export() cuts it to the
 * caller's size at the API boundary. No state; any thread. */
#ifndef FL_BASE_ERROR_H
#define FL_BASE_ERROR_H

#include "base/cleanup.h"

#include <flame/status.h>

/* State a failure; returns `status`. */
int32_t fl_fail(struct flame_error *err, int32_t status, const char *format, ...) FL_PRINTF(3, 4);

/* State a failed system call: the status comes from `errnum`, its text ends the message. */
int32_t fl_fail_errno(struct flame_error *err, int errnum, const char *format, ...) FL_PRINTF(3, 4);

/* NO_MEMORY, in the words that are the same everywhere. */
int32_t fl_fail_memory(struct flame_error *err);

/* IO, NO_SPACE (ENOSPC, EDQUOT) or NO_MEMORY (ENOMEM). */
int32_t fl_status_from_errno(int errnum);

/* Forget what is in it, keep struct_size. */
void fl_error_reset(struct flame_error *err);

/* Copy to a caller's error, which may be shorter (an older header) or NULL. */
void fl_error_export(const struct flame_error *from, struct flame_error *to);

#endif
