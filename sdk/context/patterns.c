/* SPDX-License-Identifier: Apache-2.0 */
#include "context/patterns.h"

#include <string.h>

bool fl_patterns_add(struct fl_patterns *patterns, const char *pattern)
{
    char **grown;

    for (size_t i = 0; i < patterns->count; i++)
        if (strcmp(patterns->items[i], pattern) == 0)
            return true;
    grown = realloc(patterns->items, (patterns->count + 2) * sizeof(*grown));
    if (!grown)
        return false;
    patterns->items = grown;
    grown[patterns->count] = strdup(pattern);
    if (!grown[patterns->count])
        return false;
    grown[++patterns->count] = NULL;
    return true;
}

bool fl_patterns_add_words(struct fl_patterns *patterns, const char *words)
{
    fl_auto_free char *copy = strdup(words);
    char *rest = copy;
    const char *word;

    if (!copy)
        return false;
    while ((word = strsep(&rest, " ")))
        if (!fl_patterns_add(patterns, word))
            return false;
    return true;
}

char *fl_patterns_join(const struct fl_patterns *patterns)
{
    size_t size = 1;
    char *text;
    char *end;

    for (size_t i = 0; i < patterns->count; i++)
        size += strlen(patterns->items[i]) + 1;
    text = end = malloc(size);
    if (!text)
        return NULL;
    *end = '\0';
    for (size_t i = 0; i < patterns->count; i++)
        end = stpcpy(stpcpy(end, i > 0 ? " " : ""), patterns->items[i]);
    return text;
}

void fl_patterns_done(struct fl_patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        free(patterns->items[i]);
    free(patterns->items);
    *patterns = (struct fl_patterns){0};
}
