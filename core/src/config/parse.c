/* SPDX-License-Identifier: Apache-2.0 */
#include "config/parse.h"

#include "base/text.h"
#include "config/entries.h"

#include <errno.h>
#include <string.h>

/* The keys of the top, and what reads one entry below each. */
static const struct part {
    const char *key;
    int32_t (*read)(const struct fl_input *input, const struct fl_place *top, const char *name,
                    json_t *json);
} parts[] = {
    {"options", fl_read_option},
    {"origins", fl_read_origin},
    {"plugins", fl_read_plugin},
    {"pins", fl_read_pin},
};

static const struct part *find_part(const char *key)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (strcmp(parts[i].key, key) == 0)
            return &parts[i];
    return NULL;
}

static int32_t read_part(const struct fl_input *input, const char *key, json_t *json)
{
    const struct fl_place top = {.file = input->path, .section = key};
    const struct part *part = find_part(key);
    int32_t status;
    const char *name;
    json_t *entry;

    if (strcmp(key, "plugin_path") == 0)
        return fl_read_plugin_path(input, &top, json);
    if (!part)
        return fl_input_refuse(input, &top, "there is no such key");
    status = fl_input_container(input, &top, json, JSON_OBJECT);
    if (status != FLAME_OK)
        return status;
    json_object_foreach(json, name, entry)
    {
        status = part->read(input, &top, name, entry);
        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}

static int32_t read_root(const struct fl_input *input, json_t *root)
{
    const char *key;
    json_t *value;

    if (!json_is_object(root))
        return fl_fail(input->err, FLAME_ERR_INVALID, "%s: must be one JSON object", input->path);
    json_object_foreach(root, key, value)
    {
        int32_t status = read_part(input, key, value);

        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}

/* jansson frees strings as they are. The cast takes away a const that it gave to its own copy. */
static void wipe_strings(json_t *json)
{
    const char *key;
    size_t i;
    json_t *value;

    if (json_is_string(json))
        fl_wipe((char *)(uintptr_t)json_string_value(json), json_string_length(json));
    json_array_foreach(json, i, value)
    {
        wipe_strings(value);
    }
    json_object_foreach(json, key, value)
    {
        wipe_strings(value);
    }
}

/* Where jansson runs out of memory between two tokens it leaves the error as it was; within one it
 * takes that for a wrong one, or leaves a hole in it and goes on. Only errno, 0 before, tells. */
static bool is_out_of_memory(const json_t *root, const json_error_t *error, int errnum)
{
    bool is_told = !root && (json_error_code(error) == json_error_out_of_memory || error->line < 0);

    return is_told || errnum == ENOMEM;
}

/* jansson's own text quotes the file, which may hold secrets. */
static const char *syntax_text(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_premature_end_of_input:
        return "ends too early";
    case json_error_end_of_input_expected:
        return "something follows the closing brace";
    case json_error_duplicate_key:
        return "the same key twice";
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a zero byte";
    case json_error_numeric_overflow:
        return "a number that is too large";
    case json_error_stack_overflow:
        return "nested too deeply";
    default:
        return "not JSON";
    }
}

int32_t fl_config_parse(struct fl_config *config, const struct fl_file *text, const char *path,
                        struct flame_error *err)
{
    struct fl_input input = {config, NULL, text->mode, err};
    json_error_t error;
    json_t *root;
    int32_t status;

    if (!fl_strings_add(&config->files, path))
        return fl_fail_memory(err);
    input.path = config->files.items[config->files.count - 1];
    errno = 0;
    root = json_loadb(text->bytes, text->size, JSON_REJECT_DUPLICATES, &error);
    if (is_out_of_memory(root, &error, errno))
        status = fl_fail_memory(err);
    else if (!root)
        status = fl_fail(err, FLAME_ERR_INVALID, "%.300s: line %d, column %d: %s", path, error.line,
                         error.column, syntax_text(&error));
    else
        status = read_root(&input, root);
    wipe_strings(root);
    json_decref(root);
    return status;
}

int32_t fl_config_read(struct fl_config *config, const char *path, struct flame_error *err)
{
    struct fl_file file;
    int32_t status = fl_file_read(path, "", &file, err);

    if (status != FLAME_OK)
        return status;
    status = fl_config_parse(config, &file, path, err);
    fl_file_done(&file);
    return status;
}
