/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct meaning {
    CURLcode code;
    int32_t status;
    const char *text; /* NULL = libcurl's own words */
};

static const struct meaning meanings[] = {
    {CURLE_COULDNT_RESOLVE_HOST, FLAME_ERR_NETWORK, "the host's name could not be looked up"},
    {CURLE_COULDNT_RESOLVE_PROXY, FLAME_ERR_NETWORK, "the proxy's name could not be looked up"},
    {CURLE_COULDNT_CONNECT, FLAME_ERR_NETWORK, NULL},
    {CURLE_PROXY, FLAME_ERR_NETWORK, NULL},
    {CURLE_SEND_ERROR, FLAME_ERR_NETWORK, NULL},
    {CURLE_RECV_ERROR, FLAME_ERR_NETWORK, NULL},
    {CURLE_INTERFACE_FAILED, FLAME_ERR_NETWORK, NULL},
    {CURLE_OPERATION_TIMEDOUT, FLAME_ERR_TIMEOUT, NULL},
    {CURLE_PARTIAL_FILE, FLAME_ERR_TRUNCATED, NULL},
    {CURLE_HTTP2, FLAME_ERR_TRUNCATED, NULL},
    {CURLE_HTTP2_STREAM, FLAME_ERR_TRUNCATED, NULL},
    {CURLE_UNSUPPORTED_PROTOCOL, FLAME_ERR_PROTOCOL, "the answer is not http"},
    {CURLE_WEIRD_SERVER_REPLY, FLAME_ERR_PROTOCOL, NULL},
    {CURLE_SSL_CONNECT_ERROR, FLAME_ERR_TLS, NULL},
    {CURLE_SSL_CIPHER, FLAME_ERR_TLS, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, FLAME_ERR_TLS, NULL},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, FLAME_ERR_TLS, "the server's key is not the pinned one"},
    {CURLE_SETOPT_OPTION_SYNTAX, FLAME_ERR_INVALID, NULL}, /* an address of `resolve` */
    {CURLE_SSL_CERTPROBLEM, FLAME_ERR_INVALID,
     "the client certificate and key cannot be used, or do not belong together"},
    {CURLE_SSL_CACERT_BADFILE, FLAME_ERR_INVALID, NULL},
    {CURLE_SSL_ENGINE_NOTFOUND, FLAME_ERR_INVALID, NULL},
    {CURLE_UPLOAD_FAILED, FLAME_ERR_UNSUPPORTED,
     "the server speaks http/1.0, which takes no body of unknown size"},
    {CURLE_LOGIN_DENIED, FLAME_ERR_AUTH, NULL},
    {CURLE_OUT_OF_MEMORY, FLAME_ERR_NO_MEMORY, NULL},
};

/* X509_V_ERR_*, in words that say what to do. */
static const struct {
    long code;
    const char *text;
} certificate_faults[] = {
    {9, "the server's certificate is not valid yet; is the clock right?"},
    {10, "the server's certificate has expired; is the clock right?"},
    {18, "the server's certificate is self-signed"},
    {19, "the server's certificate is signed by an unknown authority"},
    {20, "the server's certificate is signed by an unknown authority"},
    {21, "the server's certificate is signed by an unknown authority"},
    {23, "the server's certificate was revoked"},
    {26, "the server's certificate is not made for servers"},
    {62, "the server's certificate is for another name"},
};

static const char *certificate_fault(struct fl_exchange *exchange)
{
    long result = 0;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_SSL_VERIFYRESULT, &result);
    if (strstr(exchange->error_text, "does not match target host name") ||
        strstr(exchange->error_text, "no alternative certificate subject name matches"))
        result = 62;
    if (result != 0)
        exchange->host->fail_detail(exchange->err, FLAME_DETAIL_X509, result);
    for (size_t i = 0; i < sizeof(certificate_faults) / sizeof(*certificate_faults); i++)
        if (certificate_faults[i].code == result)
            return certificate_faults[i].text;
    return NULL;
}

/* libcurl has one number for a broken connection and for broken chunks. */
static bool is_about_chunks(const struct fl_exchange *exchange)
{
    return strstr(exchange->error_text, "chunk") || strstr(exchange->error_text, "Chunk") ||
           strstr(exchange->error_text, "hexadecimal");
}

