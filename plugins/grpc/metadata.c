/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX 16384

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);

    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* What frames a call (RFC 9113, 8.2.2), or is gRPC's to say; a binary value would be encoded behind
 * our back. */
static bool is_theirs(const char *name)
{
    static const char *const names[] = {"te",
                                        "content-type",
                                        "content-length",
                                        "host",
                                        "user-agent",
                                        "connection",
                                        "keep-alive",
                                        "upgrade",
                                        "transfer-encoding",
                                        "proxy-connection"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "grpc-", 5) == 0 || ends_with(name, "-bin");
}

static bool is_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(name);
}

static bool is_value(const char *value)
{
    for (; *value; value++)
        if (*value < ' ' || *value > '~')
            return false;
    return true;
}

/* Both become the metadata's. */
static int32_t add(const struct fl_grpc_exchange *exchange, struct fl_grpc_metadata *metadata,
                   char *name, char *value)
{
    size_t at = metadata->count;

    if (!name || !value || at == FL_GRPC_METADATA_MAX) {
        if (value)
            explicit_bzero(value, strlen(value));
        free(value);
        free(name);
        return at == FL_GRPC_METADATA_MAX
                   ? fl_grpc_fail(exchange, FLAME_ERR_LIMIT, "there are too many headers")
                   : fl_grpc_fail_memory(exchange);
    }
    metadata->name[at] = name;
    metadata->value[at] = value;
    metadata->count++;
    return FLAME_OK;
}

static int32_t add_header(const struct fl_grpc_exchange *exchange,
                          struct fl_grpc_metadata *metadata, const char *name, const char *value)
{
    char *lower = strdup(name);

    for (char *at = lower; at && *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (lower && (is_theirs(lower) || !is_name(lower))) {
        free(lower);
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID,
                          "header '%s' cannot be set by the caller", name);
    }
    if (!is_value(value)) {
        free(lower);
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID,
                          "the value of header '%s' cannot be sent", name);
    }
    return add(exchange, metadata, lower, strdup(value));
}

/* ---- who we are ------------------------------------------------------------------------------ */

/* *has false = there is none. */
static int32_t get_secret(const struct fl_grpc_exchange *exchange, const char *name, char *out,
                          bool *has)
{
    uint64_t size = 0;
    int32_t status = exchange->host->secret_get(exchange->transfer, name, exchange->request->origin,
                                                out, SECRET_MAX - 1, &size);

    *has = status == FLAME_OK;
    if (status == FLAME_ERR_LIMIT)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID, "%s is too long", name);
    if (!*has)
        return FLAME_OK;
    out[size] = '\0';
    if (is_value(out) || strcmp(name, FLAME_SECRET_BASIC) == 0)
        return FLAME_OK;
    return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID, "%s cannot be sent", name);
}

static int32_t add_authorization(const struct fl_grpc_exchange *exchange,
                                 struct fl_grpc_metadata *metadata, const char *kind,
                                 const char *credentials)
{
    size_t size = strlen(kind) + strlen(credentials) + 1;
    char *value = malloc(size);

    if (value)
        (void)snprintf(value, size, "%s%s", kind, credentials);
    return add(exchange, metadata, strdup("authorization"), value);
}

static int32_t add_basic(const struct fl_grpc_exchange *exchange, struct fl_grpc_metadata *metadata,
                         const char *secret)
{
    size_t size = strlen(secret);
    size_t encoded_size = 4 * ((size + 2) / 3) + 1;
    char *encoded = malloc(encoded_size);
    int32_t status;

    if (!encoded)
        return fl_grpc_fail_memory(exchange);
    (void)EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)secret, (int)size);
    status = add_authorization(exchange, metadata, "Basic ", encoded);
    explicit_bzero(encoded, encoded_size);
    free(encoded);
    return status;
}

static int32_t add_identity(const struct fl_grpc_exchange *exchange,
                            struct fl_grpc_metadata *metadata, char *secret)
{
    bool has = false;
    int32_t status = get_secret(exchange, FLAME_SECRET_BEARER, secret, &has);

    if (status == FLAME_OK && has)
        return add_authorization(exchange, metadata, "Bearer ", secret);
    if (status == FLAME_OK)
        status = get_secret(exchange, FLAME_SECRET_BASIC, secret, &has);
    return status == FLAME_OK && has ? add_basic(exchange, metadata, secret) : status;
}

static bool has_authorization(const struct fl_grpc_metadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++)
        if (strcmp(metadata->name[i], "authorization") == 0)
            return true;
    return false;
}

int32_t fl_grpc_metadata_read(const struct fl_grpc_exchange *exchange,
                              struct fl_grpc_metadata *metadata)
{
    const char *const *headers = exchange->request->headers;
    char secret[SECRET_MAX];
    int32_t status = FLAME_OK;

    for (size_t i = 0; headers[i] && status == FLAME_OK; i += 2)
        status = add_header(exchange, metadata, headers[i], headers[i + 1]);
    if (status != FLAME_OK || has_authorization(metadata))
        return status;
    status = add_identity(exchange, metadata, secret);
    explicit_bzero(secret, sizeof(secret));
    return status;
}

void fl_grpc_metadata_done(struct fl_grpc_metadata *metadata)
{
    for (size_t i = 0; i < metadata->count; i++) {
        explicit_bzero(metadata->value[i], strlen(metadata->value[i]));
        free(metadata->value[i]);
        free(metadata->name[i]);
    }
    metadata->count = 0;
}
