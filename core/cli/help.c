/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <string.h>

#define HELP_COLUMN 32

/* "-o, --output FILE"; returns its width. */
static int print_option(FILE *out, const struct cli_option *option)
{
    char letter[] = "-x, ";

    letter[1] = option->letter;
    return fprintf(out, "  %s--%s%s%s", option->letter ? letter : "    ", option->name,
                   option->argument ? " " : "", option->argument ? option->argument : "");
}

void cli_help_option(FILE *out, const struct cli_option *option)
{
    const char *line = option->help;
    int width = print_option(out, option);

    if (width > HELP_COLUMN - 2) {
        (void)putc('\n', out);
        width = 0;
    }
    while (line) {
        const char *end = strchr(line, '\n');

        (void)fprintf(out, "%*s%.*s\n", HELP_COLUMN - width, "",
                      (int)(end ? end - line : (long)strlen(line)), line);
        line = end ? end + 1 : NULL;
        width = 0;
    }
    if (option->choices)
        (void)fprintf(out, "%*s%s\n", HELP_COLUMN, "", option->choices);
}

void cli_help_usage(FILE *out, uint32_t verbs)
{
    const char *lead = "usage:";

    for (size_t i = 0; i < CLI_VERB_COUNT; i++) {
        if (!(verbs & 1u << i))
            continue;
        (void)fprintf(out, "%s flame-fetch %s [OPTION...]%s%s\n", lead,
                      i == CLI_GET ? "[get]" : cli_verbs[i].name, cli_verbs[i].words[0] ? " " : "",
                      cli_verbs[i].words);
        lead = "      ";
    }
    (void)fprintf(out, "\n");
    for (size_t i = 0; i < CLI_VERB_COUNT; i++)
        if (verbs & 1u << i)
            (void)fprintf(out, "  %-10s %s\n", cli_verbs[i].name, cli_verbs[i].help);
}

void cli_help_print(FILE *out, const struct cli_args *args)
{
    uint32_t verbs = args->has_verb ? 1u << args->verb : UINT32_MAX;

    cli_help_usage(out, verbs);
    (void)fprintf(out, "\n");
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++)
        if (cli_options[i].verbs & verbs)
            cli_help_option(out, &cli_options[i]);
    (void)fprintf(out, "\nTIME: 30, 30s, 500ms, 2m, 1h. SIZE: 4096, 64k, 1G (units of 1024).\n");
    if (!args->has_verb)
        (void)fprintf(out, "context, publish and objects have options of their own: "
                           "flame-fetch VERB --help\n");
}
