/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include "base/text.h"

#include <string.h>

static struct fl_setting *find_setting(const struct fl_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->items[i].name, name) == 0)
            return &settings->items[i];
    return NULL;
}

static struct fl_setting *append_setting(struct fl_settings *settings, const char *name)
{
    fl_auto_free char *name_copy = strdup(name);
    struct fl_setting *grown;

    if (!name_copy)
        return NULL;
    grown = realloc(settings->items, (settings->count + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    settings->items = grown;
    grown[settings->count] = (struct fl_setting){.name = fl_take(name_copy)};
    return &grown[settings->count++];
}

bool fl_settings_set(struct fl_settings *settings, const char *name, const char *value,
                     const char *source)
{
    struct fl_setting *setting = find_setting(settings, name);
    char *value_copy = strdup(value);

    if (value_copy && !setting)
        setting = append_setting(settings, name);
    if (!value_copy || !setting) {
        fl_wipe_free(value_copy);
        return false;
    }
    fl_wipe_free(setting->value);
    setting->value = value_copy;
    setting->source = source;
    return true;
}

const struct fl_setting *fl_settings_find(const struct fl_settings *settings, const char *name)
{
    return find_setting(settings, name);
}

void fl_settings_done(struct fl_settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        free(settings->items[i].name);
        fl_wipe_free(settings->items[i].value);
    }
    free(settings->items);
    *settings = (struct fl_settings){0};
}

static struct fl_section *find_section(const struct fl_sections *sections, const char *key)
{
    for (size_t i = 0; i < sections->count; i++)
        if (strcmp(sections->items[i].key, key) == 0)
            return &sections->items[i];
    return NULL;
}

struct fl_section *fl_sections_open(struct fl_sections *sections, const char *key)
{
    struct fl_section *section = find_section(sections, key);
    fl_auto_free char *key_copy = NULL;
    struct fl_section *grown;

    if (section)
        return section;
    key_copy = strdup(key);
    if (!key_copy)
        return NULL;
    grown = realloc(sections->items, (sections->count + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    sections->items = grown;
    grown[sections->count] = (struct fl_section){.key = fl_take(key_copy)};
    return &grown[sections->count++];
}

const struct fl_section *fl_sections_find(const struct fl_sections *sections, const char *key)
{
    return find_section(sections, key);
}

void fl_sections_done(struct fl_sections *sections)
{
    for (size_t i = 0; i < sections->count; i++) {
        free(sections->items[i].key);
        fl_settings_done(&sections->items[i].options);
        fl_settings_done(&sections->items[i].secrets);
    }
    free(sections->items);
    *sections = (struct fl_sections){0};
}

bool fl_strings_add(struct fl_strings *strings, const char *text)
{
    fl_auto_free char *copy = strdup(text);
    char **grown;

    if (!copy)
        return false;
    grown = realloc(strings->items, (strings->count + 2) * sizeof(*grown));
    if (!grown)
        return false;
    strings->items = grown;
    grown[strings->count++] = fl_take(copy);
    grown[strings->count] = NULL;
    return true;
}

void fl_strings_done(struct fl_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->items[i]);
    free(strings->items);
    *strings = (struct fl_strings){0};
}
