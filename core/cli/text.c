/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void cli_cleanup_text(char **text)
{
    free(*text);
}

void cli_cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

char *cli_take(char **text)
{
    char *taken = *text;

    *text = NULL;
    return taken;
}

char *cli_format(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int size;

    va_start(args, format);
    size = vasprintf(&text, format, args);
    va_end(args);
    return size < 0 ? NULL : text;
}

int32_t cli_fail(struct flame_error *err, int32_t status, const char *format, ...)
{
    char message[sizeof(err->message)];
    cli_auto_text char *safe = NULL;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    safe = cli_escaped(message);
    err->status = status;
    (void)snprintf(err->message, sizeof(err->message), "%s", safe ? safe : "out of memory");
    return status;
}

int32_t cli_fail_memory(struct flame_error *err)
{
    return cli_fail(err, FLAME_ERR_NO_MEMORY, "out of memory");
}

/* ---- harmless text --------------------------------------------------------------------------- */

/* The character at `s` and its length; 0 where no valid one begins. */
static size_t read_character(const unsigned char *s, uint32_t *code)
{
    size_t length = 2 + (s[0] >= 0xe0) + (s[0] >= 0xf0);

    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    }
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    *code = s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        *code = *code << 6 | (s[i] & 0x3fu);
    }
    if ((length == 3 && *code < 0x800) || (length == 4 && *code < 0x10000))
        return 0;
    return *code > 0x10ffff || *code >> 11 == 0x1b ? 0 : length;
}

/* Does it move the cursor, or reorder or hide the text around it? */
static bool is_printable(uint32_t code)
{
    static const uint32_t unwanted[][2] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
    };

    for (size_t i = 0; i < sizeof(unwanted) / sizeof(*unwanted); i++)
        if (code >= unwanted[i][0] && code <= unwanted[i][1])
            return false;
    return true;
}

char *cli_escaped(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    char *out = malloc(strlen(text) * 4 + 1);
    char *end = out;

    while (out && *at) {
        uint32_t code = 0;
        size_t length = read_character(at, &code);

        if (length > 0 && is_printable(code)) {
            end = mempcpy(end, at, length);
            at += length;
        } else {
            end += sprintf(end, "\\x%02x", *at++);
        }
    }
    if (out)
        *end = '\0';
    return out;
}

bool cli_is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        uint32_t code;
        size_t length = read_character(at, &code);

        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

/* ---- numbers --------------------------------------------------------------------------------- */

char *cli_time_text(int64_t since_1970_ns)
{
    int64_t nanoseconds = since_1970_ns % 1000000000;
    time_t seconds = since_1970_ns / 1000000000 - (nanoseconds < 0);
    struct tm parts;
    char text[64];

    nanoseconds += nanoseconds < 0 ? 1000000000 : 0;
    if (!gmtime_r(&seconds, &parts) ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return NULL;
    if (nanoseconds == 0)
        return cli_format("%sZ", text);
    return cli_format("%s.%09" PRId64 "Z", text, nanoseconds);
}

void cli_amount_text(uint64_t bytes, char *out)
{
    static const char units[] = " kMGTPE";
    double amount = (double)bytes;
    size_t unit = 0;

    while (amount >= 1000 && units[unit + 1]) {
        amount /= 1024;
        unit++;
    }
    if (unit == 0)
        (void)snprintf(out, CLI_AMOUNT_MAX, "%" PRIu64, bytes);
    else
        (void)snprintf(out, CLI_AMOUNT_MAX, "%.*f%c", amount < 10, amount, units[unit]);
}

bool cli_number(const char *text, uint64_t most, uint64_t *out)
{
    uint64_t number = 0;

    for (const char *at = text; *at; at++) {
        if (*at < '0' || *at > '9' || number > most / 10)
            return false;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    if (!*text || number > most)
        return false;
    *out = number;
    return true;
}

/* ---- lists ----------------------------------------------------------------------------------- */

void cli_wipe_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

int32_t cli_list_add(struct cli_list *list, const char *text, struct flame_error *err)
{
    char *copy = strdup(text);
    char **grown = copy ? realloc(list->items, (list->count + 2) * sizeof(*grown)) : NULL;

    if (!grown) {
        cli_wipe_free(copy);
        return cli_fail_memory(err);
    }
    list->items = grown;
    grown[list->count++] = copy;
    grown[list->count] = NULL;
    return FLAME_OK;
}

int32_t cli_list_add_pair(struct cli_list *list, const char *name, const char *value,
                          struct flame_error *err)
{
    int32_t status = cli_list_add(list, name, err);

    return status == FLAME_OK ? cli_list_add(list, value, err) : status;
}

static char **find_value(struct cli_list *list, const char *name)
{
    for (size_t i = 0; i + 1 < list->count; i += 2)
        if (strcmp(list->items[i], name) == 0)
            return &list->items[i + 1];
    return NULL;
}

static int32_t replace(char **old, char *text, struct flame_error *err)
{
    if (!text)
        return cli_fail_memory(err);
    cli_wipe_free(*old);
    *old = text;
    return FLAME_OK;
}

int32_t cli_list_set(struct cli_list *list, const char *name, const char *value,
                     struct flame_error *err)
{
    char **old = find_value(list, name);

    return old ? replace(old, strdup(value), err) : cli_list_add_pair(list, name, value, err);
}

int32_t cli_list_join(struct cli_list *list, const char *name, const char *value,
                      struct flame_error *err)
{
    char **old = find_value(list, name);

    return old ? replace(old, cli_format("%s %s", *old, value), err)
               : cli_list_add_pair(list, name, value, err);
}

const char *const *cli_list_get(const struct cli_list *list)
{
    return (const char *const *)list->items;
}

void cli_list_done(struct cli_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        cli_wipe_free(list->items[i]);
    free(list->items);
    *list = (struct cli_list){0};
}
