/* SPDX-License-Identifier: Apache-2.0 */
/* What a command line asks of the library: the structs of fetch.h, and what they point at. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "minisig.h"
#include "options.h"

#include <flame/fetch.h>

struct cli_plan {
    struct flame_config config; /* complete */
    struct flame_task task;     /* what all urls have in common */
    struct cli_list words;      /* the urls, or the file to verify */
    struct cli_list plugin_dirs;
    struct cli_list options;      /* of the library, for every url */
    struct cli_list task_options; /* of plugins */
    struct cli_list headers;
    struct cli_list secrets;
    struct cli_list mirrors;
    struct cli_list texts;              /* what the task points at beside these */
    struct cli_minisig_key trusted_key; /* if --trusted-key was given */
    const char *signature;              /* file or url; or NULL */
    uint32_t parallel;                  /* urls at once; 0 = one after the other */
    const char *open_key;  /* a private key that others can read; borrowed from argv; or NULL */
    bool has_typed_secret; /* it was visible to others, and is hidden now */
    bool is_insecure;
};

/* Copy and read all that `args` name, then hide the secrets in argv.
 * *plan: cli_plan_done() it, also after a failure; it does not move in between.
 * Fails with INVALID (names the option), IO, NO_MEMORY. */
int32_t cli_plan_make(const struct cli_args *args, struct cli_plan *plan,
                      struct flame_error *err) CLI_MUST_USE;
void cli_plan_done(struct cli_plan *plan); /* wipes */

#endif
