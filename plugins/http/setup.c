/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX 16384      /* bytes of one credential */
#define BUFFER_BYTES 524288L  /* measured best for libcurl's receive buffer */
#define CONNECT_SLACK_MS 1000 /* the host's clock shall be the first to ring */

static int32_t fail_memory(const struct fl_exchange *exchange)
{
    return flame_fail(exchange->host, exchange->err, FLAME_ERR_NO_MEMORY, "out of memory");
}

static int32_t invalid(const struct fl_exchange *exchange, const char *what)
{
    return exchange->host->fail(exchange->err, FLAME_ERR_INVALID, what);
}

/* ---- who we are ------------------------------------------------------------------------------ */

/* *found false = there is none for this place. */
static int32_t get_secret(struct fl_exchange *exchange, const char *name, const char *origin,
                          char *out, bool *found)
{
    uint64_t size = 0;
    int32_t status =
        exchange->host->secret_get(exchange->transfer, name, origin, out, SECRET_MAX - 1, &size);

    *found = status == FLAME_OK;
    if (status == FLAME_ERR_LIMIT)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID, "%s is too long", name);
    if (*found)
        out[size] = '\0';
    if (*found && strpbrk(out, "\r\n"))
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_INVALID,
                          "%s has a line end in it", name);
    return FLAME_OK;
}

static void use_basic(CURL *easy, char *secret, CURLoption user, CURLoption password)
{
    char *colon = strchr(secret, ':');

    if (colon)
        *colon = '\0';
    (void)curl_easy_setopt(easy, user, secret);
    (void)curl_easy_setopt(easy, password, colon ? colon + 1 : "");
}

static void use_netrc(const struct fl_exchange *exchange)
{
    const char *file = fl_http_option(exchange, FLAME_OPT_NET_NETRC);

    if (!file)
        return;
    (void)curl_easy_setopt(exchange->easy, CURLOPT_NETRC_FILE, file);
    (void)curl_easy_setopt(exchange->easy, CURLOPT_NETRC, (long)CURL_NETRC_REQUIRED);
}

static int32_t set_auth(struct fl_exchange *exchange, char *secret)
{
    const char *origin = exchange->request->origin;
    bool has_bearer = false;
    bool has_basic = false;
    int32_t status = get_secret(exchange, FLAME_SECRET_BEARER, origin, secret, &has_bearer);

    (void)curl_easy_setopt(exchange->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    if (status == FLAME_OK && has_bearer) {
        memmove(secret + 7, secret, strlen(secret) + 1);
        memcpy(secret, "Bearer ", 7);
        return fl_http_add_header(exchange, "Authorization", secret);
    }
    if (status == FLAME_OK)
        status = get_secret(exchange, FLAME_SECRET_BASIC, origin, secret, &has_basic);
    if (status == FLAME_OK && has_basic)
        use_basic(exchange->easy, secret, CURLOPT_USERNAME, CURLOPT_PASSWORD);
    else if (status == FLAME_OK)
        use_netrc(exchange);
    return status;
}

/* ---- how we get there ------------------------------------------------------------------------ */

/* The proxy is never taken from the environment. */
static int32_t set_proxy(struct fl_exchange *exchange, char *secret)
{
    const char *proxy = fl_http_option(exchange, FLAME_OPT_NET_PROXY);
    bool has_auth = false;
    int32_t status;

    (void)curl_easy_setopt(exchange->easy, CURLOPT_PROXY, proxy ? proxy : "");
    (void)curl_easy_setopt(exchange->easy, CURLOPT_NOPROXY, "");
    (void)curl_easy_setopt(exchange->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (!proxy || !*proxy)
        return FLAME_OK;
    if (strchr(proxy, '@'))
        return invalid(exchange, "the proxy's credentials belong into net.proxy_auth");
    if (!fl_http_is_proxy(proxy))
        return invalid(exchange, "net.proxy: not the url of a http, https or socks proxy");
    status = get_secret(exchange, FLAME_SECRET_PROXY, proxy, secret, &has_auth);
    if (status == FLAME_OK && has_auth)
        use_basic(exchange->easy, secret, CURLOPT_PROXYUSERNAME, CURLOPT_PROXYPASSWORD);
    return status;
}

/* Has libcurl read a part as the host did? */
struct part {
    CURLUPart part;
    const char *ours; /* NULL = the URL has none */
};

static CURLUcode compare_part(CURLU *url, const struct part *part)
{
    char *theirs = NULL;
    CURLUcode code = curl_url_get(url, part->part, &theirs, CURLU_DEFAULT_PORT);
    bool is_same = strcmp(code == CURLUE_OK ? theirs : "", part->ours ? part->ours : "") == 0;

    curl_free(theirs);
    if (code == CURLUE_OUT_OF_MEMORY)
        return code;
    return is_same ? CURLUE_OK : CURLUE_MALFORMED_INPUT;
}

/* The host has parsed the URL and judged what it read. libcurl parses it again (set part by part,
 * it would respell percent-encodings, and signatures would break): it must read the same. */
static CURLUcode compare_reading(const struct flame_request *request)
{
    CURLU *url = curl_url();
    char host[280];
    char port[8];
    const struct part parts[] = {
        {CURLUPART_SCHEME, request->scheme},
        {CURLUPART_USER, NULL},
        {CURLUPART_HOST, host},
        {CURLUPART_PORT, port},
        {CURLUPART_PATH, request->path},
        {CURLUPART_QUERY, request->query},
    };
    CURLUcode code;

    if (!url)
        return CURLUE_OUT_OF_MEMORY;
    (void)snprintf(host, sizeof(host), strchr(request->host, ':') ? "[%s]" : "%s", request->host);
    (void)snprintf(port, sizeof(port), "%u", request->port);
    code = curl_url_set(url, CURLUPART_URL, request->url, CURLU_PATH_AS_IS);
    for (size_t i = 0; code == CURLUE_OK && i < sizeof(parts) / sizeof(*parts); i++)
        code = compare_part(url, &parts[i]);
    curl_url_cleanup(url);
    return code;
}

static int32_t set_url(struct fl_exchange *exchange)
{
    CURLUcode code = compare_reading(exchange->request);

    if (code == CURLUE_OK) {
        if (curl_easy_setopt(exchange->easy, CURLOPT_URL, exchange->request->url) == CURLE_OK) {
            (void)curl_easy_setopt(exchange->easy, CURLOPT_PATH_AS_IS, 1L);
            return FLAME_OK;
        }
        code = CURLUE_OUT_OF_MEMORY; /* it only copies */
    }
    if (code == CURLUE_OUT_OF_MEMORY)
        return exchange->host->fail(exchange->err, FLAME_ERR_NO_MEMORY, "out of memory");
    return exchange->host->fail(exchange->err, FLAME_ERR_INVALID_URL,
                                "libcurl reads the url differently");
}

/* libcurl cannot read the answer to a PUT over HTTP/2 that came, with the end of the stream, before
 * all was sent; and one body alone gains nothing there. */
long fl_http_version(const struct fl_exchange *exchange)
{
    const char *version = fl_http_option(exchange, "http_version");
    bool is_free = !version || strcmp(version, "any") == 0;

    if ((version && strcmp(version, "1.1") == 0) || (is_free && exchange->method == FL_PUT))
        return CURL_HTTP_VERSION_1_1;
    if (version && strcmp(version, "2") == 0 && strcmp(exchange->request->scheme, "http") == 0)
        return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    return CURL_HTTP_VERSION_2TLS;
}

static void set_behaviour(struct fl_exchange *exchange)
{
    CURL *easy = exchange->easy;
    uint32_t connect_ms = exchange->request->connect_timeout_ms;
    const char *agent = fl_http_option(exchange, FLAME_OPT_NET_USER_AGENT);

    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* never wait for a slow resolver */
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, fl_http_version(exchange));
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error_text);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, agent ? agent : "flame-fetch");
    if (connect_ms < UINT32_MAX - CONNECT_SLACK_MS)
        (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                               (long)connect_ms + CONNECT_SLACK_MS);
    else
        (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)INT32_MAX);
}

