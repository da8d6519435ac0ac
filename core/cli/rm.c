/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"
#include "tell.h"

int32_t cli_rm_check(const struct cli_args *args, struct flame_error *err)
{
    int32_t status = cli_check_urls(args, err);

    if (status == FLAME_OK)
        status = cli_check_for_one(args, CLI_ETAG, err);
    if (status == FLAME_OK && cli_is_given(args, CLI_ETAG) && cli_is_given(args, CLI_RECURSIVE))
        status = cli_fail(err, FLAME_ERR_INVALID,
                          "options '--etag' and '--recursive' exclude each other");
    return status;
}

static int32_t tell(struct cli_app *app, const struct cli_subject *subject, int32_t status,
                    const struct flame_result *result, struct flame_error *err)
{
    (void)err;
    cli_event_removed(&app->events, subject, result);
    cli_say(app, "%s: removed", subject->url);
    return status;
}

int cli_rm(struct cli_app *app)
{
    static const struct cli_question question = {.verb = FLAME_REMOVE, .tell = tell};

    return cli_ask_each_url(app, &question);
}