static bool is_in_head(const struct fl_exchange *exchange)
{
    return !exchange->is_judged;
}

/* What OpenSSL says of an alert or a fault, without its file and number; NULL = it says nothing. */
static const char *tls_words(const char *text)
{
    static const char marker[] = "SSL routines::";
    const char *at = strstr(text, marker);

    return at ? at + sizeof(marker) - 1 : NULL;
}

/* A sentence becomes a clause; a name ("OpenSSL") stays as it is. */
static void lower_first(char *message)
{
    size_t word = strcspn(message, " ");

    if (!isupper((unsigned char)message[0]))
        return;
    for (size_t i = 1; i < word; i++)
        if (isupper((unsigned char)message[i]))
            return;
    message[0] = (char)tolower((unsigned char)message[0]);
}

static int32_t say(struct fl_exchange *exchange, int32_t status, const char *text, CURLcode code)
{
    char message[CURL_ERROR_SIZE + 32];
    const char *words = exchange->error_text[0] ? exchange->error_text : curl_easy_strerror(code);
    const char *tls = tls_words(words);

    if (text || !tls)
        (void)snprintf(message, sizeof(message), "%s", text ? text : words);
    else
        (void)snprintf(message, sizeof(message), "tls: %s", tls);
    lower_first(message);
    return exchange->host->fail(exchange->err, status, message);
}

/* In TLS 1.3 the server judges us after the handshake: libcurl calls that a broken connection. */
static int32_t say_alert(struct fl_exchange *exchange, CURLcode code)
{
    bool wants_certificate = strstr(exchange->error_text, "certificate required") != NULL;

    return say(exchange, FLAME_ERR_TLS,
               wants_certificate ? "the server wants a client certificate" : NULL, code);
}

/* The proxy's answer to CONNECT, where that was no yes. */
static bool was_refused_by_proxy(const struct fl_exchange *exchange, long *answer)
{
    *answer = 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, answer);
    return *answer >= 300;
}

static int32_t say_proxy(struct fl_exchange *exchange, long answer, CURLcode code)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "the proxy answered %ld", answer);
    exchange->host->fail_detail(exchange->err, FLAME_DETAIL_HTTP, answer);
    return say(exchange, answer == 407 ? FLAME_ERR_AUTH : FLAME_ERR_REMOTE, text, code);
}

/* Numbers whose meaning depends on how far the reply had come. */
static bool say_by_place(struct fl_exchange *exchange, CURLcode code, int32_t *status)
{
    long answer;

    if (code == CURLE_GOT_NOTHING && *exchange->was_silent)
        *status = say(exchange, FLAME_ERR_PROTOCOL, "the server closed without an answer", code);
    else if (code == CURLE_GOT_NOTHING)
        *status = say(exchange, FLAME_ERR_TRUNCATED, "the reply ends inside its head", code);
    else if (code == CURLE_OUT_OF_MEMORY && is_in_head(exchange) && exchange->wire > 0)
        *status = say(exchange, FLAME_ERR_PROTOCOL, "a header line is too long", code);
    else if (code == CURLE_RECV_ERROR && is_about_chunks(exchange))
        *status = say(exchange, FLAME_ERR_PROTOCOL, "the server broke the chunked encoding", code);
    else if (code == CURLE_RECV_ERROR && tls_words(exchange->error_text))
        *status = say_alert(exchange, code);
    else if (code == CURLE_RECV_ERROR && was_refused_by_proxy(exchange, &answer))
        *status = say_proxy(exchange, answer, code);
    else
        return false;
    return true;
}

int32_t fl_http_fail_as(struct fl_exchange *exchange, int32_t status, const char *text,
                        CURLcode code)
{
    exchange->host->fail_detail(exchange->err, FLAME_DETAIL_CURL, code);
    return say(exchange, status, text, code);
}

int32_t fl_http_fail(struct fl_exchange *exchange, CURLcode code)
{
    const char *text = NULL;
    int32_t status;

    exchange->host->fail_detail(exchange->err, FLAME_DETAIL_CURL, code);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        text = certificate_fault(exchange);
    if (say_by_place(exchange, code, &status))
        return status;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
        if (meanings[i].code == code)
            return say(exchange, meanings[i].status, text ? text : meanings[i].text, code);
    return say(exchange, FLAME_ERR_PROTOCOL, NULL, code);
}
