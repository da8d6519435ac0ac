/* SPDX-License-Identifier: Apache-2.0 */
#include "object/endpoint.h"

#include <flame/object.h>

#include <string.h>

_Static_assert(FLAME_OBJECT_KEY_MAX == FL_FLIGHT_KEY_MAX, "a key is as long for one as for all");
_Static_assert((int)FLAME_KEY_OBJECT == (int)FL_FLIGHT_KEY_OBJECT, "the kinds are the same");
_Static_assert((int)FLAME_KEY_SESSION == (int)FL_FLIGHT_KEY_SESSION, "the kinds are the same");
_Static_assert((int)FLAME_KEY_APPLICATION == (int)FL_FLIGHT_KEY_APPLICATION,
               "the kinds are the same");

int32_t flame_object_key_check(const char *key, uint32_t wanted, uint32_t *kind,
                               struct flame_error *err)
{
    struct flame_error own = FLAME_INIT(flame_error);
    struct fl_flight_key parsed;
    int32_t status = sdk_key_parse(key, wanted, &parsed, &own);

    if (status != FLAME_OK)
        fl_error_export(&own, err);
    else if (kind)
        *kind = parsed.kind;
    return status;
}

int32_t flame_object_key_covers(const char *key, const char *object)
{
    struct fl_flight_key pattern, one;
    uint32_t any = FLAME_KEY_OBJECT | FLAME_KEY_SESSION | FLAME_KEY_APPLICATION;

    return sdk_key_parse(key, any, &pattern, NULL) == FLAME_OK &&
           sdk_key_parse(object, FLAME_KEY_OBJECT, &one, NULL) == FLAME_OK &&
           fl_flight_key_covers(&pattern, one.text);
}
