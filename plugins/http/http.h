/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the http plugin: one request and its reply over libcurl.
 *
 * http.c has the slots; setup.c, route.c and tls.c turn a request into the options of an easy
 * handle; run.c drives it, with the callbacks that take head and body; framing.c judges; error.c
 * puts libcurl's failures into ours; pool.c keeps handles with their connections. One thread drives
 * one exchange; the pool has a lock of its own. */
#ifndef FL_HTTP_HTTP_H
#define FL_HTTP_HTTP_H

#include "framing.h"

#include <curl/curl.h>

struct fl_http_pool;

struct flame_instance {
    const struct flame_host *host;
    const struct flame_net_policy *policy; /* NULL = this host has none */
    struct fl_http_pool *pool;
};

/* One request on its way. */
struct fl_exchange {
    struct flame_instance *instance;
    const struct flame_host *host;
    const struct flame_request *request;
    struct flame_transfer *transfer;
    struct flame_error *err;
    CURL *easy;
    bool *was_silent; /* of the handle: its connection ended without a byte from the server */

    struct curl_slist *headers;    /* may hold secrets: wiped */
    struct curl_slist *resolve;    /* option `resolve` */
    struct curl_slist *connect_to; /* option `connect_to` */

    struct fl_asked asked;
    struct fl_head head;
    struct fl_verdict verdict;
    bool is_judged;    /* the final head was; `verdict` counts */
    int32_t refused;   /* the host said no: what it said; OK = it did not */
    uint64_t received; /* body bytes given to the host */
    uint64_t drained;  /* body bytes nobody wants */
    uint64_t wire;     /* bytes of head and body */
    char validator[FL_VALIDATOR_MAX];
    char error_text[CURL_ERROR_SIZE];
};

/* setup.c: everything but TLS; asks route.c. Fails with INVALID, NO_MEMORY. */
int32_t fl_http_setup(struct fl_exchange *exchange, bool is_head);
/* Free and wipe what setup made; the handle is reset by the pool. */
void fl_http_clean(struct fl_exchange *exchange);

/* route.c: where to connect instead of the url's host. Fails with INVALID, NO_MEMORY. */
int32_t fl_http_setup_route(struct fl_exchange *exchange);
/* Is that the url of a proxy as libcurl reads it? A bare "host:port" is one, for http. */
bool fl_http_is_proxy(const char *url);

/* tls.c. Fails with INVALID. */
int32_t fl_http_setup_tls(struct fl_exchange *exchange);

/* run.c: install the callbacks; drive `multi` to the end. Returns the slot's status. */
void fl_http_listen(struct fl_exchange *exchange);
int32_t fl_http_run(struct fl_exchange *exchange, CURLM *multi);

/* error.c: state what libcurl's result means; returns the status. */
int32_t fl_http_fail(struct fl_exchange *exchange, CURLcode code);

/* The value of an option, or NULL. */
static inline const char *fl_http_option(const struct fl_exchange *exchange, const char *name)
{
    return exchange->host->option_get(exchange->host, exchange->transfer, name);
}

#endif
