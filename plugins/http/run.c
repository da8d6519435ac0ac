/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_MAX 65536 /* bytes of an unwanted body that are read to keep the connection */
#define POLL_MS 1000

/* ---- connecting ------------------------------------------------------------------------------ */

static bool to_text(const struct curl_sockaddr *address, char *out, size_t capacity, uint32_t *port)
{
    const struct sockaddr_in *v4 = (const void *)&address->addr;
    const struct sockaddr_in6 *v6 = (const void *)&address->addr;

    if (address->family == AF_INET) {
        *port = ntohs(v4->sin_port);
        return inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)capacity) != NULL;
    }
    *port = ntohs(v6->sin6_port);
    return address->family == AF_INET6 &&
           inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)capacity) != NULL;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fl_exchange *exchange = data;
    const struct flame_net_policy *policy = exchange->instance->policy;
    char text[INET6_ADDRSTRLEN];
    uint32_t port = 0;

    (void)purpose;
    exchange->host->progress(exchange->transfer, FLAME_PHASE_CONNECT, exchange->wire);
    if (policy && address->family != AF_UNIX) {
        int32_t status = to_text(address, text, sizeof(text), &port)
                             ? policy->check(exchange->transfer, text, port)
                             : FLAME_ERR_POLICY;

        if (status != FLAME_OK) {
            exchange->refused = status;
            return CURL_SOCKET_BAD;
        }
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The connection's last word: has the server said anything at all? A stream of http/2 may end while
 * its connection goes on. A connection outlives its exchange, so the answer goes into its handle.
 */
static int close_socket(void *data, curl_socket_t socket_fd)
{
    bool *was_silent = data;
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    /* The FIN counts as one. A socket of another family does not say: then it was silent. */
    *was_silent = getsockopt(socket_fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
                  info.tcpi_bytes_received <= 1;
    return close(socket_fd);
}

static CURLcode begin_handshake(CURL *easy, void *context, void *data)
{
    struct fl_exchange *exchange = data;

    (void)easy;
    (void)context;
    exchange->host->progress(exchange->transfer, FLAME_PHASE_SECURE, exchange->wire);
    return CURLE_OK;
}

static int begin_request(void *data, char *remote, char *local, int remote_port, int local_port)
{
    struct fl_exchange *exchange = data;

    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (fl_http_changes(exchange) && !fl_http_begin_sending(exchange))
        return CURL_PREREQFUNC_ABORT;
    exchange->host->progress(exchange->transfer, FLAME_PHASE_WAIT, exchange->wire);
    return CURL_PREREQFUNC_OK;
}

/* ---- the head -------------------------------------------------------------------------------- */

static void tell_metadata(const struct fl_exchange *exchange)
{
    const struct fl_head *head = &exchange->head;
    const char *digest = fl_framing_digest(head, &exchange->asked);
    char status[8];

    (void)snprintf(status, sizeof(status), "%u", head->status);
    exchange->host->metadata(exchange->transfer, FLAME_META_HTTP_STATUS, status);
    if (head->content_type[0])
        exchange->host->metadata(exchange->transfer, FLAME_META_CONTENT_TYPE, head->content_type);
    if (*digest)
        exchange->host->metadata(exchange->transfer, FLAME_META_REPR_DIGEST, digest);
}

void fl_http_describe_time(const struct fl_exchange *exchange, struct flame_object *object)
{
    time_t modified = curl_getdate(exchange->head.last_modified, NULL);

    if (modified == (time_t)-1)
        return;
    object->mtime_ns = (int64_t)modified * 1000000000;
    object->flags |= FLAME_OBJECT_MTIME;
}

static int32_t report_body(struct fl_exchange *exchange)
{
    struct flame_object object = FLAME_INIT(flame_object);

    fl_framing_describe(&exchange->head, &exchange->asked, exchange->validator, &object);
    fl_http_describe_time(exchange, &object);
    tell_metadata(exchange);
    return exchange->host->report(exchange->transfer, &object);
}

/* Browsers and curl encode what a URL may not hold; then it is for the host to judge. */
static void encode_location(const char *location, char *out, size_t capacity)
{
    size_t used = 0;

    for (const unsigned char *at = (const unsigned char *)location; *at; at++) {
        bool is_legal = *at > ' ' && *at < 0x7f && !strchr("\"<>\\^`{|}", *at);

        if (used + 4 > capacity)
            break;
        if (is_legal || iscntrl(*at))
            out[used++] = (char)*at;
        else
            used += (size_t)snprintf(out + used, 4, "%%%02X", *at);
    }
    out[used] = '\0';
}

int32_t fl_http_report_redirect(struct fl_exchange *exchange)
{
    struct flame_object object = FLAME_INIT(flame_object);
    char target[3 * FL_LOCATION_MAX + 1];

    encode_location(exchange->head.location, target, sizeof(target));
    object.url = target;
    return exchange->host->report(exchange->transfer, &object);
}

static void judge_head(struct fl_exchange *exchange)
{
    int32_t answer = FLAME_OK;

    exchange->is_judged = true;
    if (fl_http_changes(exchange)) {
        exchange->refused = fl_http_judge_sent(exchange);
        return;
    }
    fl_framing_judge_head(&exchange->head, &exchange->asked, &exchange->verdict);
    if (exchange->verdict.status == FLAME_OK)
        answer = report_body(exchange);
    else if (exchange->verdict.status == FLAME_REDIRECT)
        answer = fl_http_report_redirect(exchange);
    else if (exchange->verdict.status == FLAME_NOT_MODIFIED)
        tell_metadata(exchange);
    if (answer != FLAME_OK)
        exchange->refused = answer;
}

/* Is the body for the host? */
static bool is_body_wanted(const struct fl_exchange *exchange)
{
    return exchange->method == FL_GET && exchange->verdict.status == FLAME_OK;
}

/* Is it cheaper to read what nobody wants than to close the connection? It is lost anyway when the
 * answer came before all was sent. */
static bool is_worth_draining(const struct fl_exchange *exchange)
{
    const struct fl_head *head = &exchange->head;

    if (head->fault || (fl_http_changes(exchange) && !exchange->is_all_sent))
        return false;
    if (head->status == 204 || head->status == 304 || exchange->method == FL_HEAD)
        return true;
    return head->has_length ? head->length <= DRAIN_MAX : head->is_chunked || head->is_http2;
}

static uint32_t phase_of(const struct fl_exchange *exchange)
{
    if (fl_http_changes(exchange))
        return fl_http_sending_phase(exchange);
    /* A head that comes drop by drop is no answer yet. */
    return exchange->is_judged ? FLAME_PHASE_BODY : FLAME_PHASE_WAIT;
}

static size_t take_line(char *line, size_t size, size_t count, void *data)
{
    struct fl_exchange *exchange = data;
    size_t bytes = size * count;
    bool goes_on;

    exchange->wire += bytes;
    goes_on = fl_head_line(&exchange->head, line, bytes);
    if (!exchange->is_judged && (!goes_on || fl_head_is_final(&exchange->head)))
        judge_head(exchange);
    exchange->host->progress(exchange->transfer, phase_of(exchange),
                             exchange->wire + exchange->sent);
    if (!goes_on || exchange->refused != FLAME_OK)
        return 0;
    if (exchange->is_judged && !is_body_wanted(exchange) && !is_worth_draining(exchange))
        return 0;
    return bytes;
}

/* ---- the body -------------------------------------------------------------------------------- */

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
    struct fl_exchange *exchange = data;
    size_t length = size * count;

    exchange->wire += length;
    exchange->host->progress(exchange->transfer, phase_of(exchange),
                             exchange->wire + exchange->sent);
    if (!exchange->is_judged)
        return 0; /* a body without a complete head */
    if (!is_body_wanted(exchange)) {
        exchange->drained += length;
        return exchange->drained <= DRAIN_MAX ? length : 0;
    }
    exchange->refused = flame_write(exchange->host, exchange->transfer, bytes, length);
    if (exchange->refused != FLAME_OK)
        return 0;
    exchange->received += length;
    return length;
}

void fl_http_listen(struct fl_exchange *exchange)
{
    CURL *easy = exchange->easy;

    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, exchange->was_silent);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, begin_handshake);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, begin_request);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_line);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
}