/* ---- what we want ---------------------------------------------------------------------------- */

static void set_range(struct fl_exchange *exchange)
{
    const struct flame_request *request = exchange->request;
    struct fl_asked *asked = &exchange->asked;
    char range[64];

    asked->offset = request->offset;
    asked->length = asked->is_probe ? 1 : request->length;
    asked->for_range = asked->offset != 0 || asked->length != 0;
    if (!asked->for_range)
        return;
    if (asked->length != 0)
        (void)snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, asked->offset,
                       asked->offset + asked->length - 1);
    else
        (void)snprintf(range, sizeof(range), "%" PRIu64 "-", asked->offset);
    (void)curl_easy_setopt(exchange->easy, CURLOPT_RANGE, range);
}

static int32_t set_method(struct fl_exchange *exchange)
{
    exchange->asked.is_probe = exchange->method == FL_PROBE;
    exchange->asked.is_head = exchange->method == FL_HEAD || exchange->method == FL_PROBE;
    if (fl_http_changes(exchange))
        return fl_http_setup_sending(exchange);
    set_range(exchange);
    (void)curl_easy_setopt(exchange->easy, CURLOPT_NOBODY, exchange->method == FL_HEAD ? 1L : 0L);
    return FLAME_OK;
}

static int32_t set_credentials(struct fl_exchange *exchange)
{
    char *secret = malloc(SECRET_MAX + 8);
    int32_t status;

    if (!secret)
        return fail_memory(exchange);
    status = set_auth(exchange, secret);
    if (status == FLAME_OK)
        status = set_proxy(exchange, secret);
    explicit_bzero(secret, SECRET_MAX + 8);
    free(secret);
    return status;
}

int32_t fl_http_setup(struct fl_exchange *exchange)
{
    int32_t status = set_url(exchange);

    if (status == FLAME_OK)
        status = fl_http_add_headers(exchange);
    if (status == FLAME_OK)
        status = set_credentials(exchange);
    if (status == FLAME_OK)
        status = fl_http_setup_route(exchange);
    if (status == FLAME_OK)
        status = set_method(exchange);
    if (status != FLAME_OK)
        return status;
    set_behaviour(exchange);
    (void)curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
    return FLAME_OK;
}

void fl_http_clean(struct fl_exchange *exchange)
{
    for (struct curl_slist *at = exchange->headers; at; at = at->next)
        explicit_bzero(at->data, strlen(at->data));
    curl_slist_free_all(exchange->headers);
    curl_slist_free_all(exchange->resolve);
    curl_slist_free_all(exchange->connect_to);
    exchange->headers = exchange->resolve = exchange->connect_to = NULL;
}
