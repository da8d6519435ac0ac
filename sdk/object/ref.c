/* SPDX-License-Identifier: Apache-2.0 */
#include "object/endpoint.h"
#include "reference.h"

#include "base/text.h"

#include <flame/object.h>
#include <flame/plugin.h>

#include <errno.h>
#include <string.h>

_Static_assert(FLAME_OBJECT_ENDPOINT_MAX == FL_FLIGHT_ENDPOINT_TEXT_MAX, "they are the same");

/* Texts in a caller's struct need not end. */
static bool is_terminated(const char *text, size_t capacity)
{
    return memchr(text, '\0', capacity) != NULL;
}

static int32_t check(const struct flame_object_ref *ref, struct fl_flight_reference *out,
                     struct flame_error *err)
{
    if (ref->struct_size < sizeof(*ref) || !is_terminated(ref->endpoint, sizeof(out->endpoint)) ||
        !is_terminated(ref->key, sizeof(ref->key)))
        return fl_fail(err, FLAME_ERR_INVALID, "the reference is not complete");
    if (ref->version > INT64_MAX)
        return fl_fail(err, FLAME_ERR_INVALID, "there is no such version of an object");
    memcpy(out->endpoint, ref->endpoint, strlen(ref->endpoint) + 1);
    out->version = ref->version;
    return sdk_key_parse(ref->key, FLAME_KEY_OBJECT, &out->key, err);
}

static void give(const struct fl_flight_reference *read, struct flame_object_ref *out)
{
    memcpy(out->endpoint, read->endpoint, sizeof(read->endpoint));
    memcpy(out->key, read->key.text, sizeof(read->key.text));
    out->version = read->version;
}

/* What nobody could read back is not handed out. */
static bool is_readable(const struct fl_flight_buffer *document)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_reference read;

    return fl_flight_reference_read(fl_flight_buffer_view(document), &read, &fault);
}

static int32_t encode(const struct flame_object_ref *ref, void *out, size_t *size,
                      struct flame_error *err)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_reference checked;
    struct fl_flight_buffer document = {.size = 0};
    int32_t status = check(ref, &checked, err);

    if (status != FLAME_OK)
        return status;
    if (!fl_flight_reference_write(&document, &checked, &fault))
        status = fl_fail(err, fl_flight_status(fault.code), "cannot encode it: %s", fault.why);
    else if (!is_readable(&document))
        status = fl_fail(err, FLAME_ERR_INVALID, "'%s' is no endpoint", ref->endpoint);
    else if (document.size > *size)
        status = fl_fail(err, FLAME_ERR_LIMIT, "%zu bytes are needed for it, there are %zu",
                         document.size, *size);
    else
        memcpy(out, document.data, document.size);
    if (status == FLAME_OK)
        *size = document.size;
    fl_flight_buffer_done(&document);
    return status;
}

int32_t flame_object_ref_encode(const struct flame_object_ref *ref, void *out, size_t *size,
                                struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    int32_t status = encode(ref, out, size, &own);

    if (status != FLAME_OK)
        fl_error_export(&own, err);
    return status;
}

int32_t flame_object_ref_decode(const void *bytes, size_t size, struct flame_object_ref *out,
                                struct flame_error *err)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct flame_error own = FLAME_INIT(flame_error);
    struct fl_flight_bytes document = {bytes, size};
    struct fl_flight_reference read;

    if (fl_flight_reference_read(document, &read, &fault)) {
        give(&read, out);
        return FLAME_OK;
    }
    (void)fl_fail(&own, fault.code == FL_FLIGHT_LIMIT ? FLAME_ERR_LIMIT : FLAME_ERR_INVALID,
                  "not a reference to an object: %s", fault.why);
    fl_error_export(&own, err);
    return own.status;
}

/* ---- from a result --------------------------------------------------------------------------- */

static bool read_version(const char *text, uint64_t *out)
{
    char *end;

    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 && *out <= INT64_MAX;
}

static bool read_metadata(const char *const *metadata, struct fl_flight_reference *out)
{
    const char *endpoint = fl_list_get(metadata, FLAME_META_FLIGHT_ENDPOINT);
    const char *key = fl_list_get(metadata, FLAME_META_FLIGHT_KEY);

    if (!endpoint || strlen(endpoint) > FLAME_OBJECT_ENDPOINT_MAX || !key ||
        !read_version(fl_list_get(metadata, FLAME_META_VERSION), &out->version))
        return false;
    memcpy(out->endpoint, endpoint, strlen(endpoint) + 1);
    return sdk_key_parse(key, FLAME_KEY_OBJECT, &out->key, NULL) == FLAME_OK;
}

int32_t flame_object_ref_of(const struct flame_result *result, struct flame_object_ref *out,
                            struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct fl_flight_reference read;

    if (FLAME_HAS(result, metadata) && read_metadata(result->metadata, &read)) {
        give(&read, out);
        return FLAME_OK;
    }
    (void)fl_fail(&own, FLAME_ERR_INVALID, "the result does not name an object of a cache");
    fl_error_export(&own, err);
    return own.status;
}

/* ---- to a URL -------------------------------------------------------------------------------- */

static int32_t make_url(const struct flame_object_ref *ref, char **out, struct flame_error *err)
{
    struct fl_flight_reference checked;
    fl_auto_free char *origin = NULL;
    int32_t status = check(ref, &checked, err);

    if (status == FLAME_OK)
        status = sdk_endpoint_origin(ref->endpoint, "the reference", &origin, err);
    if (status != FLAME_OK)
        return status;
    *out = sdk_endpoint_url(origin, &checked.key);
    return *out ? FLAME_OK : fl_fail_memory(err);
}

int32_t flame_object_ref_url(const struct flame_object_ref *ref, char **out,
                             struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    int32_t status = make_url(ref, out, &own);

    if (status != FLAME_OK)
        fl_error_export(&own, err);
    return status;
}
