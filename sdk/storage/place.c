/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/place.h"

#include "base/text.h"
#include "storage/name.h"
#include "url/url.h"

#include <limits.h>
#include <string.h>

struct wanted {
    const char *scheme;
    bool is_served;
};

static int32_t look(void *data, const struct flame_plugin_info *info)
{
    struct wanted *wanted = data;
    size_t size = strlen(wanted->scheme);
    const char *at = info->accepted ? info->schemes : NULL;

    for (; at && *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");

        wanted->is_served |= length == size && memcmp(at, wanted->scheme, size) == 0;
        at += length;
    }
    return wanted->is_served;
}

static int32_t check_scheme(struct flame *flame, const char *scheme, struct flame_error *err)
{
    struct wanted wanted = {.scheme = scheme};

    flame_plugins(flame, look, &wanted);
    if (wanted.is_served)
        return FLAME_OK;
    return fl_fail(err, FLAME_ERR_UNSUPPORTED, "no plugin for the scheme '%s' of the storage",
                   scheme);
}

static int32_t check_base(struct flame *flame, const char *base, struct sdk_place *out,
                          struct flame_error *err)
{
    struct fl_url url;
    int32_t status = fl_url_parse(base, 0, &url, err);

    if (status != FLAME_OK)
        return status;
    if (!url.has_authority)
        status = fl_fail(err, FLAME_ERR_INVALID_URL, "'%s:' without '//' is no place for packages",
                         url.scheme);
    else if (url.fragment)
        status = fl_fail(err, FLAME_ERR_INVALID_URL, "a storage has no fragment");
    else
        status = check_scheme(flame, url.scheme, err);
    out->scheme = fl_take(url.scheme);
    fl_url_done(&url);
    return status;
}

int32_t sdk_place_make(struct flame *flame, const char *base, const char *app,
                       struct sdk_place *out, struct flame_error *err)
{
    int32_t status = sdk_name_check(app, "application's name", FLAME_ERR_INVALID, err);
    fl_auto_free char *encoded = NULL;
    size_t size = strcspn(base, "?#");

    if (status == FLAME_OK)
        status = check_base(flame, base, out, err);
    if (status != FLAME_OK)
        return status;
    out->query = strdup(base + size);
    while (size > 0 && base[size - 1] == '/')
        size--;
    encoded = sdk_name_encode(app);
    out->folder = encoded ? fl_format("%.*s/%s/pkg/", (int)size, base, encoded) : NULL;
    out->shown = out->folder ? fl_url_redact(out->folder) : NULL;
    return out->query && out->shown ? FLAME_OK : fl_fail_memory(err);
}

void sdk_place_done(struct sdk_place *place)
{
    fl_wipe_free(place->folder);
    fl_wipe_free(place->query);
    free(place->shown);
    free(place->scheme);
    *place = (struct sdk_place){0};
}

int32_t sdk_place_url(const struct sdk_place *place, const char *name, char **out,
                      struct flame_error *err)
{
    fl_auto_free char *encoded = NULL;
    int32_t status =
        name ? sdk_name_check(name, "package's name", FLAME_ERR_UNSAFE_NAME, err) : FLAME_OK;

    if (status != FLAME_OK)
        return status;
    encoded = sdk_name_encode(name ? name : "");
    *out = encoded ? fl_format("%.*s%s%s", name ? INT_MAX : (int)strlen(place->folder) - 1,
                               place->folder, encoded, place->query)
                   : NULL;
    return *out ? FLAME_OK : fl_fail_memory(err);
}
