/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include "headers.h"
#include "location.h"
#include "secrets.h"

#include <flame/plugin.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRIES_MAX 99
#define PARALLEL_MAX 256

/* Names with a dot are the library's, for every url; the others are those of the url's plugin. */
static struct cli_list *list_for(struct cli_plan *plan, const char *name)
{
    return strchr(name, '.') ? &plan->options : &plan->task_options;
}

static int32_t set_path(struct cli_plan *plan, const struct cli_given *given,
                        struct flame_error *err)
{
    cli_auto_text char *path = NULL;
    int32_t status = cli_absolute(given->value, &path, err);

    if (status != FLAME_OK)
        return status;
    if (access(path, R_OK) != 0)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--%s': cannot read '%s': %s",
                        given->option->name, given->value, strerror(errno));
    return cli_list_add_pair(&plan->options, given->option->target, path, err);
}

static int32_t add_secret(struct cli_plan *plan, const char *name, char *value,
                          struct flame_error *err)
{
    int32_t status = cli_list_set(&plan->secrets, name, value, err);

    cli_wipe_free(value);
    return status;
}

static int32_t set_secret(struct cli_plan *plan, const struct cli_given *given,
                          struct flame_error *err)
{
    const struct cli_option *option = given->option;
    char *value = NULL;
    int32_t status = option->effect == CLI_SECRET_PEM
                         ? cli_secret_file(option, given->value, &value, err)
                         : cli_secret_text(option, given->value, &value, err);

    if (status != FLAME_OK)
        return status;
    if (option == &cli_options[CLI_USER] && !strchr(value, ':')) {
        cli_wipe_free(value);
        return cli_fail(err, FLAME_ERR_INVALID, "option '--user' needs USER:PASSWORD");
    }
    if (option == &cli_options[CLI_KEY] && cli_is_open_to_others(given->value))
        plan->open_key = given->value;
    return add_secret(plan, option->target, value, err);
}

static int32_t set_proxy(struct cli_plan *plan, const char *url, struct flame_error *err)
{
    cli_auto_text char *plain = NULL;
    char *secret = NULL;
    int32_t status = cli_secret_split(url, &plain, &secret, err);

    if (status == FLAME_OK && secret)
        status = add_secret(plan, FLAME_SECRET_PROXY, secret, err);
    if (status == FLAME_OK)
        status = cli_list_add_pair(&plan->options, FLAME_OPT_NET_PROXY, plain, err);
    return status;
}

/* Without a home or such a file there is simply no login to be found. */
static int32_t set_usual_netrc(struct cli_plan *plan, struct flame_error *err)
{
    const char *home = secure_getenv("HOME");
    cli_auto_text char *path = NULL;

    if (!home || home[0] != '/')
        return FLAME_OK;
    path = cli_format("%s/.netrc", home);
    if (!path)
        return cli_fail_memory(err);
    if (access(path, R_OK) != 0)
        return FLAME_OK;
    return cli_list_add_pair(&plan->options, FLAME_OPT_NET_NETRC, path, err);
}

static int32_t set_any_option(struct cli_plan *plan, const char *text, struct flame_error *err)
{
    const char *equals = strchr(text, '=');
    cli_auto_text char *name = NULL;

    if (!equals || equals == text)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--option' needs NAME=VALUE, not '%s'",
                        text);
    name = strndup(text, (size_t)(equals - text));
    if (!name)
        return cli_fail_memory(err);
    return cli_list_add_pair(list_for(plan, name), name, equals + 1, err);
}

static int32_t add_plugin_dir(struct cli_plan *plan, const char *dir, struct flame_error *err)
{
    cli_auto_text char *path = NULL;
    int32_t status = cli_absolute(dir, &path, err);

    return status == FLAME_OK ? cli_list_add(&plan->plugin_dirs, path, err) : status;
}

