/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the entries below each top-level key of a configuration file. Internal to the module.
 * All fail with INVALID, naming the file and the path of the key; NO_MEMORY. */
#ifndef FL_CONFIG_ENTRIES_H
#define FL_CONFIG_ENTRIES_H

#include "config/place.h"
#include "config/settings.h"

#include <jansson.h>
#include <sys/types.h>

struct fl_input {
    struct fl_config *config;
    const char *path; /* one of config->files */
    mode_t mode;      /* of the file: who can read it */
    struct flame_error *err;
};

/* State a failure at `place`; returns INVALID. */
int32_t fl_input_refuse(const struct fl_input *input, const struct fl_place *place,
                        const char *reason);

/* Is it an array or object, as `type` says, of bearable size? */
int32_t fl_input_container(const struct fl_input *input, const struct fl_place *place,
                           const json_t *json, json_type type) FL_CHECK;

/* The whole array below "plugin_path". */
int32_t fl_read_plugin_path(const struct fl_input *input, const struct fl_place *top,
                            json_t *json) FL_CHECK;

/* One entry `name` of the object that `top` names. */
int32_t fl_read_option(const struct fl_input *input, const struct fl_place *top, const char *name,
                       json_t *json) FL_CHECK;
int32_t fl_read_origin(const struct fl_input *input, const struct fl_place *top, const char *key,
                       json_t *json) FL_CHECK;
int32_t fl_read_plugin(const struct fl_input *input, const struct fl_place *top, const char *id,
                       json_t *json) FL_CHECK; /* IO too: a secret's file */
int32_t fl_read_pin(const struct fl_input *input, const struct fl_place *top, const char *scheme,
                    json_t *json) FL_CHECK;

#endif
