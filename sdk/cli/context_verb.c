/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance.h"
#include "report.h"
#include "told.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

int32_t sdk_context_check(const struct sdk_app *sdk, struct flame_error *err)
{
    const struct cli_args *args = &sdk->app.args;

    if (sdk->line.own[SDK_FOR] && !cli_is_given(args, CLI_JSON))
        return cli_fail(err, FLAME_ERR_INVALID, "option '--for' needs '--json' beside it");
    return cli_no_words_check(args, err);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int32_t print_value(const struct flame_context_value *value, struct flame_error *err)
{
    cli_auto_text char *line = value->value ? cli_format("%s = %s  (%s)", value->name, value->value,
                                                         value->source ? value->source : "")
                                            : cli_format("%s  (unset)", value->name);
    cli_auto_text char *safe = line ? cli_escaped(line) : NULL;

    if (!safe)
        return cli_fail_memory(err);
    (void)puts(safe);
    return FLAME_OK;
}

static int32_t show(struct sdk_app *sdk, struct flame_error *err)
{
    struct cli_events *events = &sdk->app.events;
    int32_t status = sdk_open_context(sdk, err);

    for (uint32_t key = 0; status == FLAME_OK && key < FLAME_CONTEXT_KEY_COUNT; key++) {
        struct flame_context_value value = FLAME_INIT(flame_context_value);

        flame_context_get(sdk->context, key, &value);
        if (events->out)
            sdk_event_value(events, &value);
        else
            status = print_value(&value, err);
    }
    return status;
}

/* ---- for one url: core/cli/answer.h says what is said ---------------------------------------- */

static int32_t add_pairs(json_t *out, const char *const *pairs, struct flame_error *err)
{
    for (; pairs && pairs[0]; pairs += 2) {
        if (!cli_is_utf8(pairs[1]))
            return cli_fail(err, FLAME_ERR_INVALID, "%s is not UTF-8", pairs[0]);
        if (json_object_set_new(out, pairs[0], json_string(pairs[1])) != 0)
            return cli_fail_memory(err);
    }
    return FLAME_OK;
}

static int32_t put_settings(json_t *answer, const struct flame_settings *settings,
                            struct flame_error *err)
{
    json_t *options = json_object();
    json_t *secrets = json_object();
    int32_t status = options && secrets ? FLAME_OK : cli_fail_memory(err);

    if (status == FLAME_OK)
        status = add_pairs(options, settings->options, err);
    if (status == FLAME_OK)
        status = add_pairs(secrets, settings->secrets, err);
    if (json_object_set_new(answer, "options", options) != 0 && status == FLAME_OK)
        status = cli_fail_memory(err);
    if (json_object_set_new(answer, "secrets", secrets) != 0 && status == FLAME_OK)
        status = cli_fail_memory(err);
    return status;
}

static int32_t make_answer(struct sdk_app *sdk, json_t *answer, struct flame_error *err)
{
    struct flame_settings settings = FLAME_INIT(flame_settings);
    int32_t status = sdk_open_context(sdk, err);

    if (status == FLAME_OK)
        status = flame_context_settings(sdk->context, sdk->line.own[SDK_FOR], &settings, err);
    if (status == FLAME_OK)
        status = put_settings(answer, &settings, err);
    flame_settings_done(&settings);
    return status;
}

/* Not by json_dumps(): its buffer grows, and leaves copies behind. */
static bool print_answer(const json_t *answer)
{
    const size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII;
    size_t size = json_dumpb(answer, NULL, 0, flags);
    char *line = size > 0 ? calloc(1, size + 1) : NULL;
    bool is_made = line && json_dumpb(answer, line, size, flags) == size;

    if (is_made)
        (void)puts(line);
    cli_wipe_free(line);
    return is_made;
}

static json_t *error_answer(const struct flame_error *err)
{
    return json_pack("{s:{s:s, s:s}}", "error", "status", flame_status_name(err->status), "message",
                     err->message);
}

/* The reader tells people what is wrong. */
static int answer_for_url(struct sdk_app *sdk)
{
    struct flame_error err = FLAME_INIT(flame_error);
    json_t *answer = json_object();
    int32_t status = answer ? make_answer(sdk, answer, &err) : cli_fail_memory(&err);

    if (status != FLAME_OK) {
        json_decref(answer);
        answer = error_answer(&err);
    }
    if (!print_answer(answer) && status == FLAME_OK)
        (void)cli_fail_memory(&err);
    json_decref(answer);
    return err.status == FLAME_OK ? 0 : cli_exit_code(&err);
}

int sdk_context_verb(struct sdk_app *sdk)
{
    struct flame_error err = FLAME_INIT(flame_error);

    if (sdk->line.own[SDK_FOR])
        return answer_for_url(sdk);
    return show(sdk, &err) == FLAME_OK ? 0 : cli_report(&sdk->app.events, NULL, &err);
}
