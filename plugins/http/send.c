/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <stdio.h>
#include <string.h>

/* A server that would refuse a larger body shall be able to say so before it is sent; one that
 * knows nothing of the question costs EXPECT_MS. */
#define EXPECT_BYTES (1024 * 1024)
#define EXPECT_MS 1000L
#define SEND_BUFFER_BYTES 524288L

static bool is_size_known(const struct fl_exchange *exchange)
{
    return exchange->request->flags & FLAME_REQUEST_SOURCE_SIZE;
}

static bool has_body(const struct fl_exchange *exchange)
{
    return exchange->method == FL_PUT &&
           !(is_size_known(exchange) && exchange->request->source_size == 0);
}

/* ---- how far it is --------------------------------------------------------------------------- */

/* May the peer have seen all of the request? libcurl counts what it gave to the socket. Of a body
 * in chunks it asks for more only when it has sent what it got, so its end was seen by us before.
 */
static bool is_all_sent(const struct fl_exchange *exchange)
{
    long head_bytes = 0;

    if (has_body(exchange) && is_size_known(exchange))
        return exchange->sent >= exchange->request->source_size;
    if (has_body(exchange))
        return exchange->is_source_ended;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &head_bytes);
    return exchange->is_begun && head_bytes > exchange->head_bytes;
}

uint32_t fl_http_sending_phase(const struct fl_exchange *exchange)
{
    if (exchange->is_judged)
        return FLAME_PHASE_FINISH;
    if (!has_body(exchange) || exchange->sent == 0)
        return FLAME_PHASE_WAIT;
    return is_all_sent(exchange) ? FLAME_PHASE_FINISH : FLAME_PHASE_BODY;
}

/* libcurl counts anew when it sends again; what left before counts until that is known. */
void fl_http_tell_sent(struct fl_exchange *exchange)
{
    curl_off_t sent = 0;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (sent < 0 || (uint64_t)sent <= exchange->sent)
        return;
    exchange->sent = (uint64_t)sent;
    exchange->host->progress(exchange->transfer, FLAME_PHASE_BODY, exchange->wire + exchange->sent);
    if (is_all_sent(exchange))
        exchange->host->progress(exchange->transfer, FLAME_PHASE_FINISH,
                                 exchange->wire + exchange->sent);
}

/* ---- the source ------------------------------------------------------------------------------ */

static int32_t fail_source(const struct fl_exchange *exchange, int32_t status, const char *what)
{
    return flame_fail(exchange->host, exchange->err, status, "the source %s while it was read",
                      what);
}

/* A source that is longer than was promised must not be stored as if it were whole. */
static int32_t judge_end(const struct fl_exchange *exchange)
{
    char more;
    uint64_t size = 0;
    int32_t status = exchange->host->source_read(exchange->transfer, exchange->request->source_size,
                                                 &more, sizeof(more), &size);

    if (status != FLAME_OK || size == 0)
        return status;
    return fail_source(exchange, FLAME_ERR_CHANGED, "grew");
}

/* `size` more bytes were read. The last ones go out only when it is known that they are. */
static int32_t advance(struct fl_exchange *exchange, uint64_t size)
{
    const struct flame_request *request = exchange->request;

    exchange->source_at += size;
    exchange->is_source_ended = size == 0;
    if (exchange->source_at > request->max_bytes)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_LIMIT,
                          "the source is larger than the allowed %llu bytes",
                          (unsigned long long)request->max_bytes);
    if (!is_size_known(exchange))
        return FLAME_OK;
    if (size == 0)
        return fail_source(exchange, FLAME_ERR_TRUNCATED, "shrank");
    return exchange->source_at == request->source_size ? judge_end(exchange) : FLAME_OK;
}

static size_t give_body(char *out, size_t size, size_t count, void *data)
{
    struct fl_exchange *exchange = data;
    uint64_t want = (uint64_t)size * count;
    uint64_t got = 0;

    if (is_size_known(exchange)) {
        uint64_t left = exchange->request->source_size - exchange->source_at;

        want = want < left ? want : left;
        if (want == 0)
            return 0;
    }
    exchange->refused =
        exchange->host->source_read(exchange->transfer, exchange->source_at, out, want, &got);
    if (exchange->refused == FLAME_OK)
        exchange->refused = advance(exchange, got);
    return exchange->refused == FLAME_OK ? (size_t)got : CURL_READFUNC_ABORT;
}

/* May what was sent be sent again? Not when it may have arrived, nor when anything came back. Here
 * what libcurl was given counts: it may have sent that, and failed, without a word in between. */
static bool may_repeat(const struct fl_exchange *exchange)
{
    bool is_all_given = has_body(exchange) && is_size_known(exchange)
                            ? exchange->source_at >= exchange->request->source_size
                            : is_all_sent(exchange);

    return exchange->head.bytes == 0 && !is_all_given;
}

bool fl_http_begin_sending(struct fl_exchange *exchange)
{
    exchange->is_repeat_refused = exchange->is_begun && !may_repeat(exchange);
    if (exchange->is_repeat_refused)
        return false;
    exchange->is_begun = true;
    exchange->sent = 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &exchange->head_bytes);
    return true;
}

