/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <bson/bson.h>
#include <string.h>

#define HAS_ENDPOINT 1u
#define HAS_KEY 2u
#define HAS_VERSION 4u
#define HAS_ALL 7u

static bool malformed(struct fl_flight_fault *fault, const char *why)
{
    return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, why);
}

/* A printable text of the right length; what is shown to people comes from a stranger. */
static bool read_endpoint(const bson_iter_t *at, struct fl_flight_reference *out)
{
    uint32_t size = 0;
    const char *text = BSON_ITER_HOLDS_UTF8(at) ? bson_iter_utf8(at, &size) : NULL;

    if (!text || size == 0 || size > FL_FLIGHT_ENDPOINT_TEXT_MAX)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return false;
    }
    memcpy(out->endpoint, text, size);
    out->endpoint[size] = '\0';
    return true;
}

static bool read_key(const bson_iter_t *at, struct fl_flight_reference *out)
{
    struct fl_flight_fault ignored = {FL_FLIGHT_NONE, NULL};
    uint32_t size = 0;
    const char *text = BSON_ITER_HOLDS_UTF8(at) ? bson_iter_utf8(at, &size) : NULL;
    struct fl_flight_bytes bytes = {(const uint8_t *)text, size};

    return text && fl_flight_key_parse(&out->key, bytes, FL_FLIGHT_KEY_OBJECT, &ignored);
}

static bool read_version(const bson_iter_t *at, struct fl_flight_reference *out)
{
    int64_t version = BSON_ITER_HOLDS_INT(at) ? bson_iter_as_int64(at) : -1;

    out->version = (uint64_t)version;
    return version >= 0;
}

struct member {
    const char *name;
    uint32_t bit;
    bool (*read)(const bson_iter_t *at, struct fl_flight_reference *out);
};

static bool read_member(const bson_iter_t *at, uint32_t *have, struct fl_flight_reference *out)
{
    static const struct member members[] = {
        {"endpoint", HAS_ENDPOINT, read_endpoint},
        {"key", HAS_KEY, read_key},
        {"version", HAS_VERSION, read_version},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(bson_iter_key(at), members[i].name) != 0)
            continue;
        if (*have & members[i].bit)
            return false;
        *have |= members[i].bit;
        return members[i].read(at, out);
    }
    return true;
}

bool fl_flight_reference_read(struct fl_flight_bytes document, struct fl_flight_reference *out,
                              struct fl_flight_fault *fault)
{
    struct fl_flight_reference read = {.version = 0};
    uint32_t have = 0;
    bson_iter_t at;
    bson_t bson;

    if (document.size > FL_FLIGHT_REFERENCE_MAX)
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "the result of a store is too large");
    if (document.size < 5 || !bson_init_static(&bson, document.data, document.size) ||
        !bson_validate(&bson, BSON_VALIDATE_UTF8, NULL) || !bson_iter_init(&at, &bson))
        return malformed(fault, "the result of a store is no bson document");
    while (bson_iter_next(&at)) {
        if (!read_member(&at, &have, &read))
            return malformed(fault, "the result of a store has a malformed member");
    }
    if (have != HAS_ALL)
        return malformed(fault, "the result of a store has no endpoint, key or version");
    *out = read;
    return true;
}

bool fl_flight_reference_write(struct fl_flight_buffer *out,
                               const struct fl_flight_reference *reference,
                               struct fl_flight_fault *fault)
{
    bson_t bson = BSON_INITIALIZER;
    bool done = bson_append_utf8(&bson, "endpoint", -1, reference->endpoint, -1) &&
                bson_append_utf8(&bson, "key", -1, reference->key.text, -1) &&
                bson_append_int64(&bson, "version", -1, (int64_t)reference->version) &&
                fl_flight_buffer_add(out, bson_get_data(&bson), bson.len);

    bson_destroy(&bson);
    return done || fl_flight_fail_memory(fault);
}
