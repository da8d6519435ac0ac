/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the command, as its verbs see it. */
#ifndef CLI_APP_H
#define CLI_APP_H

#include "events.h"
#include "options.h"
#include "plan.h"
#include "progress.h"

struct cli_settings;

struct cli_app {
    struct cli_args args;
    struct cli_plan plan;
    struct cli_events events;
    struct cli_events progress_events; /* where progress goes as JSON */
    struct flame_cancel *cancel;
    struct flame *flame;           /* open when a verb begins */
    struct cli_settings *settings; /* of the context, as far as anybody has asked: settings.h */
    bool has_partial;              /* a signal stopped a download that can be gone on from */
};

/* Before anything else: standard streams that are open, memory, line ends. */
void cli_process_begin(void);

/* The steps of a run, in this order, once the arguments are known: where events go; the plan, and
 * what there is to warn of; the library, from when on signals cancel. cli_app_close() it, also
 * after a failure. */
void cli_app_begin(struct cli_app *app);
int32_t cli_app_plan(struct cli_app *app, struct flame_error *err) CLI_MUST_USE;
int32_t cli_app_open(struct cli_app *app, struct flame_error *err) CLI_MUST_USE;
void cli_app_close(struct cli_app *app);

/* What was said counts only when it has arrived. Returns the exit code. */
int cli_app_flush(const struct cli_app *app, int exit_code);

/* The verbs. Each says what it has to say and returns the exit code. */
int cli_get(struct cli_app *app);
int cli_put(struct cli_app *app);
int cli_rm(struct cli_app *app);
int cli_stat(struct cli_app *app);
int cli_ls(struct cli_app *app);
int cli_verify(struct cli_app *app);
int cli_clean(struct cli_app *app);
int cli_plugins(struct cli_app *app);
int cli_config(struct cli_app *app);

/* As the command line wants it shown: not begun. */
struct cli_progress cli_progress_for(struct cli_app *app);
/* Does the download go to standard output? */
bool cli_is_to_stdout(const struct cli_args *args);

/* Do `one` for each url in order, until a signal comes; `data` is its last argument. Returns the
 * first exit code but 0. */
int cli_for_each_url(struct cli_app *app,
                     int (*one)(struct cli_app *app, const char *url, const void *data),
                     const void *data);

/* Helpers of the checks below. Fail with INVALID: no url; more than one url beside this option. */
int32_t cli_check_urls(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_check_for_one(const struct cli_args *args, enum cli_option_id id,
                          struct flame_error *err) CLI_MUST_USE;

/* What each verb wants of its command line, before anything else happens. Fails with INVALID. */
int32_t cli_get_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_put_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_rm_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_ls_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_clean_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_stat_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_verify_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;
int32_t cli_no_words_check(const struct cli_args *args, struct flame_error *err) CLI_MUST_USE;

#endif
