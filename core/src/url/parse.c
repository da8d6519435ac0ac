/* SPDX-License-Identifier: Apache-2.0 */
#include "url/url.h"

#include "base/text.h"
#include "url/ascii.h"
#include "url/host.h"
#include "url/normal.h"

#include <stdio.h>
#include <string.h>

static int32_t bad_url(struct flame_error *err, const char *why)
{
    return fl_fail(err, FLAME_ERR_INVALID_URL, "malformed url: %s", why);
}

static int32_t too_long(struct flame_error *err)
{
    return fl_fail(err, FLAME_ERR_INVALID_URL, "malformed url: longer than %d bytes", FL_URL_MAX);
}

int32_t fl_url_scheme(const char *text, char *scheme, struct flame_error *err)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

    if (size == 0 || text[size] != ':' || !fl_ascii_is_letter(text[0]))
        return bad_url(err, "it does not start with a scheme");
    if (size >= FL_SCHEME_MAX)
        return bad_url(err, "its scheme is too long");
    for (size_t i = 0; i < size; i++)
        scheme[i] = fl_ascii_lower(text[i]);
    scheme[size] = '\0';
    return FLAME_OK;
}

/* ---- the parts, before they are understood --------------------------------------------------- */

struct span {
    const char *at; /* NULL = the part is not there */
    size_t size;
};

struct parts { /* RFC 3986 appendix B */
    struct span userinfo;
    struct span host;
    struct span port;
    struct span path;
    struct span query;
    struct span fragment;
};

static struct span cut(const char *at, size_t size)
{
    return (struct span){at, size};
}

static void split_authority(const char *text, size_t size, struct parts *parts)
{
    const char *at = memrchr(text, '@', size);
    const char *host = at ? at + 1 : text;
    size_t left = size - (size_t)(host - text);
    const char *bracket = memchr(host, ']', left);
    const char *search = bracket ? bracket : host;
    const char *colon = memchr(search, ':', left - (size_t)(search - host));

    if (at)
        parts->userinfo = cut(text, (size_t)(at - text));
    if (colon)
        parts->port = cut(colon + 1, left - (size_t)(colon + 1 - host));
    parts->host = cut(host, colon ? (size_t)(colon - host) : left);
}

static void split(const char *text, struct parts *parts)
{
    size_t size;

    if (strncmp(text, "//", 2) == 0) {
        size = strcspn(text + 2, "/?#");
        split_authority(text + 2, size, parts);
        text += 2 + size;
    }
    size = strcspn(text, "?#");
    parts->path = cut(text, size);
    text += size;
    if (*text == '?') {
        size = strcspn(text + 1, "#");
        parts->query = cut(text + 1, size);
        text += 1 + size;
    }
    if (*text == '#')
        parts->fragment = cut(text + 1, strlen(text + 1));
}

/* ---- understanding them ---------------------------------------------------------------------- */

static int32_t take_port(const struct span *said, uint32_t default_port, uint32_t *out,
                         struct flame_error *err)
{
    uint32_t port = 0;

    *out = default_port;
    if (!said->at || said->size == 0)
        return FLAME_OK;
    for (size_t i = 0; i < said->size; i++) {
        if (!fl_ascii_is_digit(said->at[i]) || port > 65535)
            return bad_url(err, "its port is not a number from 1 to 65535");
        port = port * 10 + (uint32_t)(said->at[i] - '0');
    }
    if (port == 0 || port > 65535)
        return bad_url(err, "its port is not a number from 1 to 65535");
    *out = port;
    return FLAME_OK;
}

static int32_t take_userinfo(const struct span *said, char **out, struct flame_error *err)
{
    fl_auto_free char *checked = NULL;
    char *decoded;
    int32_t status;

    if (!said->at)
        return FLAME_OK;
    status = fl_normal_text(said->at, said->size, FL_USERINFO_EXTRA, &checked, err);
    if (status != FLAME_OK)
        return status;
    decoded = fl_url_decode(checked, strlen(checked));
    fl_wipe(checked, strlen(checked));
    if (!decoded)
        return fl_fail_memory(err);
    *out = decoded;
    for (const char *at = decoded; *at; at++)
        if (fl_ascii_is_control(*at))
            return bad_url(err, "a control byte in its userinfo");
    return FLAME_OK;
}

static int32_t take_authority(const struct parts *parts, uint32_t default_port, struct fl_url *url,
                              struct flame_error *err)
{
    int32_t status;

    url->has_authority = parts->host.at != NULL;
    if (default_port != 0 && parts->host.size == 0)
        return bad_url(err, "it names no host");
    if (parts->host.size == 0 && (parts->userinfo.at || parts->port.at))
        return bad_url(err, "a port or userinfo without a host");
    status = take_port(&parts->port, default_port, &url->port, err);
    if (status == FLAME_OK)
        status = take_userinfo(&parts->userinfo, &url->userinfo, err);
    if (status == FLAME_OK)
        status = fl_host_canonical(parts->host.at ? parts->host.at : "", parts->host.size,
                                   &url->host, err);
    return status;
}

