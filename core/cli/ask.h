/* SPDX-License-Identifier: Apache-2.0 */
/* A verb that asks one thing of each url and tells the answer: rm, stat. One thread. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "app.h"

struct cli_question {
    uint32_t verb; /* enum flame_verb */
    /* Tell what came: `status` is OK or NOT_MODIFIED; all is borrowed. Fails with NO_MEMORY. */
    int32_t (*tell)(struct cli_app *app, const struct cli_subject *subject, int32_t status,
                    const struct flame_result *result, struct flame_error *err);
};

/* Ask for each url of the command line in order, until a signal comes; failures are reported.
 * Returns the first exit code but 0. */
int cli_ask_each_url(struct cli_app *app, const struct cli_question *question);

#endif
