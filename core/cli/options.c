/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdlib.h>
#include <string.h>

/* What is still to be read, and where it goes. */
struct reader {
    char **rest; /* NULL-terminated */
    struct cli_args *args;
    struct flame_error *err;
};

static bool is_one_of(const char *choices, const char *value)
{
    size_t size = strlen(value);

    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strcspn(at, "|") == size && strncmp(at, value, size) == 0)
            return true;
    return false;
}

/* An empty name would become the working directory, or the root: a variable that was not set. For
 * --config it means none, and what is wrong with an empty --output is said with its url. */
static bool names_place(const struct cli_option *option)
{
    bool is_file = strcmp(option->argument, "FILE") == 0 && option != &cli_options[CLI_OUTPUT] &&
                   option != &cli_options[CLI_CONFIG_FILE];

    return is_file || strcmp(option->argument, "DIR") == 0;
}

int32_t cli_args_add(struct cli_args *args, const struct cli_option *option, char *value,
                     struct flame_error *err)
{
    struct cli_given *grown;

    if (value && value[0] == '\0' && option->argument && names_place(option))
        return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' needs %s", option->name,
                        option->argument);
    if (value && option->choices && !is_one_of(option->choices, value))
        return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' must be %s, not '%s'", option->name,
                        option->choices, value);
    grown = realloc(args->given, (args->given_count + 1) * sizeof(*grown));
    if (!grown)
        return cli_fail_memory(err);
    args->given = grown;
    grown[args->given_count++] = (struct cli_given){option, value};
    return FLAME_OK;
}

int32_t cli_args_add_word(struct cli_args *args, char *word, struct flame_error *err)
{
    char **grown = realloc(args->words, (args->word_count + 1) * sizeof(*grown));

    if (!grown)
        return cli_fail_memory(err);
    args->words = grown;
    grown[args->word_count++] = word;
    return FLAME_OK;
}

static int32_t add_given(struct reader *reader, const struct cli_option *option, char *value)
{
    return cli_args_add(reader->args, option, value, reader->err);
}

/* The argument of an option: what stands behind it in the same word, else the next word. */
static int32_t add_with_argument(struct reader *reader, const struct cli_option *option,
                                 char *attached)
{
    char *value = attached ? attached : *reader->rest;

    if (!value)
        return cli_fail(reader->err, FLAME_ERR_INVALID, "option '--%s' needs %s", option->name,
                        option->argument);
    reader->rest += attached == NULL;
    return add_given(reader, option, value);
}

static int32_t read_long(struct reader *reader, char *word)
{
    size_t size = strcspn(word, "=");
    char *attached = word[size] ? word + size + 1 : NULL;

    for (size_t i = 0; i < CLI_OPTION_COUNT; i++) {
        const struct cli_option *option = &cli_options[i];

        if (strlen(option->name) != size || strncmp(option->name, word, size) != 0)
            continue;
        if (option->argument)
            return add_with_argument(reader, option, attached);
        if (attached)
            return cli_fail(reader->err, FLAME_ERR_INVALID, "option '--%s' takes no value",
                            option->name);
        return add_given(reader, option, NULL);
    }
    return cli_fail(reader->err, FLAME_ERR_INVALID, "unknown option '--%.*s'", (int)size, word);
}

static const struct cli_option *find_letter(char letter)
{
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++)
        if (cli_options[i].letter == letter)
            return &cli_options[i];
    return NULL;
}

/* "-qo FILE", "-oFILE" */
static int32_t read_letters(struct reader *reader, char *word)
{
    for (; *word; word++) {
        const struct cli_option *option = find_letter(*word);
        int32_t status;

        if (!option)
            return cli_fail(reader->err, FLAME_ERR_INVALID, "unknown option '-%c'", *word);
        if (option->argument && !option->letter_means)
            return add_with_argument(reader, option, word[1] ? word + 1 : NULL);
        status = add_given(reader, option, (char *)(uintptr_t)option->letter_means);
        if (status != FLAME_OK)
            return status;
    }
    return FLAME_OK;
}

static int32_t read_word(struct reader *reader, char *word, bool *only_words)
{
    if (*only_words || word[0] != '-' || word[1] == '\0')
        return cli_args_add_word(reader->args, word, reader->err);
    if (word[1] != '-')
        return read_letters(reader, word + 1);
    if (word[2])
        return read_long(reader, word + 2);
    *only_words = true;
    return FLAME_OK;
}

/* The first word is the verb, or the first url. */
static void take_verb(struct cli_args *args)
{
    for (size_t i = 0; i < CLI_VERB_COUNT; i++) {
        if (strcmp(args->words[0], cli_verbs[i].name) != 0)
            continue;
        args->verb = (enum cli_verb)i;
        args->has_verb = true;
        args->word_count--;
        return;
    }
}

static int32_t read_all(struct reader *reader)
{
    struct cli_args *args = reader->args;
    bool only_words = false;
    bool is_first = true;
    int32_t status = FLAME_OK;

    while (status == FLAME_OK && *reader->rest && !cli_is_of_helper(args->verb)) {
        status = read_word(reader, *reader->rest++, &only_words);
        if (!is_first || args->word_count == 0)
            continue;
        is_first = false;
        take_verb(args);
    }
    return status;
}

bool cli_is_of_helper(enum cli_verb verb)
{
    return verb >= CLI_CONTEXT;
}

static int32_t check_verb(const struct cli_args *args, struct flame_error *err)
{
    for (size_t i = 0; i < args->given_count; i++)
        if (!(args->given[i].option->verbs & 1u << args->verb))
            return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' is not for '%s'",
                            args->given[i].option->name, cli_verbs[args->verb].name);
    return FLAME_OK;
}

int32_t cli_args_parse(int argc, char **argv, struct cli_args *out, struct flame_error *err)
{
    struct reader reader = {.rest = argv + (argc > 0), .args = out, .err = err};
    int32_t status;

    *out = (struct cli_args){.verb = CLI_GET};
    status = read_all(&reader);
    if (status != FLAME_OK || cli_is_of_helper(out->verb))
        return status;
    return check_verb(out, err);
}

void cli_args_done(struct cli_args *args)
{
    free(args->given);
    free(args->words);
    *args = (struct cli_args){.verb = CLI_GET};
}

bool cli_is_given(const struct cli_args *args, enum cli_option_id id)
{
    return cli_times_given(args, id) > 0;
}

uint32_t cli_times_given(const struct cli_args *args, enum cli_option_id id)
{
    uint32_t times = 0;

    for (size_t i = 0; i < args->given_count; i++)
        times += args->given[i].option == &cli_options[id];
    return times;
}

const char *cli_value(const struct cli_args *args, enum cli_option_id id)
{
    const char *value = NULL;

    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option == &cli_options[id])
            value = args->given[i].value;
    return value;
}