/* ---- driving it ------------------------------------------------------------------------------ */

/* Until libcurl is done with it, or nobody wants it any more. */
static CURLcode drive(struct fl_exchange *exchange, CURLM *multi)
{
    struct curl_waitfd cancel = {.fd = exchange->host->cancel_fd(exchange->transfer),
                                 .events = CURL_WAIT_POLLIN};
    int running = 1;
    int left = 0;
    CURLMsg *message;

    while (running && exchange->refused == FLAME_OK) {
        exchange->refused = exchange->host->cancelled(exchange->transfer);
        if (exchange->refused != FLAME_OK)
            return CURLE_ABORTED_BY_CALLBACK;
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return CURLE_OUT_OF_MEMORY;
        if (exchange->is_begun)
            fl_http_tell_sent(exchange);
        if (running)
            (void)curl_multi_poll(multi, &cancel, 1, POLL_MS, NULL);
    }
    message = curl_multi_info_read(multi, &left);
    return message && message->msg == CURLMSG_DONE ? message->data.result
                                                   : CURLE_ABORTED_BY_CALLBACK;
}

static int64_t retry_after_ms(const char *text)
{
    time_t date = curl_getdate(text, NULL);
    int64_t seconds = 0;

    if (!*text)
        return -1;
    if (strspn(text, "0123456789") != strlen(text))
        return date == (time_t)-1 ? -1 : date > time(NULL) ? (date - time(NULL)) * 1000 : 0;
    for (; *text && seconds < INT32_MAX; text++)
        seconds = seconds * 10 + (*text - '0');
    return seconds * 1000;
}

