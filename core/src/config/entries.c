/* SPDX-License-Identifier: Apache-2.0 */
#include "config/entries.h"

#include "base/text.h"
#include "config/origin.h"
#include "config/secret.h"
#include "config/value.h"

#include <string.h>
#include <sys/stat.h>

#define KEYS_MAX 4096 /* in one object or array: lists are searched one by one */
#define PLUGIN_ID_MAX 79
#define NUMBER_MAX 64
#define REAL_DIGITS 15 /* as many as a double keeps of what was written: 1.3 stays "1.3" */
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

int32_t fl_input_refuse(const struct fl_input *input, const struct fl_place *place,
                        const char *reason)
{
    char where[FL_PLACE_MAX];

    return fl_fail(input->err, FLAME_ERR_INVALID, "%s: %s", fl_place_text(place, where), reason);
}

int32_t fl_input_container(const struct fl_input *input, const struct fl_place *place,
                           const json_t *json, json_type type)
{
    size_t size = type == JSON_OBJECT ? json_object_size(json) : json_array_size(json);

    if (json_typeof(json) != type)
        return fl_input_refuse(input, place,
                               type == JSON_OBJECT ? "must be an object" : "must be an array");
    if (size > KEYS_MAX)
        return fl_input_refuse(input, place, "has more than 4096 entries");
    return FLAME_OK;
}

/* The text of an option's value: what the user would have written without JSON. */
static int32_t scalar_text(const struct fl_input *input, const struct fl_place *place,
                           const json_t *json, char **out)
{
    char number[NUMBER_MAX];
    size_t size;

    if (json_is_string(json)) {
        *out = strdup(json_string_value(json));
        return *out ? FLAME_OK : fl_fail_memory(input->err);
    }
    if (!json_is_number(json) && !json_is_boolean(json))
        return fl_input_refuse(input, place, "must be a string, a number, true or false");
    size = json_dumpb(json, number, sizeof(number),
                      JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));
    if (size == 0 || size > sizeof(number))
        return fl_fail_memory(input->err); /* no number is longer */
    *out = strndup(number, size);
    return *out ? FLAME_OK : fl_fail_memory(input->err);
}

static int32_t store(const struct fl_input *input, struct fl_settings *settings, const char *name,
                     const char *value)
{
    return fl_settings_set(settings, name, value, input->path) ? FLAME_OK
                                                               : fl_fail_memory(input->err);
}

static int32_t read_option(const struct fl_input *input, const struct fl_place *place,
                           const json_t *json, struct fl_settings *settings)
{
    const struct flame_option *option = fl_option_find(fl_options(), place->name);
    fl_auto_free char *text = NULL;
    fl_auto_free char *value = NULL;
    int32_t status;

    if (fl_is_secret(place->name))
        return fl_input_refuse(input, place,
                               "is a secret: it may stand below one of the origins only");
    if (!option)
        return fl_input_refuse(input, place,
                               strchr(place->name, '.')
                                   ? "there is no such option"
                                   : "there is no such option; a plugin's own stand below "
                                     "plugins.<id>");
    status = scalar_text(input, place, json, &text);
    if (status == FLAME_OK)
        status = fl_value_canonical(option, text, place, &value, input->err);
    return status == FLAME_OK ? store(input, settings, place->name, value) : status;
}

static int32_t read_secret(const struct fl_input *input, const struct fl_place *place,
                           const json_t *json, struct fl_settings *settings)
{
    const char *text = json_string_value(json);
    char *secret = NULL;
    int32_t status;

    if (!text)
        return fl_input_refuse(input, place, "must be a string");
    if (fl_origin_is_wildcard(place->key))
        return fl_input_refuse(input, place, "a secret needs an exact origin, not a pattern");
    if (fl_secret_is_literal(text) && (input->mode & (S_IRGRP | S_IROTH)))
        return fl_input_refuse(
            input, place,
            "others can read this file, which holds a secret; chmod 600 it, or write "
            "\"@/absolute/file\" instead of the secret");
    status = fl_secret_read(text, place, &secret, input->err);
    if (status == FLAME_OK)
        status = store(input, settings, place->name, secret);
    fl_wipe_free(secret);
    return status;
}

