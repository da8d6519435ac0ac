/* SPDX-License-Identifier: Apache-2.0 */
#include "request/secret.h"

#include <flame/plugin.h>

#include <string.h>

/* libcurl's default for a proxy without a port, whatever its scheme but https. */
static uint32_t proxy_default_port(const char *url)
{
    return strncmp(url, "https:", 6) == 0 ? 443 : 1080;
}

static bool names_origin(const char *url, const char *origin)
{
    struct fl_url a = {0};
    struct fl_url b = {0};
    bool same = fl_url_parse(url, proxy_default_port(url), &a, NULL) == FLAME_OK &&
                fl_url_parse(origin, proxy_default_port(origin), &b, NULL) == FLAME_OK &&
                fl_url_same_origin(&a, &b);

    fl_url_done(&a);
    fl_url_done(&b);
    return same;
}

static bool is_for_proxy(const char *name)
{
    return strcmp(name, FLAME_SECRET_PROXY) == 0;
}

/* Is `origin` the place that the task's own secret `name` may go to? */
static bool is_at_home(const struct fl_task *task, const struct fl_config *config, const char *name,
                       const char *origin)
{
    struct fl_scope scope = {.task_options = fl_pairs_list(&task->options),
                             .origin = task->url.origin};
    const char *proxy;

    if (!is_for_proxy(name))
        return strcmp(origin, task->url.origin) == 0;
    proxy = fl_config_option(config, &scope, FLAME_OPT_NET_PROXY, NULL);
    return proxy && names_origin(proxy, origin);
}

static const char *said_by_task(const struct fl_task *task, const char *name)
{
    const char *value = fl_list_get(task->said.secrets, name);

    if (!value && strcmp(name, FLAME_SECRET_BASIC) == 0)
        value = task->url.userinfo;
    return value;
}

int32_t fl_secret_find(const struct fl_task *task, const struct fl_config *config, const char *name,
                       const char *origin, const char **value)
{
    const char *said = said_by_task(task, name);
    const char *configured = fl_config_secret(config, origin, name);

    if (said && is_at_home(task, config, name, origin)) {
        *value = said;
        return FLAME_OK;
    }
    if (configured) {
        *value = configured;
        return FLAME_OK;
    }
    return said ? FLAME_ERR_POLICY : FLAME_ERR_NOT_FOUND;
}
