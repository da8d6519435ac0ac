/* SPDX-License-Identifier: Apache-2.0 */
#include "request/secret.h"

#include <flame/plugin.h>

#include <nettle/base64.h>
#include <string.h>

#define SHORTEST 4       /* bytes; shorter secrets are found in every text */
#define SHORTEST_VALUE 8 /* of a query's value, which need not be a secret */
#define LONGEST_LOGIN 512

static const char mask[] = "***";

/* The text may have been cut in the middle of a secret. */
static void cut_out_tail(char *text, const char *secret, size_t size)
{
    size_t length = strlen(text);

    for (size_t part = size - 1 < length ? size - 1 : length; part >= SHORTEST; part--) {
        if (memcmp(text + length - part, secret, part) != 0)
            continue;
        memcpy(text + length - part, mask, sizeof(mask));
        return;
    }
}

/* Shrinks or keeps the text, so that it can be done in place. */
static void cut_out(char *text, const char *secret, size_t size)
{
    char *end = text + strlen(text);

    if (size < SHORTEST)
        return;
    for (char *at = text; (at = memmem(at, (size_t)(end - at), secret, size)) != NULL;) {
        memcpy(at, mask, sizeof(mask) - 1);
        at += sizeof(mask) - 1;
        memmove(at, at + size - (sizeof(mask) - 1), (size_t)(end - at) - size + sizeof(mask));
        end -= size - (sizeof(mask) - 1);
    }
    cut_out_tail(text, secret, size);
}

static void cut_out_text(char *text, const char *secret)
{
    if (secret)
        cut_out(text, secret, strlen(secret));
}

/* "user:password": as it is, the password alone, and as it is sent (RFC 7617 2). */
static void cut_out_login(char *text, const char *login)
{
    size_t size = login ? strlen(login) : 0;
    const char *password = login ? strchr(login, ':') : NULL;
    char sent[BASE64_ENCODE_RAW_LENGTH(LONGEST_LOGIN) + 1];

    cut_out_text(text, login);
    cut_out_text(text, password ? password + 1 : NULL);
    if (size == 0 || size > LONGEST_LOGIN)
        return;
    base64_encode_raw(sent, size, (const uint8_t *)login);
    cut_out(text, sent, BASE64_ENCODE_RAW_LENGTH(size));
    explicit_bzero(sent, sizeof(sent));
}

static void cut_out_secret(void *text, const char *name, const char *value)
{
    if (strcmp(name, FLAME_SECRET_BASIC) == 0 || strcmp(name, FLAME_SECRET_PROXY) == 0)
        cut_out_login(text, value);
    else
        cut_out_text(text, value);
}

/* The value, and what follows its scheme: "Bearer TOKEN" (RFC 9110 11.4). */
static void cut_out_header(char *text, const char *value)
{
    const char *credentials = strrchr(value, ' ');

    cut_out_text(text, value);
    cut_out_text(text, credentials ? credentials + 1 : NULL);
}

static void cut_out_value(char *text, const char *value, size_t size)
{
    char *decoded = NULL;

    if (size < SHORTEST_VALUE)
        return;
    cut_out(text, value, size);
    if (memchr(value, '%', size))
        decoded = fl_url_decode(value, size);
    cut_out_text(text, decoded);
    fl_wipe_free(decoded);
}

static void cut_out_query(char *text, const char *query)
{
    cut_out_text(text, query);
    for (const char *at = query; at && *at; at += *at == '&') {
        size_t size = strcspn(at, "&");
        const char *value = memchr(at, '=', size);

        if (value)
            cut_out_value(text, value + 1, size - (size_t)(value + 1 - at));
        at += size;
    }
}

void fl_secret_redact(const struct fl_task *task, const struct fl_config *config, char *text)
{
    const char *const *secrets = task->said.secrets;
    const char *const *headers = task->said.headers;

    for (size_t i = 0; secrets && secrets[i]; i += 2)
        cut_out_secret(text, secrets[i], secrets[i + 1]);
    for (size_t i = 0; headers && headers[i]; i += 2)
        cut_out_header(text, headers[i + 1]);
    cut_out_login(text, task->url.userinfo);
    cut_out_query(text, task->url.query);
    fl_config_each_secret(config, cut_out_secret, text);
}