static int32_t take_path(const struct span *said, bool needs_slash, struct fl_url *url,
                         struct flame_error *err)
{
    int32_t status =
        fl_normal_text(said->size ? said->at : "/", said->size ? said->size : needs_slash,
                       FL_PATH_EXTRA, &url->path, err);

    if (status != FLAME_OK)
        return status;
    if (url->path[0] == '/')
        fl_normal_dots(url->path);
    /* "scheme:" followed by "//" would read as an authority. */
    if (!url->has_authority && strncmp(url->path, "//", 2) == 0)
        return bad_url(err, "its path starts with two slashes");
    return FLAME_OK;
}

static int32_t take_rest(const struct parts *parts, struct fl_url *url, struct flame_error *err)
{
    int32_t status = FLAME_OK;

    if (parts->query.at)
        status =
            fl_normal_text(parts->query.at, parts->query.size, FL_QUERY_EXTRA, &url->query, err);
    if (status == FLAME_OK && parts->fragment.at)
        status = fl_normal_text(parts->fragment.at, parts->fragment.size, FL_QUERY_EXTRA,
                                &url->fragment, err);
    return status;
}

/* ---- putting them together ------------------------------------------------------------------- */

#define PARTS_MAX 11 /* with the NULL behind them */
#define PORT_TEXT_SIZE 12

/* The parts one after another; NULL ends them. NULL = no memory. */
static char *join(const char *const parts[PARTS_MAX])
{
    size_t size = 1;
    char *text;
    char *at;

    for (size_t i = 0; parts[i]; i++)
        size += strlen(parts[i]);
    text = at = malloc(size);
    if (!text)
        return NULL;
    *at = '\0';
    for (size_t i = 0; parts[i]; i++)
        at = stpcpy(at, parts[i]);
    return text;
}

static int32_t spell(struct fl_url *url, uint32_t default_port, struct flame_error *err)
{
    bool is_literal = strchr(url->host, ':') != NULL;
    const char *slashes = url->has_authority ? "//" : "";
    const char *open = is_literal ? "[" : "";
    const char *close = is_literal ? "]" : "";
    char port[PORT_TEXT_SIZE] = "";

    if (url->port != 0)
        (void)snprintf(port, sizeof(port), ":%u", url->port);
    url->origin =
        join((const char *[PARTS_MAX]){url->scheme, ":", slashes, open, url->host, close, port});
    if (url->port == default_port)
        port[0] = '\0';
    url->text =
        join((const char *[PARTS_MAX]){url->scheme, ":", slashes, open, url->host, close, port,
                                       url->path, url->query ? "?" : NULL, url->query});
    if (!url->origin || !url->text)
        return fl_fail_memory(err);
    /* A '/' that was added, or an address spelled out, may lengthen it. */
    return strlen(url->text) > FL_URL_MAX ? too_long(err) : FLAME_OK;
}

static int32_t understand(const struct parts *parts, uint32_t default_port, struct fl_url *url,
                          struct flame_error *err)
{
    int32_t status = take_authority(parts, default_port, url, err);

    if (status == FLAME_OK)
        status = take_path(&parts->path, default_port != 0, url, err);
    if (status == FLAME_OK)
        status = take_rest(parts, url, err);
    if (status == FLAME_OK)
        status = spell(url, default_port, err);
    return status;
}

int32_t fl_url_parse(const char *text, uint32_t default_port, struct fl_url *out,
                     struct flame_error *err)
{
    char scheme[FL_SCHEME_MAX];
    struct parts parts = {0};
    struct fl_url url = {0};
    int32_t status;

    if (strlen(text) > FL_URL_MAX)
        return too_long(err);
    status = fl_url_scheme(text, scheme, err);
    if (status != FLAME_OK)
        return status;
    split(text + strlen(scheme) + 1, &parts);
    url.scheme = strdup(scheme);
    status = url.scheme ? understand(&parts, default_port, &url, err) : fl_fail_memory(err);
    if (status == FLAME_OK)
        *out = url;
    else
        fl_url_done(&url);
    return status;
}

bool fl_url_same_origin(const struct fl_url *a, const struct fl_url *b)
{
    return strcmp(a->origin, b->origin) == 0;
}

void fl_url_done(struct fl_url *url)
{
    free(url->text);
    free(url->scheme);
    free(url->origin);
    free(url->host);
    free(url->path);
    free(url->query);
    fl_wipe_free(url->userinfo);
    free(url->fragment);
    *url = (struct fl_url){0};
}
