/* SPDX-License-Identifier: Apache-2.0 */
/* Several downloads at once, on one thread. */
#ifndef CLI_PARALLEL_H
#define CLI_PARALLEL_H

#include "app.h"
#include "batch.h"

/* Fetch all of them, at most plan.parallel at once. Returns the exit code of the first failure in
 * the order of the batch, not of time. */
int cli_parallel_get(struct cli_app *app, const struct cli_batch *batch);

#endif
