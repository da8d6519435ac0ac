/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "answer.h"
#include "helper.h"
#include "location.h"
#include "tell.h"

#include <flame/plugin.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What the context has for one origin. */
struct cli_settings {
    struct cli_settings *next;
    char *origin;
    struct cli_list options; /* the context's */
    struct cli_list secrets;
    struct cli_list all_options; /* those and the command line's */
    struct cli_list all_secrets;
    struct flame_error failure; /* or why there are none */
};

/* ---- is there anything to ask for? ----------------------------------------------------------- */

static bool is_for_context(const char *url)
{
    static const char *const schemes[] = {"grpcs://", "grpc+tls://"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

static bool is_set(const char *name)
{
    const char *value = secure_getenv(name);

    return value && *value;
}

/* Whoever has no home is in the user database, which only the helper looks into. */
static int32_t is_there_a_file(bool *found, struct flame_error *err)
{
    cli_auto_text char *path = NULL;

    *found = true;
    if (!is_set("HOME"))
        return FLAME_OK;
    path = cli_format("%s/.flame/flame.yaml", secure_getenv("HOME"));
    if (!path)
        return cli_fail_memory(err);
    *found = access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
    return FLAME_OK;
}

struct search {
    struct cli_own_trust trust;
    bool had_no_memory;
};

static int32_t look(void *data, const struct flame_option_info *info)
{
    struct search *search = data;
    struct cli_own_trust *trust = &search->trust;

    if (strcmp(info->name, FLAME_OPT_TLS_VERIFY) == 0)
        trust->is_blind = info->value && strcmp(info->value, "0") == 0; /* as it is kept */
    if (strcmp(info->name, FLAME_OPT_TLS_CA) != 0)
        return 0;
    trust->authorities = info->value ? strdup(info->value) : NULL;
    search->had_no_memory = info->value && !trust->authorities;
    return search->had_no_memory;
}

int32_t cli_own_trust_read(struct cli_app *app, struct cli_own_trust *out, struct flame_error *err)
{
    struct search search = {.had_no_memory = false};
    int32_t status = flame_options(app->flame, NULL, look, &search, err);

    *out = search.trust;
    return status == FLAME_OK && search.had_no_memory ? cli_fail_memory(err) : status;
}

static bool has_own_certificate(const struct cli_plan *plan)
{
    for (size_t i = 0; i < plan->secrets.count; i += 2)
        if (strcmp(plan->secrets.items[i], FLAME_SECRET_TLS_CERT) == 0 ||
            strcmp(plan->secrets.items[i], FLAME_SECRET_TLS_KEY) == 0)
            return true;
    return false;
}

static int32_t is_wanted(struct cli_app *app, bool *wanted, struct flame_error *err)
{
    const struct cli_plan *plan = &app->plan;
    struct cli_own_trust trust = {.authorities = NULL};
    bool is_there =
        is_set("FLAME_CA_FILE") || is_set("FLAME_CERT_FILE") || is_set("FLAME_KEY_FILE");
    int32_t status = FLAME_OK;

    *wanted = false;
    if ((plan->config.file && !*plan->config.file) || has_own_certificate(plan))
        return FLAME_OK;
    if (!is_there)
        status = is_there_a_file(&is_there, err);
    if (status != FLAME_OK || !is_there)
        return status;
    status = cli_own_trust_read(app, &trust, err);
    *wanted = status == FLAME_OK && !trust.authorities && !trust.is_blind;
    free(trust.authorities);
    return status;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* What other users may see of a url: neither userinfo nor path. NULL = no memory. */
static char *origin_of(const char *url)
{
    size_t hidden;
    const char *authority = cli_userinfo(url, &hidden);
    const char *host = authority + hidden + (hidden > 0 && authority[hidden] == '@');

    return cli_format("%.*s%.*s", (int)(authority - url), url, (int)strcspn(host, "/?#"), host);
}

static int32_t add_all(struct cli_list *list, const struct cli_list *more, struct flame_error *err)
{
    int32_t status = FLAME_OK;

    for (size_t i = 0; status == FLAME_OK && i < more->count; i++)
        status = cli_list_add(list, more->items[i], err);
    return status;
}

static int32_t join(const struct cli_plan *plan, struct cli_settings *settings,
                    struct flame_error *err)
{
    int32_t status = add_all(&settings->all_options, &plan->task_options, err);

    if (status == FLAME_OK)
        status = add_all(&settings->all_options, &settings->options, err);
    if (status == FLAME_OK)
        status = add_all(&settings->all_secrets, &plan->secrets, err);
    return status == FLAME_OK ? add_all(&settings->all_secrets, &settings->secrets, err) : status;
}

static int32_t ask_helper(struct cli_settings *settings, struct flame_error *err)
{
    const char *const words[] = {"context", "--json", "--for", settings->origin, NULL};
    struct flame_error reason = FLAME_INIT(flame_error);
    char *answer = NULL;
    int exit_code = 0;
    int32_t status = cli_helper_ask(words, &answer, &exit_code, &reason);
    bool is_silent = status == FLAME_OK && !*answer && exit_code != 0;

    if (status == FLAME_OK && !is_silent)
        status = cli_answer_parse(answer, &settings->options, &settings->secrets, &reason);
    if (status == FLAME_OK && exit_code != 0)
        status =
            cli_fail(&reason, FLAME_ERR_INTERNAL, "'" CLI_HELPER_NAME "' ended with %d", exit_code);
    cli_wipe_free(answer);
    if (status == FLAME_OK)
        return FLAME_OK;
    return cli_fail(err, status, "cannot use the Flame context (see --no-config): %s",
                    reason.message);
}

static int32_t ask(struct cli_app *app, struct cli_settings *settings, struct flame_error *err)
{
    bool wanted;
    int32_t status = is_wanted(app, &wanted, err);

    if (status == FLAME_OK && wanted)
        status = ask_helper(settings, err);
    if (status == FLAME_OK)
        status = join(&app->plan, settings, err);
    if (status == FLAME_OK && settings->options.count + settings->secrets.count > 0)
        cli_say(app, "%s: with the TLS settings of the Flame context", settings->origin);
    return status;
}

/* One whose asking failed is kept too: it would fail again, and cost as much. */
static int32_t settings_for(struct cli_app *app, const char *url, struct cli_settings **out,
                            struct flame_error *err)
{
    cli_auto_text char *origin = origin_of(url);
    struct cli_settings *settings = app->settings;

    if (!origin)
        return cli_fail_memory(err);
    while (settings && strcmp(settings->origin, origin) != 0)
        settings = settings->next;
    if (!settings) {
        settings = calloc(1, sizeof(*settings));
        if (!settings)
            return cli_fail_memory(err);
        settings->origin = cli_take(&origin);
        settings->next = app->settings;
        settings->failure = FLAME_INIT(flame_error);
        app->settings = settings;
        (void)ask(app, settings, &settings->failure);
    }
    if (settings->failure.status != FLAME_OK)
        *err = settings->failure;
    *out = settings;
    return settings->failure.status;
}

static void free_settings(struct cli_settings *settings)
{
    free(settings->origin);
    cli_list_done(&settings->options);
    cli_list_done(&settings->secrets);
    cli_list_done(&settings->all_options);
    cli_list_done(&settings->all_secrets);
    free(settings);
}

void cli_settings_done(struct cli_app *app)
{
    while (app->settings) {
        struct cli_settings *next = app->settings->next;

        free_settings(app->settings);
        app->settings = next;
    }
}

/* ---- tasks ----------------------------------------------------------------------------------- */

/* What is of this url alone. `with_line`: beside what the command line says of all. */
static int32_t complete(struct cli_app *app, const char *url, bool with_line,
                        struct flame_task *task, struct flame_error *err)
{
    struct cli_settings *settings = NULL;
    int32_t status = is_for_context(url) ? settings_for(app, url, &settings, err) : FLAME_OK;

    task->url = url;
    task->cancel = app->cancel;
    if (status != FLAME_OK || !settings)
        return status;
    task->options = cli_list_get(with_line ? &settings->all_options : &settings->options);
    task->secrets = cli_list_get(with_line ? &settings->all_secrets : &settings->secrets);
    return FLAME_OK;
}

int32_t cli_task_for(struct cli_app *app, const char *url, struct flame_task *out,
                     struct flame_error *err)
{
    *out = app->plan.task;
    return complete(app, url, true, out, err);
}

int32_t cli_bare_task_for(struct cli_app *app, const char *url, struct flame_task *out,
                          struct flame_error *err)
{
    *out = FLAME_INIT(flame_task);
    return complete(app, url, false, out, err);
}
