/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include "location.h"
#include "settings.h"
#include "signals.h"
#include "signature.h"
#include "tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t take_text(void *data, const void *bytes, uint64_t size)
{
    struct cli_trust *trust = data;

    if (size > sizeof(trust->text) - trust->size)
        return -1;
    memcpy(trust->text + trust->size, bytes, size);
    trust->size += size;
    return 0;
}

/* What was given for the download goes to its own origin only. */
static int32_t fetch(struct cli_app *app, const char *from, const char *url,
                     struct cli_trust *trust, struct flame_error *err)
{
    struct flame_task ours;
    struct flame_task task;
    int32_t status = cli_bare_task_for(app, from, &task, err);

    if (status == FLAME_OK && cli_is_same_origin(url, from)) {
        status = cli_task_for(app, from, &ours, err);
        task.options = ours.options;
        task.headers = ours.headers;
        task.secrets = ours.secrets;
    }
    if (status != FLAME_OK)
        return status;
    task.max_bytes = CLI_MINISIG_TEXT_MAX;
    task.data = trust;
    task.write = take_text;
    return flame_run(app->flame, FLAME_FETCH, &task, NULL, err);
}

/* The url of the signature, and what it is called when something is wrong with it. */
static int32_t find(const char *said, char **from, char **shown, struct flame_error *err)
{
    int32_t status = FLAME_OK;

    if (!strstr(said, "://"))
        status = cli_file_url(said, from, err);
    else if (!(*from = strdup(said)))
        status = cli_fail_memory(err);
    *shown = cli_shown_url(said);
    return status == FLAME_OK && !*shown ? cli_fail_memory(err) : status;
}

static int32_t read_signature(struct cli_trust *trust, struct flame_error *err)
{
    if (cli_minisig_parse(trust->text, trust->size, &trust->signature, err) == FLAME_OK)
        return FLAME_OK;
    err->status = FLAME_ERR_SIGNATURE;
    err->phase = FLAME_PHASE_VERIFY;
    return err->status;
}

static int32_t open_as(struct cli_trust *trust, struct cli_app *app, const char *url,
                       struct flame_error *err)
{
    cli_auto_text char *from = NULL;
    cli_auto_text char *shown = NULL;
    int32_t status = find(app->plan.signature, &from, &shown, err);

    if (status == FLAME_OK)
        status = fetch(app, from, url, trust, err);
    if (status == FLAME_OK)
        status = read_signature(trust, err);
    if (status != FLAME_OK && shown)
        (void)snprintf(err->url, sizeof(err->url), "%s", shown);
    return status;
}

int32_t cli_trust_open(struct cli_app *app, const char *url, struct cli_trust **out,
                       struct flame_error *err)
{
    struct cli_trust *trust = NULL;
    int32_t status = cli_signature_ready(err);

    if (status != FLAME_OK)
        return status;
    trust = calloc(1, sizeof(*trust));
    if (!trust)
        return cli_fail_memory(err);
    trust->app = app;
    status = open_as(trust, app, url, err);
    if (status == FLAME_OK)
        *out = trust;
    else
        free(trust);
    return status;
}

int32_t cli_trust_judge(const struct cli_trust *trust, int32_t fd, uint64_t size,
                        struct flame_error *err)
{
    struct cli_signed_file file = {
        .fd = fd,
        .size = size,
        .signature = &trust->signature,
        .key = &trust->app->plan.trusted_key,
        .interrupted = cli_signals_caught,
    };
    cli_auto_text char *comment = NULL;
    int32_t status = cli_signature_verify(&file, &comment, err);

    if (status == FLAME_OK)
        cli_say(trust->app, "signature: %s", comment);
    return status;
}
