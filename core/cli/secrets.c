/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include "location.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_BYTES_MAX ((size_t)1 << 20)

/* Read to the end, or one byte more than there may be. Returns the number read, -1 on failure. */
static ssize_t read_some(int fd, char *buffer, size_t capacity)
{
    size_t used = 0;

    while (used < capacity) {
        ssize_t got = read(fd, buffer + used, capacity - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

static int32_t cannot_read(const struct cli_option *option, const char *path, const char *reason,
                           struct flame_error *err)
{
    return cli_fail(err, FLAME_ERR_INVALID, "option '--%s': cannot read '%s': %s", option->name,
                    path, reason);
}

int32_t cli_secret_file(const struct cli_option *option, const char *path, char **out,
                        struct flame_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    cli_auto_fd int own_fd = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *buffer = NULL;
    ssize_t size;

    if (!is_stdin && own_fd < 0)
        return cannot_read(option, path, strerror(errno), err);
    /* Not a growing buffer: realloc() would leave copies behind. */
    buffer = malloc(SECRET_BYTES_MAX + 2);
    if (!buffer)
        return cli_fail_memory(err);
    size = read_some(is_stdin ? STDIN_FILENO : own_fd, buffer, SECRET_BYTES_MAX + 1);
    buffer[size < 0 ? 0 : size] = '\0';
    if (size >= 0 && (size_t)size <= SECRET_BYTES_MAX && strlen(buffer) == (size_t)size) {
        *out = buffer;
        return FLAME_OK;
    }
    cannot_read(option, path, size < 0 ? strerror(errno) : "not a text of at most 1 MiB", err);
    explicit_bzero(buffer, size < 0 ? 0 : (size_t)size);
    free(buffer);
    return err->status;
}

static void cut_line_end(char *text)
{
    size_t size = strlen(text);

    if (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    if (size > 0 && text[size - 1] == '\r')
        text[--size] = '\0';
}

int32_t cli_secret_text(const struct cli_option *option, const char *text, char **out,
                        struct flame_error *err)
{
    int32_t status;

    if (text[0] != '@') {
        char *copy = strdup(text);

        if (!copy)
            return cli_fail_memory(err);
        *out = copy;
        return FLAME_OK;
    }
    status = cli_secret_file(option, text + 1, out, err);
    if (status == FLAME_OK)
        cut_line_end(*out);
    return status;
}

bool cli_is_open_to_others(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode) &&
           (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

int32_t cli_secret_split(const char *url, char **plain, char **secret, struct flame_error *err)
{
    size_t size;
    const char *userinfo = cli_userinfo(url, &size);
    size_t decoded_size = 0;
    char *decoded = size > 0 ? cli_percent_decoded(userinfo, size, &decoded_size) : NULL;
    char *rest = size > 0 ? cli_format("%.*s%s", (int)(userinfo - url), url, userinfo + size + 1)
                          : strdup(url);

    if (rest && (decoded || size == 0)) {
        *plain = rest;
        *secret = decoded;
        return FLAME_OK;
    }
    free(rest);
    cli_wipe_free(decoded);
    return cli_fail_memory(err);
}

static void hide(char *text, size_t size)
{
    for (volatile char *at = text; size > 0; size--)
        *at++ = '*';
}

bool cli_secret_hide_userinfo(char *url)
{
    size_t size;
    const char *userinfo = cli_userinfo(url, &size);

    hide(url + (userinfo - url), size);
    return size > 0;
}

/* Those that carry credentials whoever the peer is. */
static bool is_secret_header(const char *line)
{
    static const char *const names[] = {"authorization", "proxy-authorization", "cookie",
                                        "x-api-key", "x-auth-token"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strncasecmp(line, names[i], strlen(names[i])) == 0 && line[strlen(names[i])] == ':')
            return true;
    return false;
}

static bool takes_url(const struct cli_option *option)
{
    return option->argument && strstr(option->argument, "URL");
}

/* A name with an '@' in it is no secret. */
static bool is_file_word(const struct cli_args *args, size_t index)
{
    return args->verb == CLI_VERIFY || args->verb == CLI_CLEAN || cli_is_of_helper(args->verb) ||
           (args->verb == CLI_PUT && index == 0);
}

bool cli_secrets_hide(const struct cli_args *args)
{
    bool found = false;

    for (size_t i = 0; i < args->given_count; i++) {
        const struct cli_option *option = args->given[i].option;
        char *value = args->given[i].value;
        bool is_secret = (option->effect == CLI_SECRET && value[0] != '@') ||
                         (option == &cli_options[CLI_HEADER] && is_secret_header(value));

        if (is_secret)
            hide(value, strlen(value));
        found = found || is_secret;
        if (takes_url(option) && (option == &cli_options[CLI_PROXY] || strstr(value, "://")))
            found = cli_secret_hide_userinfo(value) || found;
    }
    for (size_t i = 0; i < args->word_count; i++)
        if (!is_file_word(args, i))
            found = cli_secret_hide_userinfo(args->words[i]) || found;
    return found;
}