/* libcurl found that the connection it wanted to use again was dead, and has a new one. */
static int rewind_body(void *data, curl_off_t offset, int origin)
{
    struct fl_exchange *exchange = data;

    if (origin != SEEK_SET || offset != 0 || !is_size_known(exchange) || !may_repeat(exchange))
        return CURL_SEEKFUNC_FAIL;
    exchange->source_at = 0;
    return CURL_SEEKFUNC_OK;
}

/* ---- setting it up --------------------------------------------------------------------------- */

static int32_t setup_body(struct fl_exchange *exchange)
{
    const struct flame_request *request = exchange->request;
    CURL *easy = exchange->easy;
    curl_off_t size = is_size_known(exchange) ? (curl_off_t)request->source_size : -1;

    if (size >= 0 && request->source_size > request->max_bytes)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_LIMIT,
                          "%llu bytes are more than the allowed %llu",
                          (unsigned long long)request->source_size,
                          (unsigned long long)request->max_bytes);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, size);
    (void)curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, EXPECT_MS);
    if (size == 0) {
        int32_t status = judge_end(exchange);

        if (status != FLAME_OK)
            return status;
    }
    return size < 0 || size > EXPECT_BYTES ? FLAME_OK : fl_http_add_line(exchange, "Expect:");
}

int32_t fl_http_setup_sending(struct fl_exchange *exchange)
{
    if (exchange->method == FL_PUT)
        return setup_body(exchange);
    (void)curl_easy_setopt(exchange->easy, CURLOPT_CUSTOMREQUEST, "DELETE");
    return FLAME_OK;
}

/* ---- the answer ------------------------------------------------------------------------------ */

int32_t fl_http_judge_sent(struct fl_exchange *exchange)
{
    struct fl_sent sent = {.is_delete = exchange->method == FL_DELETE,
                           .condition = exchange->request->condition};

    fl_http_tell_sent(exchange);
    sent.is_all = exchange->is_all_sent = is_all_sent(exchange);
    fl_framing_judge_sent(&exchange->head, &sent, &exchange->proof, &exchange->verdict);
    return exchange->verdict.status == FLAME_REDIRECT ? fl_http_report_redirect(exchange)
                                                      : FLAME_OK;
}

static int32_t report_stored(struct fl_exchange *exchange)
{
    struct flame_object object = FLAME_INIT(flame_object);

    fl_framing_describe_stored(&exchange->head, exchange->source_at, exchange->validator, &object);
    fl_http_describe_time(exchange, &object);
    return exchange->host->report(exchange->transfer, &object);
}

/* Some servers (nginx is one) do not look at the condition of a PUT. 204 is for what was there
 * (RFC 9110 9.3.4). */
static void warn_of_ignorance(const struct fl_exchange *exchange)
{
    static const char text[] = "the answer to a create-only PUT says that something was replaced";

    if (exchange->request->condition == FLAME_WHEN_ABSENT && exchange->head.status == 204)
        exchange->host->log(exchange->host, exchange->transfer, FLAME_LOG_WARN, text,
                            sizeof(text) - 1);
}

static int32_t finish(struct fl_exchange *exchange)
{
    const struct fl_head *head = &exchange->head;
    int32_t status = FLAME_OK;
    char text[8];

    warn_of_ignorance(exchange);
    (void)snprintf(text, sizeof(text), "%u", head->status);
    exchange->host->metadata(exchange->transfer, FLAME_META_HTTP_STATUS, text);
    if (exchange->method == FL_PUT && head->repr_digest[0])
        exchange->host->metadata(exchange->transfer, FLAME_META_REPR_DIGEST, head->repr_digest);
    if (exchange->method == FL_PUT && exchange->proof == FLAME_PROOF_COMPLETE)
        status = report_stored(exchange);
    return status == FLAME_OK ? flame_finish(exchange->host, exchange->transfer, exchange->proof)
                              : status;
}

static bool is_broken_line(CURLcode code)
{
    switch (code) {
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

/* There was no answer. */
static int32_t fail_unanswered(struct fl_exchange *exchange, CURLcode code)
{
    if (!exchange->is_begun)
        return fl_http_fail(exchange, code);
    if (exchange->is_repeat_refused || is_all_sent(exchange))
        return fl_http_fail_as(exchange, FLAME_ERR_UNKNOWN_OUTCOME,
                               "all was sent, but the server did not answer", code);
    if (!is_broken_line(code))
        return fl_http_fail(exchange, code);
    exchange->host->fail_detail(exchange->err, FLAME_DETAIL_RETRYABLE, 1);
    if (exchange->sent > 0)
        return fl_http_fail_as(exchange, FLAME_ERR_TRUNCATED,
                               "the connection was lost while the body was sent", code);
    return fl_http_fail_as(exchange, FLAME_ERR_NETWORK,
                           "the connection was lost before the body was sent", code);
}

int32_t fl_http_end_sending(struct fl_exchange *exchange, CURLcode code)
{
    if (!exchange->is_judged)
        return fail_unanswered(exchange, code);
    if (exchange->verdict.status == FLAME_REDIRECT)
        return FLAME_REDIRECT;
    return exchange->verdict.status == FLAME_OK ? finish(exchange) : fl_http_refuse(exchange);
}
