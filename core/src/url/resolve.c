/* SPDX-License-Identifier: Apache-2.0 */
#include "url/url.h"

#include "base/text.h"

#include <string.h>

/* A colon in the first segment can only end a scheme (RFC 3986 4.2). */
static bool is_absolute(const char *reference)
{
    return reference[strcspn(reference, ":/?#")] == ':';
}

/* An error here, and not later: "waytoolong...://h" must not become a path. */
static int32_t check_reference(const char *reference, struct flame_error *err)
{
    char scheme[FL_SCHEME_MAX];

    if (strlen(reference) > FL_URL_MAX)
        return fl_fail(err, FLAME_ERR_INVALID_URL, "malformed url: longer than %d bytes",
                       FL_URL_MAX);
    return is_absolute(reference) ? fl_url_scheme(reference, scheme, err) : FLAME_OK;
}

/* RFC 3986 5.2.3: the reference replaces what follows the base's last slash. */
static char *merge(const struct fl_url *base, const char *reference)
{
    const char *slash = strrchr(base->path, '/');
    int kept = slash ? (int)(slash - base->path) + 1 : 0;

    if (base->has_authority && kept == 0)
        return fl_format("/%s", reference);
    return fl_format("%.*s%s", kept, base->path, reference);
}

static char *resolve_relative(const struct fl_url *base, const char *reference)
{
    const char *place = base->origin; /* "scheme://authority" without userinfo */
    fl_auto_free char *merged = NULL;

    if (strncmp(reference, "//", 2) == 0)
        return fl_format("%s:%s", base->scheme, reference);
    if (*reference == '/')
        return fl_format("%s%s", place, reference);
    if (*reference == '?')
        return fl_format("%s%s%s", place, base->path, reference);
    if (*reference == '#' || *reference == '\0')
        return fl_format("%s%s%s%s%s", place, base->path, base->query ? "?" : "",
                         base->query ? base->query : "", reference);
    merged = merge(base, reference);
    return merged ? fl_format("%s%s", place, merged) : NULL;
}

int32_t fl_url_resolve(const struct fl_url *base, const char *reference, char **out,
                       struct flame_error *err)
{
    int32_t status = check_reference(reference, err);
    char *text;

    if (status != FLAME_OK)
        return status;
    text = is_absolute(reference) ? strdup(reference) : resolve_relative(base, reference);
    if (!text)
        return fl_fail_memory(err);
    *out = text;
    return FLAME_OK;
}
