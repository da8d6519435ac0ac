/* SPDX-License-Identifier: Apache-2.0 */
/* What the context has for the task of one URL. */
#include "base/text.h"
#include "context/context.h"
#include "context/file.h"
#include "url/url.h"

#include <flame/plugin.h>

#include <string.h>

#define PEM_MAX (1u << 20) /* bytes */
#define CACHE_PORT 9090    /* of Flame's cache, where a URL says none */

struct settings {
    struct fl_pairs options;
    struct fl_pairs secrets;
};

static void free_settings(struct settings *settings)
{
    fl_pairs_done(&settings->options, false);
    fl_pairs_done(&settings->secrets, true);
    free(settings);
}

static bool is_tls(const char *url)
{
    char scheme[FL_SCHEME_MAX];

    if (fl_url_scheme(url, scheme, NULL) != FLAME_OK)
        return false;
    return strcmp(scheme, "grpcs") == 0 || strcmp(scheme, "grpc+tls") == 0;
}

/* Parse a URL that may be none: *is_url says. Fails with NO_MEMORY alone. */
static int32_t try_parse(const char *text, struct fl_url *out, bool *is_url,
                         struct flame_error *err)
{
    int32_t status = fl_url_parse(text, CACHE_PORT, out, NULL);

    *is_url = status == FLAME_OK;
    return status == FLAME_ERR_NO_MEMORY ? fl_fail_memory(err) : FLAME_OK;
}

/* Is there no doubt that the URL leads to the cache of the context? */
static int32_t is_cache(const struct flame_context *context, const char *url, bool *out,
                        struct flame_error *err)
{
    const char *endpoint = flame_context_text(context, FLAME_CONTEXT_CACHE_ENDPOINT);
    struct fl_url ours = {0};
    struct fl_url theirs = {0};
    bool is_url = false;
    int32_t status = endpoint ? try_parse(endpoint, &ours, &is_url, err) : FLAME_OK;

    if (is_url)
        status = try_parse(url, &theirs, &is_url, err);
    *out = is_url && fl_url_same_origin(&ours, &theirs);
    fl_url_done(&ours);
    fl_url_done(&theirs);
    return status;
}

/* The core takes absolute names of files only; Flame's are relative to the working directory. */
static int32_t absolute(const char *path, char **out, struct flame_error *err)
{
    fl_auto_free char *directory = path[0] == '/' ? NULL : getcwd(NULL, 0);

    if (path[0] != '/' && !directory)
        return errno == ENOMEM ? fl_fail_memory(err)
                               : fl_fail_errno(err, errno, "cannot tell the working directory");
    *out = directory ? fl_format("%s/%s", directory, path) : strdup(path);
    return *out ? FLAME_OK : fl_fail_memory(err);
}

static int32_t add_authorities(const struct flame_context *context, struct settings *settings,
                               struct flame_error *err)
{
    const char *said = flame_context_text(context, FLAME_CONTEXT_CACHE_CA);
    fl_auto_free char *path = NULL;
    int32_t status = said ? absolute(said, &path, err) : FLAME_OK;

    if (status == FLAME_OK && path && !fl_pairs_add(&settings->options, FLAME_OPT_TLS_CA, path))
        return fl_fail_memory(err);
    return status;
}

/* "KEY (SOURCE): ", which begins the message. */
static char *where_of(const struct flame_context *context, uint32_t key)
{
    struct flame_context_value value = FLAME_INIT(flame_context_value);

    flame_context_get(context, key, &value);
    return fl_format("%s (%s): ", value.name, value.source);
}

static int32_t add_pem(const struct flame_context *context, uint32_t key, const char *secret,
                       struct settings *settings, struct flame_error *err)
{
    const char *path = flame_context_text(context, key);
    fl_auto_free char *where = where_of(context, key);
    fl_auto_fd int fd = fl_small_file_open(path);
    struct fl_small_file file;
    int32_t status;

