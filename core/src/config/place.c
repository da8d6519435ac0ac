/* SPDX-License-Identifier: Apache-2.0 */
#include "config/place.h"

#include <stddef.h>
#include <stdio.h>

const char *fl_place_text(const struct fl_place *place, char *text)
{
    const char *section = place->section ? place->section : "";
    const char *key = place->key ? place->key : "";
    const char *name = place->name ? place->name : "";

    if (place->file)
        (void)snprintf(text, FL_PLACE_MAX, "%.300s: %.80s%s%.120s%s%.80s", place->file, section,
                       *key ? "." : "", key, *section && *name ? "." : "", name);
    else
        (void)snprintf(text, FL_PLACE_MAX, "option '%.80s'", name);
    return text;
}
