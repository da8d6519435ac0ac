/* SPDX-License-Identifier: Apache-2.0 */
#include "object/endpoint.h"

#include "base/text.h"
#include "url/url.h"

#include <string.h>

#define DEFAULT_PORT 9090

/* What a cache calls itself, and the one name that our URLs have for it. NULL = no cache. */
static const char *cache_scheme(const struct fl_url *url)
{
    static const char *const schemes[][2] = {
        {"grpc", "grpc"}, {"grpcs", "grpcs"}, {"grpc+tls", "grpcs"}, {"grpc+tcp", "grpc"}};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        if (strcmp(url->scheme, schemes[i][0]) == 0)
            return schemes[i][1];
    }
    return NULL;
}

static const char *what_is_wrong(const struct fl_url *url)
{
    if (!cache_scheme(url))
        return "its scheme is none of grpc, grpcs, grpc+tls, grpc+tcp";
    if (url->userinfo)
        return "it has a user's name";
    if ((url->path[0] && strcmp(url->path, "/") != 0) || url->query || url->fragment)
        return "something follows host and port";
    return NULL;
}

static int32_t refuse(const char *endpoint, const char *said_by, const char *why,
                      struct flame_error *err)
{
    fl_auto_free char *shown = fl_url_redact(endpoint);

    return fl_fail(err, FLAME_ERR_INVALID, "'%s'%s%s is not the endpoint of an object cache: %s",
                   shown ? shown : "", said_by ? " of " : "", said_by ? said_by : "", why);
}

static int32_t name_origin(const struct fl_url *url, char **out, struct flame_error *err)
{
    *out = fl_format("%s%s", cache_scheme(url), strchr(url->origin, ':'));
    return *out ? FLAME_OK : fl_fail_memory(err);
}

int32_t sdk_endpoint_origin(const char *endpoint, const char *said_by, char **out,
                            struct flame_error *err)
{
    struct flame_error reason = FLAME_INIT(flame_error);
    struct fl_url url;
    const char *wrong;
    int32_t status = fl_url_parse(endpoint, DEFAULT_PORT, &url, &reason);

    if (status == FLAME_ERR_NO_MEMORY)
        return fl_fail_memory(err);
    if (status != FLAME_OK)
        return refuse(endpoint, said_by, reason.message, err);
    wrong = what_is_wrong(&url);
    if (wrong)
        status = refuse(endpoint, said_by, wrong, err);
    else
        status = name_origin(&url, out, err);
    fl_url_done(&url);
    return status;
}

char *sdk_endpoint_url(const char *origin, const struct fl_flight_key *key)
{
    struct fl_flight_buffer path = {.size = 0};
    char *url = NULL;

    if (fl_flight_key_encode(key, &path) && fl_flight_buffer_add(&path, "", 1))
        url = fl_format("%s%s", origin, (const char *)path.data);
    fl_flight_buffer_done(&path);
    return url;
}

int32_t sdk_key_parse(const char *text, uint32_t wanted, struct fl_flight_key *out,
                      struct flame_error *err)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};

    if (!text)
        return fl_fail(err, FLAME_ERR_INVALID, "no key was given");
    if (fl_flight_key_parse(out, fl_flight_text(text), wanted, &fault))
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_INVALID, "'%s' is not the key that is wanted here: %s", text,
                   fault.why);
}
