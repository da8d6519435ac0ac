/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the http plugin: one request and its reply over libcurl.
 *
 * http.c has the slots; setup.c, headers.c, route.c and tls.c turn a request into the options of an
 * easy handle; run.c drives it, with the callbacks that take head and body; send.c gives the body
 * of a PUT and says what came of it; framing.c judges; error.c puts libcurl's failures into ours;
 * pool.c keeps handles with their connections. One thread drives one exchange; the pool has a lock
 * of its own.
 *
 * stat asks by HEAD. Where the server refuses that with 403, 405 or 501 (a presigned URL is signed
 * for one method), it asks once more within the same call by GET for the first byte, which is not
 * delivered; if that does not work either, the answer to HEAD stands.
 *
 * store (PUT) and remove (DELETE) are sent once. libcurl may send again over a new connection what
 * it lost on an old one, but only as long as the peer cannot have seen all of it. A PUT goes over
 * HTTP/1.1 unless the option `http_version` says 2. */
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

enum fl_method { FL_GET, FL_HEAD, FL_PROBE, FL_PUT, FL_DELETE };

/* One request on its way. */
struct fl_exchange {
    enum fl_method method;
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
    bool may_defer;    /* leave a refusal of HEAD to be stated by the caller ... */
    bool is_deferred;  /* ... as was done */
    int32_t refused;   /* the host said no: what it said; OK = it did not */
    uint64_t received; /* body bytes given to the host */
    uint64_t drained;  /* body bytes nobody wants */
    uint64_t wire;     /* bytes of head and body that came */

    /* PUT and DELETE. */
    bool is_begun;          /* a connection is up, and the request about to be sent */
    bool is_repeat_refused; /* libcurl wanted to send again what may have arrived */
    bool is_source_ended;   /* libcurl was told that nothing follows */
    bool is_all_sent;       /* when the final head came */
    uint32_t proof;         /* of a verdict that is OK */
    uint64_t source_at;     /* the next byte that libcurl will get */
    uint64_t sent;          /* bytes of the body that left */
    long head_bytes;        /* of requests, before this one began */

    char validator[FL_VALIDATOR_MAX];
    char error_text[CURL_ERROR_SIZE];
};

/* Does the request change something at the peer? */
static inline bool fl_http_changes(const struct fl_exchange *exchange)
{
    return exchange->method == FL_PUT || exchange->method == FL_DELETE;
}

/* setup.c: everything but TLS. Fails with INVALID, NO_MEMORY, and as fl_http_setup_sending(). */
int32_t fl_http_setup(struct fl_exchange *exchange);
/* The CURL_HTTP_VERSION_* to ask for: a connection of another kind is of no use. */
long fl_http_version(const struct fl_exchange *exchange);
/* Free and wipe what setup made; the handle is reset by the pool. */
void fl_http_clean(struct fl_exchange *exchange);

/* headers.c: what the request and the caller want said. Fails with INVALID, UNSUPPORTED (a
 * condition that http cannot express), NO_MEMORY. */
int32_t fl_http_add_headers(struct fl_exchange *exchange);
int32_t fl_http_add_header(struct fl_exchange *exchange, const char *name, const char *value);
/* A line as libcurl wants it: "Name:" takes one of its own away. */
int32_t fl_http_add_line(struct fl_exchange *exchange, const char *line);

/* route.c: where to connect instead of the url's host. Fails with INVALID, NO_MEMORY. */
int32_t fl_http_setup_route(struct fl_exchange *exchange);
/* Is that the url of a proxy as libcurl reads it? A bare "host:port" is one, for http. */
bool fl_http_is_proxy(const char *url);

/* tls.c. Fails with INVALID. */
int32_t fl_http_setup_tls(struct fl_exchange *exchange);

/* run.c: install the callbacks; drive `multi` to the end. Returns the slot's status. */
void fl_http_listen(struct fl_exchange *exchange);
int32_t fl_http_run(struct fl_exchange *exchange, CURLM *multi);
/* State the verdict on the head, which is a failure; returns it. */
int32_t fl_http_refuse(struct fl_exchange *exchange);
int32_t fl_http_report_redirect(struct fl_exchange *exchange);
/* When the object was last changed, as the head says: sets MTIME and its flag. */
void fl_http_describe_time(const struct fl_exchange *exchange, struct flame_object *object);

/* send.c: the options of a PUT or DELETE. Fails with LIMIT, CHANGED (the source is longer than
 * it was), NO_MEMORY, and as source_read does. */
int32_t fl_http_setup_sending(struct fl_exchange *exchange);
/* A connection is up: false = the request was sent before, and must not be again. */
bool fl_http_begin_sending(struct fl_exchange *exchange);
/* Tell the host of bytes that left since it was told last. */
void fl_http_tell_sent(struct fl_exchange *exchange);
uint32_t fl_http_sending_phase(const struct fl_exchange *exchange);
/* The final head is here. OK, or what the host refuses a redirect with. */
int32_t fl_http_judge_sent(struct fl_exchange *exchange);
/* It is over, and the host has not refused. Returns the slot's status. */
int32_t fl_http_end_sending(struct fl_exchange *exchange, CURLcode code);

/* error.c: state what libcurl's result means; returns the status. */
int32_t fl_http_fail(struct fl_exchange *exchange, CURLcode code);
/* State `status`, with a text (NULL = libcurl's own words). */
int32_t fl_http_fail_as(struct fl_exchange *exchange, int32_t status, const char *text,
                        CURLcode code);

/* The value of an option, or NULL. */
static inline const char *fl_http_option(const struct fl_exchange *exchange, const char *name)
{
    return exchange->host->option_get(exchange->host, exchange->transfer, name);
}

#endif
