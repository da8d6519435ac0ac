/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the command, as its verbs see it. */
#ifndef CLI_APP_H
#define CLI_APP_H

#include "events.h"
#include "options.h"
#include "plan.h"

struct cli_app {
    struct cli_args args;
    struct cli_plan plan;
    struct cli_events events;
    struct flame_cancel *cancel;
    struct flame *flame; /* open when a verb begins */
};

/* The verbs. Each says what it has to say and returns the exit code. */
int cli_get(struct cli_app *app);
int cli_stat(struct cli_app *app);
int cli_verify(struct cli_app *app);
int cli_plugins(struct cli_app *app);
int cli_config(struct cli_app *app);

/* Do `one` for each url in order, until a signal comes. Returns the first exit code but 0. */
int cli_for_each_url(struct cli_app *app, int (*one)(struct cli_app *app, const char *url));

/* What each verb wants of its command line, before anything else happens. Fails with INVALID. */
int32_t cli_get_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_stat_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_verify_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_no_words_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;

#endif