/* May another try find the server in a better state? Not able to do it or not speaking our version
 * are no states. */
static bool is_passing(uint32_t status)
{
    return status >= 500 && status != 501 && status != 505;
}

int32_t fl_http_refuse(struct fl_exchange *exchange)
{
    const struct fl_head *head = &exchange->head;
    int64_t after = retry_after_ms(head->retry_after);

    exchange->host->fail_detail(exchange->err, FLAME_DETAIL_HTTP, head->status);
    if (exchange->verdict.status == FLAME_ERR_BUSY && after >= 0)
        exchange->host->fail_detail(exchange->err, FLAME_DETAIL_RETRY_AFTER_MS, after);
    if (exchange->verdict.status == FLAME_ERR_REMOTE && is_passing(head->status))
        exchange->host->fail_detail(exchange->err, FLAME_DETAIL_RETRYABLE, 1);
    return exchange->host->fail(exchange->err, exchange->verdict.status, exchange->verdict.message);
}

static int32_t finish(struct fl_exchange *exchange)
{
    uint32_t proof = FLAME_PROOF_NONE;

    exchange->host->progress(exchange->transfer, FLAME_PHASE_FINISH, exchange->wire);
    if (exchange->asked.is_head)
        return FLAME_OK;
    fl_framing_judge_end(&exchange->head, exchange->received, &proof, &exchange->verdict);
    if (exchange->verdict.status != FLAME_OK)
        return fl_http_refuse(exchange);
    return flame_finish(exchange->host, exchange->transfer, proof);
}

/* What an operator wants to know of a request: who answered, and how it was reached. */
static void log_answer(const struct fl_exchange *exchange)
{
    const struct flame_host *host = exchange->host;
    const char *ip = NULL;
    long port = 0;
    long connections = 0;
    char text[128];
    int size;

    if (exchange->head.status == 0 || !host->log_enabled(host, FLAME_LOG_INFO))
        return;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_PRIMARY_IP, &ip);
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_PRIMARY_PORT, &port);
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connections);
    size =
        snprintf(text, sizeof(text), "%s port %ld answered %u over %s, on %s connection",
                 ip ? ip : "", port, exchange->head.status,
                 exchange->head.is_http2 ? "http/2" : "http/1", connections ? "a new" : "the same");
    host->log(host, exchange->transfer, FLAME_LOG_INFO, text, (uint64_t)size);
}

static bool is_refused_method(const struct fl_exchange *exchange)
{
    uint32_t status = exchange->head.status;

    return status == 403 || status == 405 || status == 501;
}

static int32_t refuse_or_defer(struct fl_exchange *exchange)
{
    exchange->is_deferred = exchange->may_defer && is_refused_method(exchange);
    return exchange->is_deferred ? exchange->verdict.status : fl_http_refuse(exchange);
}

/* Whose word counts: the host's, then the head's, then libcurl's, then the framing's. */
int32_t fl_http_run(struct fl_exchange *exchange, CURLM *multi)
{
    CURLcode code;

    exchange->host->progress(exchange->transfer, FLAME_PHASE_RESOLVE, 0);
    code = drive(exchange, multi);
    log_answer(exchange);
    if (exchange->refused != FLAME_OK)
        return exchange->refused;
    if (fl_http_changes(exchange))
        return fl_http_end_sending(exchange, code);
    if (exchange->is_judged && exchange->verdict.status > FLAME_OK &&
        exchange->verdict.status < FLAME_FIRST_FAILURE)
        return exchange->verdict.status;
    if (exchange->is_judged && exchange->verdict.status != FLAME_OK)
        return refuse_or_defer(exchange);
    if (exchange->is_judged && exchange->method == FL_PROBE)
        return FLAME_OK; /* the head said it; the body was cut off on purpose */
    if (code != CURLE_OK)
        return fl_http_fail(exchange, code);
    return finish(exchange);
}
