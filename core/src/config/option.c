/* SPDX-License-Identifier: Apache-2.0 */
#include "config/option.h"

#include <string.h>

/* Both tables are turned into the same three things: entries, their indices, pointers to them. */
#define ENTRY_(option_name, kind, default_value, option_range, option_help)                        \
    {.struct_size = (uint32_t)sizeof(struct flame_option),                                         \
     .type = FLAME_OPTION_##kind,                                                                  \
     .name = option_name,                                                                          \
     .value = default_value,                                                                       \
     .help = option_help,                                                                          \
     .range = option_range},

static const struct flame_option entries[] = {
#define FL_ROW_(macro, name, type, value, range, help) ENTRY_(name, type, value, range, help)
    FL_CORE_OPTION_TABLE(FL_ROW_)
#undef FL_ROW_
        FLAME_SHARED_OPTION_TABLE(ENTRY_)};

enum {
    BEFORE_SHARED = FL_OPT_COUNT - 1,
#define FL_ROW_(name, type, value, range, help) INDEX_OF_##name,
    FLAME_SHARED_OPTION_TABLE(FL_ROW_)
#undef FL_ROW_
};

static const struct flame_option *const options[] = {
#define FL_ROW_(macro, name, type, value, range, help) &entries[FL_OPT_##macro],
    FL_CORE_OPTION_TABLE(FL_ROW_)
#undef FL_ROW_
#define FL_ROW_(name, type, value, range, help) &entries[INDEX_OF_##name],
        FLAME_SHARED_OPTION_TABLE(FL_ROW_)
#undef FL_ROW_
            NULL};

const struct flame_option *const *fl_options(void)
{
    return options;
}

const struct flame_option *fl_core_option(enum fl_core_option number)
{
    return &entries[number];
}

const struct flame_option *fl_option_find(const struct flame_option *const *table, const char *name)
{
    for (size_t i = 0; table && table[i]; i++)
        if (table[i]->name && strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

bool fl_is_secret(const char *name)
{
#define FL_ROW_(secret, help) secret,
    static const char *const secrets[] = {FLAME_SHARED_SECRET_TABLE(FL_ROW_)};
#undef FL_ROW_

    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        if (strcmp(secrets[i], name) == 0)
            return true;
    return false;
}

uint64_t fl_option_number(const char *canonical)
{
    return strtoull(canonical, NULL, 10);
}
