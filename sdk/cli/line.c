/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include "help.h"
#include "secrets.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define ON_CONTEXT (1u << CLI_CONTEXT)
#define ON_PUBLISH (1u << CLI_PUBLISH)
#define ON_OBJECTS (1u << CLI_OBJECTS)
#define ON_ALL (ON_CONTEXT | ON_PUBLISH | ON_OBJECTS)
#define FIRST_CODE 0x100 /* getopt's value of the first row: above every letter */

static const struct cli_option own_options[SDK_OWN_COUNT] = {
    [SDK_FOR] = {.name = "for",
                 .argument = "URL",
                 .help = "with --json: what a transfer of URL gets from the context, in one\n"
                         "line, secrets among it; for programs"},
    [SDK_CONTEXT] = {.name = "context",
                     .argument = "NAME",
                     .help = "of the contexts in flame.yaml, this one"},
    [SDK_CONTEXT_FILE] = {.name = "context-file",
                          .argument = "FILE",
                          .help = "instead of ~/.flame/flame.yaml; '' is none"},
    [SDK_STORAGE] = {.name = "storage",
                     .argument = "URL",
                     .help = "a folder, instead of the context's package.storage or cache"},
    [SDK_ENDPOINT] = {.name = "endpoint",
                      .argument = "URL",
                      .help = "the cache, instead of the context's"},
    [SDK_PREFIX] = {.name = "prefix",
                    .help = "rm: everything in a session, APP/SESSION, or with APP/* in an\n"
                            "application"},
};

struct row {
    const struct cli_option *option;
    uint32_t verbs;
};

/* The order is that of the help. */
static const struct row rows[] = {
    {&own_options[SDK_STORAGE], ON_PUBLISH},  {&cli_options[CLI_OVERWRITE], ON_PUBLISH},
    {&own_options[SDK_ENDPOINT], ON_OBJECTS}, {&own_options[SDK_PREFIX], ON_OBJECTS},
    {&own_options[SDK_FOR], ON_CONTEXT},      {&own_options[SDK_CONTEXT], ON_ALL},
    {&own_options[SDK_CONTEXT_FILE], ON_ALL}, {&cli_options[CLI_CACERT], ON_ALL},
    {&cli_options[CLI_CERT], ON_ALL},         {&cli_options[CLI_KEY], ON_ALL},
    {&cli_options[CLI_OPTION], ON_ALL},       {&cli_options[CLI_PLUGIN_DIR], ON_ALL},
    {&cli_options[CLI_CONFIG_FILE], ON_ALL},  {&cli_options[CLI_NO_CONFIG], ON_ALL},
    {&cli_options[CLI_QUIET], ON_ALL},        {&cli_options[CLI_VERBOSE], ON_ALL},
    {&cli_options[CLI_PROGRESS], ON_PUBLISH}, {&cli_options[CLI_JSON], ON_ALL},
    {&cli_options[CLI_HELP], ON_ALL},         {&cli_options[CLI_VERSION], ON_ALL},
};

#define ROW_COUNT (sizeof(rows) / sizeof(*rows))

static bool is_own(const struct cli_option *option)
{
    return option >= own_options && option < own_options + SDK_OWN_COUNT;
}

/* ---- what getopt wants ----------------------------------------------------------------------- */

struct grammar {
    struct option names[ROW_COUNT + 1];
    char letters[2 * ROW_COUNT + 3];
};

/* '-': words come in their order, whatever POSIXLY_CORRECT says; ':': we say what is wrong. */
static void make_grammar(struct grammar *out)
{
    char *end = out->letters;

    *out = (struct grammar){0};
    *end++ = '-';
    *end++ = ':';
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const struct cli_option *option = rows[i].option;

        out->names[i] = (struct option){
            .name = option->name, .has_arg = option->argument != NULL, .val = FIRST_CODE + (int)i};
        if (option->letter)
            *end++ = option->letter;
        if (option->letter && option->argument)
            *end++ = ':';
    }
}

static const struct cli_option *option_of(int code)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (code == FIRST_CODE + (int)i || (code && code == rows[i].option->letter))
            return rows[i].option;
    return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A url is hidden where ps shows it: it may hold a password. */
static int32_t add_own(struct sdk_line *line, const struct cli_option *option, char *value,
                       struct flame_error *err)
{
    size_t id = (size_t)(option - own_options);
    char *copy = strdup(value ? value : "");

    if (!copy)
        return cli_fail_memory(err);
    cli_wipe_free(line->own[id]);
    line->own[id] = copy;
    if (value && !*value && id != SDK_CONTEXT_FILE)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' needs %s", option->name,
                        option->argument);
    if (value && strcmp(option->argument, "URL") == 0)
        line->args.had_secret |= cli_secret_hide_userinfo(value);
    return FLAME_OK;
}

