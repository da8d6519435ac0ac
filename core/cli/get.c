/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "batch.h"
#include "download.h"
#include "parallel.h"
#include "report.h"
#include "signals.h"

/* ---- what it wants --------------------------------------------------------------------------- */

static int32_t exclude(const struct cli_args *args, enum cli_option_id one,
                       enum cli_option_id other, struct flame_error *err)
{
    if (cli_is_given(args, one) && cli_is_given(args, other))
        return cli_fail(err, FLAME_ERR_INVALID, "options '--%s' and '--%s' exclude each other",
                        cli_options[one].name, cli_options[other].name);
    return FLAME_OK;
}

static int32_t check_for_one(const struct cli_args *args, struct flame_error *err)
{
    static const enum cli_option_id ids[] = {CLI_OUTPUT, CLI_CHECKSUM, CLI_ETAG, CLI_MIRROR,
                                             CLI_VERIFY_SIG};
    int32_t status = FLAME_OK;

    for (size_t i = 0; status == FLAME_OK && i < sizeof(ids) / sizeof(*ids); i++)
        status = cli_check_for_one(args, ids[i], err);
    return status;
}

static int32_t check_signature(const struct cli_args *args, struct flame_error *err)
{
    bool has_signature = cli_is_given(args, CLI_VERIFY_SIG);

    if (has_signature != cli_is_given(args, CLI_TRUSTED_KEY))
        return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' needs '--%s' beside it",
                        has_signature ? "verify-sig" : "trusted-key",
                        has_signature ? "trusted-key" : "verify-sig");
    if (has_signature && cli_is_to_stdout(args) && !cli_is_given(args, CLI_SPOOL))
        return cli_fail(err, FLAME_ERR_INVALID,
                        "with '--verify-sig' standard output needs '--spool'");
    return FLAME_OK;
}

int32_t cli_get_check(const struct cli_args *args, struct flame_error *err)
{
    int32_t status = cli_check_urls(args, err);

    if (status == FLAME_OK)
        status = exclude(args, CLI_OUTPUT, CLI_REMOTE_NAME, err);
    if (status == FLAME_OK && cli_is_to_stdout(args) && cli_is_given(args, CLI_OUTPUT_DIR))
        status = cli_fail(err, FLAME_ERR_INVALID,
                          "standard output is in no directory: '--output-dir' makes no sense");
    if (status == FLAME_OK)
        status = check_for_one(args, err);
    if (status == FLAME_OK)
        status = check_signature(args, err);
    return status;
}

/* ---- one after the other --------------------------------------------------------------------- */

static int32_t fetch(struct cli_download *download, struct flame_result *result,
                     struct flame_error *err)
{
    struct cli_app *app = download->app;
    struct flame_task task;
    int32_t status = cli_download_begin(download, &task, err);

    return status == FLAME_OK ? flame_run(app->flame, FLAME_FETCH, &task, result, err) : status;
}

static int get_one(struct cli_app *app, const struct cli_item *item, uint32_t id)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_result result = FLAME_INIT(flame_result);
    struct cli_download download = {
        .app = app, .item = item, .id = id, .progress = cli_progress_for(app)};
    int32_t status = fetch(&download, &result, &err);

    cli_download_ended(&download, status, &result, &err);
    cli_download_done(&download);
    flame_result_done(&result);
    return download.exit_code;
}

static int get_in_turn(struct cli_app *app, const struct cli_batch *batch)
{
    int first = 0;

    for (size_t i = 0; i < batch->count; i++) {
        int number = cli_signals_caught();
        int exit_code;

        if (number != 0)
            return first ? first : 128 + number;
        exit_code = get_one(app, &batch->items[i], (uint32_t)i + 1);
        first = first ? first : exit_code;
    }
    return first;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int32_t collect(const struct cli_app *app, struct cli_batch *batch, struct flame_error *err)
{
    const struct cli_list *words = &app->plan.words;
    const char *file = cli_value(&app->args, CLI_INPUT_FILE);
    int32_t status = FLAME_OK;

    for (size_t i = 0; status == FLAME_OK && i < words->count; i++)
        status = cli_batch_add(batch, words->items[i], err);
    return status == FLAME_OK && file ? cli_batch_read(batch, file, err) : status;
}

static int get_all(struct cli_app *app, const struct cli_batch *batch)
{
    return app->plan.parallel > 0 && batch->count > 1 ? cli_parallel_get(app, batch)
                                                      : get_in_turn(app, batch);
}

int cli_get(struct cli_app *app)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct cli_batch batch = {0};
    int exit_code;

    if (collect(app, &batch, &err) == FLAME_OK)
        exit_code = get_all(app, &batch);
    else
        exit_code = cli_report(&app->events, NULL, &err);
    cli_batch_done(&batch);
    if (app->has_partial && !cli_is_given(&app->args, CLI_QUIET))
        cli_hint("run the same command again to go on");
    return exit_code;
}
