/* SPDX-License-Identifier: Apache-2.0 */
#include "headers.h"

#include "secrets.h"

#include <string.h>

/* `line` is cut into pieces. Names and values are judged by the library. */
static int32_t add_line(struct cli_list *headers, char *line, struct flame_error *err)
{
    char *colon = strchr(line, ':');
    char *value;
    size_t size;

    if (!colon)
        return cli_fail(err, FLAME_ERR_INVALID, "option '--header' needs 'Name: value'");
    *colon = '\0';
    value = colon + 1 + strspn(colon + 1, " \t");
    for (size = strlen(value); size > 0 && strchr(" \t\r", value[size - 1]); size--)
        value[size - 1] = '\0';
    return cli_list_add_pair(headers, line, value, err);
}

int32_t cli_headers_add(struct cli_list *headers, const struct cli_option *option, const char *text,
                        struct flame_error *err)
{
    char *lines = NULL;
    char *rest;
    int32_t status = cli_secret_text(option, text, &lines, err);

    rest = lines;
    while (status == FLAME_OK && text[0] == '@' && rest && *rest) {
        char *line = strsep(&rest, "\n");

        if (line[strspn(line, " \t\r")] != '\0')
            status = add_line(headers, line, err);
    }
    if (status == FLAME_OK && text[0] != '@')
        status = add_line(headers, lines, err);
    cli_wipe_free(lines);
    return status;
}