/* getopt takes "--end" for "--endpoint": a script that relies on it breaks with the next option. */
static bool is_in_full(const struct cli_option *option, int code, char *const *argv)
{
    bool is_apart = option->argument && optarg == argv[optind - 1];
    const char *word = argv[optind - (is_apart ? 2 : 1)];

    return code < FIRST_CODE || strcspn(word + 2, "=") == strlen(option->name);
}

static int32_t fail_unknown(const char *word, struct flame_error *err)
{
    return cli_fail(err, FLAME_ERR_INVALID, "unknown option '%.*s'", (int)strcspn(word, "="), word);
}

static int32_t fail_wrong(int code, char *const *argv, struct flame_error *err)
{
    const struct cli_option *option = option_of(optopt);

    if (code == ':' && option)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' needs %s", option->name,
                        option->argument);
    if (option && !option->argument)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' takes no value", option->name);
    if (optopt && optopt < FIRST_CODE)
        return cli_fail(err, FLAME_ERR_INVALID, "unknown option '-%c'", optopt);
    return fail_unknown(argv[optind - 1], err);
}

static int32_t add(struct sdk_line *line, int code, char *const *argv, struct flame_error *err)
{
    const struct cli_option *option = option_of(code);

    if (code == 1)
        return cli_args_add_word(&line->args, optarg, err);
    if (!option)
        return fail_wrong(code, argv, err);
    if (!is_in_full(option, code, argv))
        return fail_unknown(argv[optind - (option->argument && optarg == argv[optind - 1] ? 2 : 1)],
                            err);
    return is_own(option) ? add_own(line, option, optarg, err)
                          : cli_args_add(&line->args, option, optarg, err);
}

static int32_t read_all(int argc, char **argv, struct sdk_line *line, struct flame_error *err)
{
    struct grammar grammar;
    int32_t status = FLAME_OK;
    int code;

    make_grammar(&grammar);
    opterr = 0;
    while (status == FLAME_OK &&
           (code = getopt_long(argc, argv, grammar.letters, grammar.names, NULL)) != -1)
        status = add(line, code, argv, err);
    for (; status == FLAME_OK && optind < argc; optind++)
        status = cli_args_add_word(&line->args, argv[optind], err);
    return status;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static bool takes(enum cli_verb verb, const struct cli_option *option)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].option == option)
            return (rows[i].verbs & 1u << verb) != 0;
    return false;
}

static int32_t fail_foreign(enum cli_verb verb, const struct cli_option *option,
                            struct flame_error *err)
{
    return cli_fail(err, FLAME_ERR_INVALID, "option '--%s' is not for '%s'", option->name,
                    cli_verbs[verb].name);
}

static int32_t check_options(const struct sdk_line *line, struct flame_error *err)
{
    const struct cli_args *args = &line->args;

    for (size_t i = 0; i < SDK_OWN_COUNT; i++)
        if (line->own[i] && !takes(args->verb, &own_options[i]))
            return fail_foreign(args->verb, &own_options[i], err);
    for (size_t i = 0; i < args->given_count; i++)
        if (!takes(args->verb, args->given[i].option))
            return fail_foreign(args->verb, args->given[i].option, err);
    return FLAME_OK;
}

static int32_t take_verb(struct cli_args *args, struct flame_error *err)
{
    const char *word = args->word_count > 0 ? args->words[0] : "";

    for (size_t i = 0; i < CLI_VERB_COUNT; i++) {
        if (!cli_is_of_helper((enum cli_verb)i) || strcmp(word, cli_verbs[i].name) != 0)
            continue;
        args->verb = (enum cli_verb)i;
        args->has_verb = true;
        args->word_count--;
        memmove(args->words, args->words + 1, args->word_count * sizeof(*args->words));
        return FLAME_OK;
    }
    if (cli_is_given(args, CLI_HELP) || cli_is_given(args, CLI_VERSION))
        return FLAME_OK;
    return cli_fail(err, FLAME_ERR_INVALID, "no verb of this program (try --help)");
}

int32_t sdk_line_parse(int argc, char **argv, struct sdk_line *out, struct flame_error *err)
{
    int32_t status;

    *out = (struct sdk_line){.args = {.verb = CLI_CONTEXT}};
    status = read_all(argc, argv, out, err);
    if (status == FLAME_OK)
        status = take_verb(&out->args, err);
    return status == FLAME_OK && out->args.has_verb ? check_options(out, err) : status;
}

void sdk_line_done(struct sdk_line *line)
{
    cli_args_done(&line->args);
    for (size_t i = 0; i < SDK_OWN_COUNT; i++)
        cli_wipe_free(line->own[i]);
    *line = (struct sdk_line){.args = {.verb = CLI_CONTEXT}};
}

void sdk_line_help(FILE *out, const struct sdk_line *line)
{
    uint32_t verbs = line->args.has_verb ? 1u << line->args.verb : ON_ALL;

    cli_help_usage(out, verbs);
    (void)fprintf(out, "\n");
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].verbs & verbs)
            cli_help_option(out, rows[i].option);
}