static void set_overwrite(struct cli_plan *plan, const char *when)
{
    plan->task.flags &= ~(FLAME_TASK_KEEP | FLAME_TASK_REPLACE);
    if (strcmp(when, "never") == 0)
        plan->task.flags |= FLAME_TASK_KEEP;
    if (strcmp(when, "always") == 0)
        plan->task.flags |= FLAME_TASK_REPLACE;
}

/* ---- what the task points at ----------------------------------------------------------------- */

static int32_t keep_text(struct cli_plan *plan, const char *text, const char **out,
                         struct flame_error *err)
{
    int32_t status = cli_list_add(&plan->texts, text, err);

    if (status == FLAME_OK)
        *out = plan->texts.items[plan->texts.count - 1];
    return status;
}

/* An ETag as a server writes it (RFC 9110 8.8.3) is what a plugin calls "etag:" and that. */
static int32_t set_validator(struct cli_plan *plan, const char *text, struct flame_error *err)
{
    bool is_bare = text[0] == '"' || strncmp(text, "W/\"", 3) == 0;
    cli_auto_text char *validator = cli_format("%s%s", is_bare ? "etag:" : "", text);

    if (!*text)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--etag' needs VALUE");
    return validator ? keep_text(plan, validator, &plan->task.validator, err)
                     : cli_fail_memory(err);
}

static int32_t set_retries(struct cli_plan *plan, const char *text, struct flame_error *err)
{
    uint64_t retries = 0;
    cli_auto_text char *attempts = NULL;

    if (!cli_number(text, RETRIES_MAX, &retries))
        return cli_fail(err, FLAME_ERR_INVALID, "option '--retry' must be 0..%d, not '%s'",
                        RETRIES_MAX, text);
    attempts = cli_format("%" PRIu64, retries + 1);
    return attempts ? cli_list_add_pair(&plan->options, "retry.attempts", attempts, err)
                    : cli_fail_memory(err);
}

static int32_t set_parallel(struct cli_plan *plan, const char *text, struct flame_error *err)
{
    uint64_t number = 0;

    if (!cli_number(text, PARALLEL_MAX, &number) || number == 0)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--parallel' must be 1..%d, not '%s'",
                        PARALLEL_MAX, text);
    plan->parallel = (uint32_t)number;
    plan->config.workers = plan->parallel; /* one that waits for its turn in the library is none */
    return FLAME_OK;
}

/* The key itself, or a file that has it: a key is longer than most names and has no dot. */
static int32_t set_trusted_key(struct cli_plan *plan, const struct cli_given *given,
                               struct flame_error *err)
{
    struct flame_error ignored = FLAME_INIT(flame_error);
    const char *value = given->value;
    char *text = NULL;
    int32_t status;

    if (access(value, F_OK) != 0 &&
        cli_minisig_key_parse(value, strlen(value), &plan->trusted_key, &ignored) == FLAME_OK)
        return FLAME_OK;
    status = cli_secret_file(given->option, value, &text, err);
    if (status == FLAME_OK)
        status = cli_minisig_key_parse(text, strlen(text), &plan->trusted_key, err);
    cli_wipe_free(text);
    return status;
}

static int32_t apply_to_task(struct cli_plan *plan, const struct cli_given *given,
                             struct flame_error *err)
{
    switch ((enum cli_option_id)(given->option - cli_options)) {
    case CLI_CHECKSUM_FILE:
        return keep_text(plan, given->value, &plan->task.checksum_url, err);
    case CLI_VERIFY_SIG:
        return keep_text(plan, given->value, &plan->signature, err);
    case CLI_CURSOR:
        return keep_text(plan, given->value, &plan->task.cursor, err);
    case CLI_TRUSTED_KEY:
        return set_trusted_key(plan, given, err);
    case CLI_ETAG:
        return set_validator(plan, given->value, err);
    case CLI_MIRROR:
        return cli_list_add(&plan->mirrors, given->value, err);
    case CLI_RETRY:
        return set_retries(plan, given->value, err);
    case CLI_PARALLEL:
        return set_parallel(plan, given->value, err);
    case CLI_CONTINUE:
        plan->task.flags &= ~FLAME_TASK_NO_RESUME;
        if (strcmp(given->value, "never") == 0)
            plan->task.flags |= FLAME_TASK_NO_RESUME;
        return FLAME_OK;
    default:
        return FLAME_OK;
    }
}

