/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include "helper.h"

#include <jansson.h>

#include <errno.h>
#include <string.h>

static int32_t fail_nonsense(struct flame_error *err)
{
    return cli_fail(err, FLAME_ERR_INTERNAL,
                    "'" CLI_HELPER_NAME "' has said nothing that makes sense");
}

/* The library frees its texts as they are. */
static void wipe(const json_t *texts)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)texts, name, value)
    {
        if (json_is_string(value))
            explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
}

static int32_t take_pairs(json_t *texts, struct cli_list *out, struct flame_error *err)
{
    int32_t status = json_is_object(texts) ? FLAME_OK : fail_nonsense(err);
    const char *name;
    json_t *value;

    if (status != FLAME_OK)
        return status;
    json_object_foreach(texts, name, value)
    {
        if (status == FLAME_OK)
            status = json_is_string(value)
                         ? cli_list_add_pair(out, name, json_string_value(value), err)
                         : fail_nonsense(err);
    }
    return status;
}

static int32_t status_named(const char *name)
{
#define FLAME_ROW_(status, number, exit_code, retryable, text)                                     \
    if (strcmp(name, #status) == 0)                                                                \
        return number;
    FLAME_FAILURE_TABLE(FLAME_ROW_)
#undef FLAME_ROW_
    return FLAME_ERR_INTERNAL;
}

static int32_t take_error(json_t *error, struct flame_error *err)
{
    const char *status = json_string_value(json_object_get(error, "status"));
    const char *message = json_string_value(json_object_get(error, "message"));

    if (!status || !message)
        return fail_nonsense(err);
    return cli_fail(err, status_named(status), "%s", message);
}

/* Within a token jansson takes a lack of memory for a wrong one, or leaves a hole in it and goes
 * on: errno, 0 before, tells. */
static bool is_out_of_memory(const json_t *answer, const json_error_t *error, int errnum)
{
    bool is_told =
        !answer && (json_error_code(error) == json_error_out_of_memory || error->line < 0);

    return is_told || errnum == ENOMEM;
}

static int32_t take_answer(json_t *answer, struct cli_list *options, struct cli_list *secrets,
                           struct flame_error *err)
{
    json_t *error = json_object_get(answer, "error");
    int32_t status;

    if (error)
        return take_error(error, err);
    status = take_pairs(json_object_get(answer, "options"), options, err);
    if (status == FLAME_OK)
        status = take_pairs(json_object_get(answer, "secrets"), secrets, err);
    return status;
}

int32_t cli_answer_parse(const char *text, struct cli_list *options, struct cli_list *secrets,
                         struct flame_error *err)
{
    json_error_t error = {0};
    json_t *answer;
    int32_t status;

    errno = 0;
    answer = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (is_out_of_memory(answer, &error, errno))
        status = cli_fail_memory(err);
    else
        status = take_answer(answer, options, secrets, err);
    wipe(json_object_get(answer, "secrets"));
    json_decref(answer);
    return status;
}
