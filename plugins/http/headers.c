/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int32_t fail_memory(const struct fl_exchange *exchange)
{
    return exchange->host->fail(exchange->err, FLAME_ERR_NO_MEMORY, "out of memory");
}

/* What frames the message, or is ours to say. */
static bool is_ours(const char *name)
{
    static const char *const names[] = {"Host",       "Content-Length",  "Transfer-Encoding",
                                        "Connection", "Accept-Encoding", "Range",
                                        "If-Range",   "Expect",          "TE",
                                        "Trailer",    "Upgrade",         "Proxy-Connection",
                                        "Keep-Alive", "Content-Range"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

int32_t fl_http_add_line(struct fl_exchange *exchange, const char *line)
{
    struct curl_slist *grown = curl_slist_append(exchange->headers, line);

    if (!grown)
        return fail_memory(exchange);
    exchange->headers = grown;
    return FLAME_OK;
}

int32_t fl_http_add_header(struct fl_exchange *exchange, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 4;
    char *line = malloc(size);
    int32_t status;

    if (!line)
        return fail_memory(exchange);
    /* libcurl sends a header without a value only when it is spelled with ';' */
    (void)snprintf(line, size, *value ? "%s: %s" : "%s;%s", name, value);
    status = fl_http_add_line(exchange, line);
    explicit_bzero(line, size);
    free(line);
    return status;
}

static int32_t fail_validator(const struct fl_exchange *exchange)
{
    return exchange->host->fail(exchange->err, FLAME_ERR_INVALID,
                                "the validator is not one of this plugin's");
}

static int32_t add_callers_headers(struct fl_exchange *exchange)
{
    const char *const *headers = exchange->request->headers;
    int32_t status = FLAME_OK;

    for (size_t i = 0; headers[i] && status == FLAME_OK; i += 2) {
        if (is_ours(headers[i]))
            return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID,
                              "header '%s' cannot be set by the caller", headers[i]);
        if (strpbrk(headers[i + 1], "\r\n") || strpbrk(headers[i], "\r\n:; "))
            return exchange->host->fail(exchange->err, FLAME_ERR_INVALID, "a malformed header");
        status = fl_http_add_header(exchange, headers[i], headers[i + 1]);
    }
    return status;
}

static int32_t add_reading_condition(struct fl_exchange *exchange)
{
    const struct flame_request *request = exchange->request;
    const char *etag = fl_validator_etag(request->validator);
    const char *date = fl_validator_time(request->validator);

    if (request->condition == FLAME_WHEN_ALWAYS)
        return FLAME_OK;
    if (!etag && !date)
        return fail_validator(exchange);
    if (request->condition == FLAME_WHEN_SAME) {
        exchange->asked.etag = etag;
        return fl_http_add_header(exchange, "If-Range", etag ? etag : date);
    }
    exchange->asked.is_conditional = true;
    return etag ? fl_http_add_header(exchange, "If-None-Match", etag)
                : fl_http_add_header(exchange, "If-Modified-Since", date);
}

/* RFC 9110 13.1.1: a weak tag is equal to nothing under If-Match. */
static int32_t add_same(struct fl_exchange *exchange)
{
    const char *etag = fl_validator_etag(exchange->request->validator);
    const char *date = fl_validator_time(exchange->request->validator);

    if (etag && strncmp(etag, "W/", 2) == 0)
        return exchange->host->fail(exchange->err, FLAME_ERR_UNSUPPORTED,
                                    "a weak validator cannot guard what is there");
    if (etag)
        return fl_http_add_header(exchange, "If-Match", etag);
    return date ? fl_http_add_header(exchange, "If-Unmodified-Since", date)
                : fail_validator(exchange);
}

static int32_t add_changing_condition(struct fl_exchange *exchange)
{
    switch (exchange->request->condition) {
    case FLAME_WHEN_ALWAYS:
        return FLAME_OK;
    case FLAME_WHEN_SAME:
        return add_same(exchange);
    case FLAME_WHEN_ABSENT:
        if (exchange->method == FL_PUT)
            return fl_http_add_header(exchange, "If-None-Match", "*");
        /* fall through */
    default:
        return exchange->host->fail(exchange->err, FLAME_ERR_UNSUPPORTED,
                                    "http knows no such condition here");
    }
}

static int32_t add_own_headers(struct fl_exchange *exchange)
{
    int32_t status = fl_http_add_header(exchange, "Accept-Encoding", "identity");

    if (status == FLAME_OK && (exchange->request->flags & FLAME_REQUEST_FRESH))
        status = fl_http_add_header(exchange, "Cache-Control", "no-cache");
    if (status != FLAME_OK)
        return status;
    return fl_http_changes(exchange) ? add_changing_condition(exchange)
                                     : add_reading_condition(exchange);
}

int32_t fl_http_add_headers(struct fl_exchange *exchange)
{
    int32_t status = add_own_headers(exchange);

    return status == FLAME_OK ? add_callers_headers(exchange) : status;
}
