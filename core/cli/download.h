/* SPDX-License-Identifier: Apache-2.0 */
/* One url on its way to its place, alone or among others. One thread at a time. */
#ifndef CLI_DOWNLOAD_H
#define CLI_DOWNLOAD_H

#include "app.h"
#include "batch.h"
#include "overview.h"
#include "trust.h"

struct cli_download {
    struct cli_app *app;
    const struct cli_item *item;
    struct cli_overview *overview; /* of all of them; or NULL: it is alone */
    struct cli_trust *trust;       /* or NULL */
    struct cli_progress progress;
    struct cli_subject subject;
    char *shown;
    char *path;
    uint32_t id; /* from 1 */
    int exit_code;
};

/* Choose its place, get its signature if there has to be one, make its task and say that it begins.
 * cli_download_done() it, also after a failure. The task points into `download`, which does not
 * move. */
int32_t cli_download_begin(struct cli_download *download, struct flame_task *task,
                           struct flame_error *err) CLI_MUST_USE;

/* Say how it ended, with `result` if it went well, else `err`. Sets the exit code. */
void cli_download_ended(struct cli_download *download, int32_t status,
                        const struct flame_result *result, const struct flame_error *err);

void cli_download_done(struct cli_download *download);

#endif
