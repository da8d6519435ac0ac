/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 30

static void *member(struct fl_cache_options *options, const struct fl_cache_option *option)
{
    return (uint8_t *)options + option->offset;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* "a|b|c": which one. */
static bool find_word(const char *words, const char *value, uint64_t *index)
{
    size_t size = strlen(value);

    for (uint64_t i = 0; *words; i++) {
        size_t length = strcspn(words, "|");

        if (length == size && memcmp(words, value, size) == 0) {
            *index = i;
            return true;
        }
        words += length + (words[length] == '|');
    }
    return false;
}

static uint32_t unit_shift(char unit)
{
    switch (unit) {
    case 'k':
    case 'K':
        return 10;
    case 'M':
        return 20;
    case 'G':
        return 30;
    default:
        return 0;
    }
}

static bool read_number(const struct fl_cache_option *option, const char *value, uint64_t *out)
{
    uint32_t shift = 0;
    char *end = NULL;

    if (*value < '0' || *value > '9')
        return false;
    errno = 0;
    *out = strtoull(value, &end, 10);
    if (option->type == FL_CACHE_OPTION_SIZE)
        shift = unit_shift(*end);
    if (errno != 0 || *out > UINT64_MAX >> shift || (shift > 0 ? end[1] : *end) != '\0')
        return false;
    *out <<= shift;
    return *out >= option->least && *out <= option->most;
}

static bool set(struct fl_cache_options *options, const struct fl_cache_option *option,
                const char *value, struct fl_cache_status *status)
{
    bool done = true;

    if (option->type == FL_CACHE_OPTION_TEXT) {
        memcpy(member(options, option), &value, sizeof(value));
        done = *value != '\0';
    } else if (option->type == FL_CACHE_OPTION_CHOICE) {
        done = find_word(option->argument, value, member(options, option));
    } else {
        done = read_number(option, value, member(options, option));
    }
    return done ||
           fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "option '--%s' needs %s, not '%s'",
                         option->name, option->argument, value);
}

/* ---- the command line ------------------------------------------------------------------------ */

static const struct fl_cache_option *find(const char *word, size_t size)
{
    for (size_t i = 0; i < fl_cache_option_count; i++) {
        if (strlen(fl_cache_options[i].name) == size &&
            memcmp(fl_cache_options[i].name, word, size) == 0)
            return &fl_cache_options[i];
    }
    return NULL;
}

/* One option, and its argument: behind '=' or the next word, to which *rest moves. */
static bool take(char ***rest, struct fl_cache_options *out, struct fl_cache_status *status)
{
    char *word = *(*rest)++;
    size_t size = strcspn(word, "=");
    const struct fl_cache_option *option =
        strncmp(word, "--", 2) == 0 ? find(word + 2, size - 2) : NULL;
    const char *value = word[size] ? word + size + 1 : NULL;

    if (!option)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "unknown option '%s'", word);
    if (option->type == FL_CACHE_OPTION_FLAG) {
        if (value)
            return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "option '--%s' takes no value",
                                 option->name);
        *(bool *)member(out, option) = true;
        return true;
    }
    if (!value)
        value = **rest ? *(*rest)++ : "";
    return set(out, option, value, status);
}

/* What only makes sense together. */
static bool check(const struct fl_cache_options *options, struct fl_cache_status *status)
{
    if (!options->certificate != !options->key)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                             "options '--cert' and '--key' need each other");
    if (options->authority && !options->certificate)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "option '--cacert' needs '--cert'");
    if (options->endpoint && strlen(options->endpoint) > FL_CACHE_ENDPOINT_MAX)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "option '--endpoint' is too long");
    return true;
}

bool fl_cache_options_parse(int argc, char **argv, struct fl_cache_options *out,
                            struct fl_cache_status *status)
{
    char **rest = argv + (argc > 0);

    *out = (struct fl_cache_options){.host = "127.0.0.1",
                                     .port = 9090,
                                     .body = FL_FLIGHT_ZSTD,
                                     .threads = 4,
                                     .max_calls = 256,
                                     .memory = (uint64_t)4 << 30};
    while (*rest) {
        if (!take(&rest, out, status))
            return false;
    }
    return check(out, status);
}

/* ---- help ------------------------------------------------------------------------------------ */

static void print_lines(FILE *out, const char *text, int column)
{
    while (*text) {
        size_t size = strcspn(text, "\n");

        (void)fprintf(out, "%*s%.*s\n", HELP_COLUMN - column, "", (int)size, text);
        text += size + (text[size] == '\n');
        column = 0;
    }
}

void fl_cache_options_help(FILE *out)
{
    (void)fprintf(out, "usage: flame-devcache [OPTION...]\n\n"
                       "An object cache for development and tests. Prints where it listens.\n\n");
    for (size_t i = 0; i < fl_cache_option_count; i++) {
        const struct fl_cache_option *option = &fl_cache_options[i];
        bool is_long = option->argument && strlen(option->argument) > 16;
        int column = fprintf(out, "  --%s%s%s", option->name, option->argument ? " " : "",
                             !option->argument ? ""
                             : is_long         ? "KIND"
                                               : option->argument);

        if (column > HELP_COLUMN - 2) {
            (void)putc('\n', out);
            column = 0;
        }
        print_lines(out, option->help, column);
    }
    (void)fprintf(out, "\nSIZE: 4096, 64k, 1M, 2G (units of 1024).\n");
}
