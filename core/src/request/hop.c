/* SPDX-License-Identifier: Apache-2.0 */
#include "request/hop.h"

#include <stdlib.h>
#include <string.h>

int32_t fl_hop_first(const struct fl_task *task, struct fl_registry *registry, const char *url,
                     struct fl_hop *hop, struct flame_error *err)
{
    struct fl_hop first = {.task = task};
    char scheme[FL_SCHEME_MAX];
    int32_t status = fl_url_scheme(url, scheme, err);

    if (status == FLAME_OK)
        status = fl_registry_find(registry, scheme, &first.plugin, err);
    if (status == FLAME_OK)
        status = fl_url_parse(url, fl_plugin_default_port(first.plugin, scheme), &first.url, err);
    if (status != FLAME_OK)
        return status;
    first.is_home = fl_url_same_origin(&task->url, &first.url);
    *hop = first;
    return FLAME_OK;
}

static int32_t too_many(struct flame_error *err, const char *what, uint32_t count)
{
    int32_t status = fl_fail(err, FLAME_ERR_LIMIT, "%s after %u redirects", what, count);

    if (err)
        err->flags |= FLAME_ERROR_REDIRECTS;
    return status;
}

static int32_t judge_count(const struct fl_hop *hop, const char *next, struct flame_error *err)
{
    uint32_t limit = hop->task->limits.max_redirects;
    bool is_loop = strcmp(hop->url.text, next) == 0;

    for (uint32_t i = 0; i < hop->number && !is_loop; i++)
        is_loop = strcmp(hop->seen[i], next) == 0;
    if (is_loop)
        return too_many(err, "the peer redirects in a circle", hop->number + 1);
    if (limit != UINT32_MAX && hop->number >= limit)
        return too_many(err, "the peer still redirects", hop->number);
    return FLAME_OK;
}

static bool may_change_scheme(const struct fl_hop *hop, const char *scheme)
{
    const char *now = hop->url.scheme;

    if (strcmp(now, scheme) == 0)
        return true;
    if (strcmp(now, "http") == 0 && strcmp(scheme, "https") == 0)
        return true;
    if (strcmp(scheme, "file") == 0 || (strcmp(now, "https") == 0 && strcmp(scheme, "http") == 0))
        return false;
    return hop->task->may_cross_schemes && fl_plugin_may_redirect(hop->plugin, scheme);
}

static int32_t malformed(struct flame_error *err)
{
    return fl_fail(err, FLAME_ERR_PROTOCOL, "the peer redirects to a malformed url");
}

/* The target as absolute text, its scheme judged. */
static int32_t resolve_target(const struct fl_hop *hop, const char *target, char **text,
                              char *scheme, struct flame_error *err)
{
    int32_t status = fl_url_resolve(&hop->url, target, text, NULL);

    if (status == FLAME_OK)
        status = fl_url_scheme(*text, scheme, NULL);
    if (status != FLAME_OK)
        return status == FLAME_ERR_NO_MEMORY ? fl_fail_memory(err) : malformed(err);
    if (!may_change_scheme(hop, scheme))
        return fl_fail(err, FLAME_ERR_POLICY, "a redirect from %s to %s is not allowed",
                       hop->url.scheme, scheme);
    return FLAME_OK;
}

static bool changes_something(uint32_t verb)
{
    return verb == FLAME_STORE || verb == FLAME_REMOVE;
}

static int32_t parse_target(const struct fl_hop *hop, const char *text, uint32_t default_port,
                            struct fl_url *url, struct flame_error *err)
{
    int32_t status = fl_url_parse(text, default_port, url, NULL);

    if (status != FLAME_OK)
        return status == FLAME_ERR_NO_MEMORY ? fl_fail_memory(err) : malformed(err);
    if (url->userinfo)
        status = fl_fail(err, FLAME_ERR_PROTOCOL, "the peer redirects to a url with credentials");
    else if (changes_something(hop->task->verb) && !fl_url_same_origin(&hop->url, url))
        status = fl_fail(err, FLAME_ERR_POLICY, "a redirect of a %s to another origin",
                         hop->task->verb == FLAME_STORE ? "store" : "remove");
    if (status == FLAME_OK)
        status = judge_count(hop, url->text, err);
    if (status != FLAME_OK)
        fl_url_done(url);
    return status;
}

static int32_t remember(struct fl_hop *hop, struct flame_error *err)
{
    char **grown = realloc(hop->seen, (hop->number + 1) * sizeof(*grown));

    if (!grown)
        return fl_fail_memory(err);
    hop->seen = grown;
    grown[hop->number] = strdup(hop->url.text);
    return grown[hop->number] ? FLAME_OK : fl_fail_memory(err);
}

int32_t fl_hop_follow(struct fl_hop *hop, struct fl_registry *registry, const char *target,
                      struct flame_error *err)
{
    fl_auto_free char *text = NULL;
    char scheme[FL_SCHEME_MAX];
    struct fl_plugin *plugin = NULL;
    struct fl_url url = {0};
    int32_t status = resolve_target(hop, target, &text, scheme, err);

    if (status == FLAME_OK)
        status = fl_registry_find(registry, scheme, &plugin, err);
    if (status == FLAME_OK)
        status = parse_target(hop, text, fl_plugin_default_port(plugin, scheme), &url, err);
    if (status != FLAME_OK)
        return status;
    status = remember(hop, err);
    if (status != FLAME_OK) {
        fl_url_done(&url);
        return status;
    }
    fl_url_done(&hop->url);
    hop->url = url;
    hop->plugin = plugin;
    hop->is_home = fl_url_same_origin(&hop->task->url, &url);
    hop->number++;
    return FLAME_OK;
}

void fl_hop_request(const struct fl_hop *hop, struct flame_request *request)
{
    static const char *const none[] = {NULL};
    const struct fl_task *task = hop->task;

    *request = FLAME_INIT(flame_request);
    request->url = hop->url.text;
    request->scheme = hop->url.scheme;
    request->origin = hop->url.origin;
    request->host = hop->url.host;
    request->path = hop->url.path;
    request->query = hop->url.query;
    request->port = hop->url.port;
    request->headers = hop->is_home && task->said.headers ? task->said.headers : none;
    request->max_bytes = task->limits.max_bytes;
    request->attempt = 1;
    request->connect_timeout_ms = task->limits.connect_ms;
    request->stall_timeout_ms = task->limits.stall_ms;
}

void fl_hop_done(struct fl_hop *hop)
{
    for (uint32_t i = 0; i < hop->number; i++)
        free(hop->seen[i]);
    free(hop->seen);
    fl_url_done(&hop->url);
    *hop = (struct fl_hop){0};
}
