/* SPDX-License-Identifier: Apache-2.0 */
/* Several downloads at once, on one thread. */
#ifndef CLI_PARALLEL_H
#define CLI_PARALLEL_H

#include "app.h"
#include "batch.h"

#define CLI_PARALLEL_MAX 256

/* What --parallel says; 0 = one after the other. Fails with INVALID. */
int32_t cli_parallel_read(const struct cli_args *args, uint32_t *out,
                          struct flame_error *err) CLI_MUST_USE;

/* Fetch all of them, at most `limit` at once. Returns the exit code of the first failure in the
 * order of the batch, not of time. */
int cli_parallel_get(struct cli_app *app, const struct cli_batch *batch, uint32_t limit);

#endif