/* Options that are more than a row of the table. */
static int32_t apply_own(struct cli_plan *plan, const struct cli_given *given,
                         struct flame_error *err)
{
    switch ((enum cli_option_id)(given->option - cli_options)) {
    case CLI_HEADER:
        return cli_headers_add(&plan->headers, given->option, given->value, err);
    case CLI_PROXY:
        return set_proxy(plan, given->value, err);
    case CLI_NETRC:
        return set_usual_netrc(plan, err);
    case CLI_OPTION:
        return set_any_option(plan, given->value, err);
    case CLI_PLUGIN_DIR:
        return add_plugin_dir(plan, given->value, err);
    case CLI_CONFIG_FILE:
        plan->config.file = given->value;
        return FLAME_OK;
    case CLI_NO_CONFIG:
        plan->config.file = "";
        return FLAME_OK;
    case CLI_OVERWRITE:
        set_overwrite(plan, given->value);
        return FLAME_OK;
    case CLI_CHECKSUM:
        plan->task.digest = given->value;
        return FLAME_OK;
    default:
        return apply_to_task(plan, given, err);
    }
}

static int32_t apply(struct cli_plan *plan, const struct cli_given *given, struct flame_error *err)
{
    const struct cli_option *option = given->option;

    switch (option->effect) {
    case CLI_SETS:
        return cli_list_add_pair(list_for(plan, option->target), option->target,
                                 option->fixed ? option->fixed : given->value, err);
    case CLI_SETS_PATH:
        return set_path(plan, given, err);
    case CLI_COLLECTS:
        return cli_list_join(&plan->task_options, option->target, given->value, err);
    case CLI_TASK_FLAG:
        plan->task.flags |= option->task_flag;
        return FLAME_OK;
    case CLI_SECRET:
    case CLI_SECRET_PEM:
        return set_secret(plan, given, err);
    case CLI_OWN:
        break;
    }
    return apply_own(plan, given, err);
}

static void point_at_lists(struct cli_plan *plan)
{
    plan->config.plugin_dirs = cli_list_get(&plan->plugin_dirs);
    plan->config.options = cli_list_get(&plan->options);
    plan->task.options = cli_list_get(&plan->task_options);
    plan->task.headers = cli_list_get(&plan->headers);
    plan->task.secrets = cli_list_get(&plan->secrets);
    plan->task.mirrors = cli_list_get(&plan->mirrors);
}

int32_t cli_plan_make(const struct cli_args *args, struct cli_plan *plan, struct flame_error *err)
{
    int32_t status = FLAME_OK;

    *plan = (struct cli_plan){.is_insecure = cli_is_given(args, CLI_INSECURE)};
    plan->config = FLAME_INIT(flame_config);
    plan->task = FLAME_INIT(flame_task);
    for (size_t i = 0; status == FLAME_OK && i < args->given_count; i++)
        status = apply(plan, &args->given[i], err);
    for (size_t i = 0; status == FLAME_OK && i < args->word_count; i++)
        status = cli_list_add(&plan->words, args->words[i], err);
    plan->has_typed_secret = cli_secrets_hide(args) || args->had_secret;
    if (status == FLAME_OK)
        point_at_lists(plan);
    return status;
}

void cli_plan_done(struct cli_plan *plan)
{
    cli_list_done(&plan->words);
    cli_list_done(&plan->plugin_dirs);
    cli_list_done(&plan->options);
    cli_list_done(&plan->task_options);
    cli_list_done(&plan->headers);
    cli_list_done(&plan->secrets);
    cli_list_done(&plan->mirrors);
    cli_list_done(&plan->texts);
}