    if (!where)
        return fl_fail_memory(err);
    if (fd < 0)
        return fl_fail_errno(err, errno, "%scannot read '%s'", where, path);
    status = fl_small_file_read(fd, PEM_MAX, where, path, &file, err);
    if (status != FLAME_OK)
        return status;
    if (file.size == 0 || strlen(file.bytes) != file.size)
        status = fl_fail(err, FLAME_ERR_INVALID, "%s'%s' holds no text", where, path);
    else if (!fl_pairs_add(&settings->secrets, secret, file.bytes))
        status = fl_fail_memory(err);
    fl_small_file_done(&file);
    return status;
}

static int32_t fail_half(const struct flame_context *context, uint32_t there, uint32_t missing,
                         struct flame_error *err)
{
    struct flame_context_value value = FLAME_INIT(flame_context_value);
    struct flame_context_value other = FLAME_INIT(flame_context_value);

    flame_context_get(context, there, &value);
    flame_context_get(context, missing, &other);
    return fl_fail(err, FLAME_ERR_INVALID, "%s (%s) is of no use without %s", value.name,
                   value.source, other.name);
}

/* The certificate says who we are, so it goes to nobody that merely any public authority knows. */
static int32_t add_certificate(const struct flame_context *context, const char *url,
                               struct settings *settings, struct flame_error *err)
{
    bool cert = flame_context_text(context, FLAME_CONTEXT_CACHE_CERT) != NULL;
    bool key = flame_context_text(context, FLAME_CONTEXT_CACHE_KEY) != NULL;
    bool trusted = flame_context_text(context, FLAME_CONTEXT_CACHE_CA) != NULL;
    int32_t status = FLAME_OK;

    if (cert && !key)
        return fail_half(context, FLAME_CONTEXT_CACHE_CERT, FLAME_CONTEXT_CACHE_KEY, err);
    if (key && !cert)
        return fail_half(context, FLAME_CONTEXT_CACHE_KEY, FLAME_CONTEXT_CACHE_CERT, err);
    if (cert && !trusted)
        status = is_cache(context, url, &trusted, err);
    if (status != FLAME_OK || !cert || !trusted)
        return status;
    status = add_pem(context, FLAME_CONTEXT_CACHE_CERT, FLAME_SECRET_TLS_CERT, settings, err);
    if (status == FLAME_OK)
        status = add_pem(context, FLAME_CONTEXT_CACHE_KEY, FLAME_SECRET_TLS_KEY, settings, err);
    return status;
}

static int32_t collect(const struct flame_context *context, const char *url,
                       struct settings *settings, struct flame_error *err)
{
    int32_t status;

    if (!url)
        return fl_fail(err, FLAME_ERR_INVALID, "there is no url");
    if (!is_tls(url))
        return FLAME_OK;
    status = add_authorities(context, settings, err);
    if (status == FLAME_OK)
        status = add_certificate(context, url, settings, err);
    return status;
}

int32_t flame_context_settings(const struct flame_context *context, const char *url,
                               struct flame_settings *out, struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct settings *settings = calloc(1, sizeof(*settings));
    int32_t status = settings ? FLAME_OK : fl_fail_memory(&own);

    if (status == FLAME_OK && !FLAME_REACHES(out, owner))
        status = fl_fail(&own, FLAME_ERR_INVALID, "the settings struct was not initialised");
    if (status == FLAME_OK)
        status = collect(context, url, settings, &own);
    if (status == FLAME_OK) {
        out->options = (const char *const *)settings->options.items;
        out->secrets = (const char *const *)settings->secrets.items;
        out->owner = settings;
        return FLAME_OK;
    }
    if (settings)
        free_settings(settings);
    fl_error_export(&own, err);
    return status;
}

void flame_settings_done(struct flame_settings *settings)
{
    if (!settings || !settings->owner)
        return;
    free_settings(settings->owner);
    settings->options = settings->secrets = NULL;
    settings->owner = NULL;
}