int32_t fl_read_plugin_path(const struct fl_input *input, const struct fl_place *top, json_t *json)
{
    struct fl_strings dirs = {0};
    int32_t status = fl_input_container(input, top, json, JSON_ARRAY);
    size_t i;
    json_t *item;

    if (status != FLAME_OK)
        return status;
    json_array_foreach(json, i, item)
    {
        const char *dir = json_string_value(item);

        if (!dir || dir[0] != '/')
            status = fl_input_refuse(input, top, "must hold absolute paths only");
        else if (!fl_strings_add(&dirs, dir))
            status = fl_fail_memory(input->err);
        if (status != FLAME_OK)
            break;
    }
    if (status != FLAME_OK) {
        fl_strings_done(&dirs);
        return status;
    }
    fl_strings_done(&input->config->file_dirs);
    input->config->file_dirs = dirs;
    return FLAME_OK;
}

/* Whether the plugin exists is not ours to know; a misspelt shape is. */
static bool is_plugin_id(const char *id)
{
    size_t size = strlen(id);

    return size <= PLUGIN_ID_MAX && strchr(id, '.') && strspn(id, LOWER UPPER DIGITS "._-") == size;
}

int32_t fl_read_pin(const struct fl_input *input, const struct fl_place *top, const char *scheme,
                    json_t *json)
{
    const struct fl_place place = {input->path, top->section, NULL, scheme};
    const char *id = json_string_value(json);

    if (!fl_is_scheme(scheme, strlen(scheme)))
        return fl_input_refuse(input, &place, "is no scheme in lower case");
    if (!id || !is_plugin_id(id))
        return fl_input_refuse(input, &place,
                               "must be the id of a plugin, such as \"org.example.data\"");
    return store(input, &input->config->pins, scheme, id);
}

int32_t fl_read_option(const struct fl_input *input, const struct fl_place *top, const char *name,
                       json_t *json)
{
    const struct fl_place place = {input->path, top->section, NULL, name};

    return read_option(input, &place, json, &input->config->options);
}

int32_t fl_read_origin(const struct fl_input *input, const struct fl_place *top, const char *key,
                       json_t *json)
{
    struct fl_place place = {input->path, top->section, key, NULL};
    const char *fault = fl_origin_fault(key);
    struct fl_section *section;
    int32_t status;
    const char *name;
    json_t *value;

    if (fault)
        return fl_input_refuse(input, &place, fault);
    status = fl_input_container(input, &place, json, JSON_OBJECT);
    if (status != FLAME_OK)
        return status;
    section = fl_sections_open(&input->config->origins, key);
    if (!section)
        return fl_fail_memory(input->err);
    json_object_foreach(json, name, value)
    {
        place.name = name;
        status = fl_is_secret(name) ? read_secret(input, &place, value, &section->secrets)
                                    : read_option(input, &place, value, &section->options);
        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}

static int32_t read_own_option(const struct fl_input *input, const struct fl_place *place,
                               const json_t *json, struct fl_settings *settings)
{
    fl_auto_free char *text = NULL;
    int32_t status;

    if (strchr(place->name, '.'))
        return fl_input_refuse(input, place,
                               "is no option of a plugin; shared ones stand below options");
    if (!strchr(LOWER, place->name[0]) || place->name[0] == '\0' ||
        place->name[strspn(place->name, LOWER DIGITS "_")] != '\0')
        return fl_input_refuse(input, place, "is no name of an option");
    status = scalar_text(input, place, json, &text);
    return status == FLAME_OK ? store(input, settings, place->name, text) : status;
}

int32_t fl_read_plugin(const struct fl_input *input, const struct fl_place *top, const char *id,
                       json_t *json)
{
    struct fl_place place = {input->path, top->section, id, NULL};
    struct fl_section *section;
    int32_t status;
    const char *name;
    json_t *value;

    if (!is_plugin_id(id))
        return fl_input_refuse(input, &place, "is no id of a plugin");
    status = fl_input_container(input, &place, json, JSON_OBJECT);
    if (status != FLAME_OK)
        return status;
    section = fl_sections_open(&input->config->plugins, id);
    if (!section)
        return fl_fail_memory(input->err);
    json_object_foreach(json, name, value)
    {
        place.name = name;
        status = read_own_option(input, &place, value, &section->options);
        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}
