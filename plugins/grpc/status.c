/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <ctype.h>
#include <string.h>

#define UNAVAILABLE 14

/* What a server's word means. */
struct meaning {
    int32_t status;
    int8_t is_passing; /* 1 = another try may find it otherwise; -1 = as the status says */
    const char *text;  /* stands before the server's own words */
};

/* By number (grpc/statuscodes.md). */
static const struct meaning meanings[] = {
    {FLAME_OK, -1, ""},
    {FLAME_ERR_REMOTE, 1, "the server cancelled the call"},
    {FLAME_ERR_REMOTE, -1, "the server failed"},
    {FLAME_ERR_REMOTE, -1, "the server refused the request"},
    {FLAME_ERR_BUSY, -1, "the server ran out of time"},
    {FLAME_ERR_NOT_FOUND, -1, "not found"},
    {FLAME_ERR_EXISTS, -1, "already exists"},
    {FLAME_ERR_AUTH, -1, "the server denied permission"},
    {FLAME_ERR_BUSY, -1, "the server ran out of something"},
    {FLAME_ERR_REMOTE, -1, "the server refused the request in its present state"},
    {FLAME_ERR_REMOTE, 1, "the server gave the request up"},
    {FLAME_ERR_RANGE, -1, "out of range"},
    {FLAME_ERR_UNSUPPORTED, -1, "the server does not know how to do this"},
    {FLAME_ERR_REMOTE, 1, "the server failed"},
    {FLAME_ERR_BUSY, -1, "the server is not available"},
    {FLAME_ERR_REMOTE, -1, "the server has lost data"},
    {FLAME_ERR_AUTH, -1, "the server wants credentials"},
};

static int32_t fail_remote(const struct fl_grpc_exchange *exchange, const struct fl_grpc_end *end)
{
    size_t known = sizeof(meanings) / sizeof(*meanings);
    size_t code = end->code > 0 && (size_t)end->code < known ? (size_t)end->code : 2;
    const struct meaning *meaning = &meanings[code];

    exchange->host->fail_detail(exchange->err, FLAME_DETAIL_GRPC, end->code);
    if (meaning->is_passing == 1)
        exchange->host->fail_detail(exchange->err, FLAME_DETAIL_RETRYABLE, 1);
    return flame_fail(exchange->host, exchange->err, meaning->status, "%s (grpc status %d)%s%s",
                      meaning->text, end->code, *end->details ? ": " : "", end->details);
}

/* ---- the connection -------------------------------------------------------------------------- */

/* Some words of gRPC's own, and what they mean. */
static const struct {
    const char *words;
    int32_t status;
    const char *text; /* NULL = gRPC's own */
} signs[] = {
    {"keepalive watchdog timeout", FLAME_ERR_TIMEOUT,
     "the server does not answer any more (keepalive)"},
    {"Too many pings", FLAME_ERR_BUSY, "the server minds keepalive pings: raise 'keepalive'"},
    {"too_many_pings", FLAME_ERR_BUSY, "the server minds keepalive pings: raise 'keepalive'"},
    {"http1.x server", FLAME_ERR_PROTOCOL, "the server speaks http/1, not grpc"},
    {"before receiving SETTINGS", FLAME_ERR_TIMEOUT, "the server did not speak http/2 in time"},
    {"tcp handshaker shutdown", FLAME_ERR_TIMEOUT, "the connection did not come about in time"},
    {"timed out", FLAME_ERR_TIMEOUT, NULL},
    {"certificate verify failed", FLAME_ERR_TLS,
     "the server's certificate is not trusted: of an unknown authority, or out of date"},
    {"not in peer certificate", FLAME_ERR_TLS, "the server's certificate is for another name"},
    {"wrong version number", FLAME_ERR_TLS, "the server does not speak tls there"},
    {"andshake", FLAME_ERR_TLS, NULL},
    {"Buffers full", FLAME_ERR_LIMIT, "a message is over the limit (message_max)"},
};

/* Of "... last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to ..." only the end tells much. */
static const char *core_of(const char *details)
{
    static const char last[] = "last error: ";
    const char *at = strstr(details, last);
    size_t word;

    at = at ? at + sizeof(last) - 1 : details;
    word = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    if (word > 0 && strncmp(at + word, ": ", 2) == 0)
        at += word + 2;
    if (strncmp(at, "ipv4:", 5) == 0 || strncmp(at, "ipv6:", 5) == 0) {
        const char *colon = strstr(at, ": ");

        at = colon ? colon + 2 : at;
    }
    return *at ? at : "no reason given";
}

static int32_t say(const struct fl_grpc_exchange *exchange, int32_t status, const char *before,
                   const char *words)
{
    bool is_acronym = isupper((unsigned char)words[0]) && isupper((unsigned char)words[1]);
    char first = is_acronym ? words[0] : (char)tolower((unsigned char)words[0]);

    return flame_fail(exchange->host, exchange->err, status, "%s%c%s", before, first, words + 1);
}

/* false = no sign is known. */
static bool say_sign(const struct fl_grpc_exchange *exchange, const char *details, int32_t *status)
{
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
        if (!strstr(details, signs[i].words))
            continue;
        *status =
            say(exchange, signs[i].status, "", signs[i].text ? signs[i].text : core_of(details));
        return true;
    }
    return false;
}

/* How it sounds depends on what was on its way. */
static bool is_hung_up(const char *details)
{
    return strstr(details, "Socket closed") || strstr(details, "reset by peer") ||
           strstr(details, "Broken pipe");
}

int32_t fl_grpc_fail_connect(const struct fl_grpc_exchange *exchange, const char *details)
{
    int32_t status;

    if (say_sign(exchange, details, &status))
        return status;
    if (!is_hung_up(details))
        return say(exchange, FLAME_ERR_NETWORK, "", core_of(details));
    if (fl_grpc_is_secure(exchange))
        return fl_grpc_fail(exchange, FLAME_ERR_NETWORK,
                            "the server closed the connection: it may want a client certificate");
    return fl_grpc_fail(exchange, FLAME_ERR_NETWORK,
                        "the server closed the connection: it may want tls (grpcs)");
}

int32_t fl_grpc_fail_end(struct fl_grpc_exchange *exchange, const struct fl_grpc_end *end,
                         bool is_begun)
{
    int32_t status;

    if (end->is_from_peer)
        return fail_remote(exchange, end);
    exchange->must_repeat = exchange->may_repeat && !exchange->is_answered;
    if (exchange->must_repeat)
        return FLAME_ERR_NETWORK;
    if (say_sign(exchange, end->details, &status))
        return status;
    exchange->host->fail_detail(exchange->err, FLAME_DETAIL_RETRYABLE, 1);
    if (end->code != UNAVAILABLE)
        return say(exchange, FLAME_ERR_PROTOCOL, "the server broke off: ", core_of(end->details));
    return say(exchange, is_begun ? FLAME_ERR_TRUNCATED : FLAME_ERR_NETWORK,
               "the connection was lost: ", core_of(end->details));
}
