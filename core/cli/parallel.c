/* SPDX-License-Identifier: Apache-2.0 */
#include "parallel.h"

#include "download.h"
#include "report.h"
#include "signals.h"
#include "tell.h"

#include <stdlib.h>

/* All downloads of one run. Not all are submitted at once, but enough that a thread of the library
 * which is done finds the next one without waiting for us. */
struct crew {
    struct cli_app *app;
    struct cli_overview overview;
    struct worker *workers; /* one each */
    size_t count;
    size_t next;
    size_t running;
};

struct worker {
    struct cli_download download;
    struct crew *crew;
};

#define AHEAD 16 /* submitted before a thread is free for them */

/* A signal leaves those alone that nobody has been asked for yet: there is nothing to tell. */
static bool is_left_alone(int32_t status, const struct flame_error *err)
{
    return status == FLAME_ERR_CANCELLED && err->attempts == 0 && cli_signals_caught() != 0;
}

static void leave_alone(struct cli_download *download, const struct flame_error *err)
{
    download->exit_code = cli_exit_code(err);
    cli_turn_to(download->app, download->id);
    cli_event_error(&download->app->events, download->shown, err, download->exit_code);
}

/* The library hands its callbacks the task's `data`, which is the download, the first of a worker.
 */
static void on_done(void *data, int32_t status, const struct flame_result *result,
                    const struct flame_error *err)
{
    struct worker *worker = data;

    if (is_left_alone(status, err))
        leave_alone(&worker->download, err);
    else
        cli_download_ended(&worker->download, status, result, err);
    cli_download_done(&worker->download);
    worker->crew->running--;
}

static void start(struct crew *crew)
{
    struct worker *worker = &crew->workers[crew->next++];
    struct flame_error err = FLAME_INIT(flame_error);
    struct flame_task task;
    int32_t status = cli_download_begin(&worker->download, &task, &err);

    if (status == FLAME_OK)
        status = flame_submit(crew->app->flame, FLAME_FETCH, &task, on_done, NULL, &err);
    crew->running++;
    if (status != FLAME_OK)
        on_done(worker, status, NULL, &err);
}

static void work(struct crew *crew)
{
    size_t most = (size_t)crew->app->plan.parallel + AHEAD;

    for (;;) {
        while (crew->running < most && crew->next < crew->count && cli_signals_caught() == 0)
            start(crew);
        if (crew->running == 0)
            return;
        (void)flame_dispatch(crew->app->flame, UINT32_MAX);
    }
}

static int exit_code_of(const struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        if (crew->workers[i].download.exit_code != 0)
            return crew->workers[i].download.exit_code;
    return crew->next < crew->count ? 128 + cli_signals_caught() : 0;
}

/* One display for all, but events of each. */
static void prepare(struct crew *crew, const struct cli_batch *batch)
{
    struct cli_progress progress = cli_progress_for(crew->app);
    bool are_events = progress.kind == CLI_PROGRESS_EVENTS;

    crew->overview = (struct cli_overview){
        .kind = are_events ? CLI_PROGRESS_NONE : progress.kind,
        .out = progress.out,
    };
    if (!are_events)
        progress.kind = CLI_PROGRESS_NONE;
    for (size_t i = 0; i < crew->count; i++)
        crew->workers[i] = (struct worker){
            .crew = crew,
            .download = {.app = crew->app,
                         .item = &batch->items[i],
                         .overview = &crew->overview,
                         .progress = progress,
                         .id = (uint32_t)i + 1},
        };
}

int cli_parallel_get(struct cli_app *app, const struct cli_batch *batch)
{
    struct flame_error err = FLAME_INIT(flame_error);
    struct crew crew = {.app = app, .count = batch->count};
    int exit_code;

    crew.workers = calloc(batch->count, sizeof(*crew.workers));
    if (!crew.workers) {
        (void)cli_fail_memory(&err);
        return cli_report(&app->events, NULL, &err);
    }
    prepare(&crew, batch);
    cli_overview_begin(&crew.overview, crew.count);
    work(&crew);
    cli_overview_clear(&crew.overview);
    exit_code = exit_code_of(&crew);
    free(crew.workers);
    return exit_code;
}
