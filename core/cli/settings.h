/* SPDX-License-Identifier: Apache-2.0 */
/* What the user's Flame context (~/.flame/flame.yaml, FLAME_CA_FILE and the like) has for a url of
 * an object cache: the authorities to trust and our certificate. The helper is asked, at most once
 * for each origin, and only for a url of a scheme that those are for, when neither the command line
 * nor the configuration has TLS files of its own and there may be a context. --no-config keeps it
 * out. No other url costs anything. One thread at a time. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "app.h"

/* The task of one url: what the command line says of all of them, and the context of this one.
 * Borrowed from `app`. Fails as the helper does, see helper.h and flame/context.h. */
int32_t cli_task_for(struct cli_app *app, const char *url, struct flame_task *out,
                     struct flame_error *err) CLI_MUST_USE;

/* The same for a task that the command line has nothing for: the context only. */
int32_t cli_bare_task_for(struct cli_app *app, const char *url, struct flame_task *out,
                          struct flame_error *err) CLI_MUST_USE;

/* Whom the command line or the configuration trust for every url. */
struct cli_own_trust {
    char *authorities; /* a file; NULL = nobody is named */
    bool is_blind;     /* any server is taken for the right one: none gets our certificate */
};

/* *out: free() its authorities. Fails as flame_options(). */
int32_t cli_own_trust_read(struct cli_app *app, struct cli_own_trust *out,
                           struct flame_error *err) CLI_MUST_USE;

void cli_settings_done(struct cli_app *app);

#endif
