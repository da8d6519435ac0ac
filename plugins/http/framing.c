/* SPDX-License-Identifier: Apache-2.0 */
#include "framing.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 4))) static void say(struct fl_verdict *verdict, int32_t status,
                                                      const char *format, ...)
{
    va_list args;

    verdict->status = status;
    va_start(args, format);
    (void)vsnprintf(verdict->message, sizeof(verdict->message), format, args);
    va_end(args);
}

/* ---- the head -------------------------------------------------------------------------------- */

static bool is_redirect(uint32_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int32_t status_of_failure(uint32_t http_status)
{
    switch (http_status) {
    case 401:
    case 403:
    case 407:
        return FLAME_ERR_AUTH;
    case 404:
    case 410:
        return FLAME_ERR_NOT_FOUND;
    case 408:
    case 429:
    case 503:
        return FLAME_ERR_BUSY;
    case 412:
        return FLAME_ERR_CHANGED;
    case 416:
        return FLAME_ERR_RANGE;
    default:
        return FLAME_ERR_REMOTE;
    }
}

static void refuse_status(const struct fl_head *head, struct fl_verdict *verdict)
{
    say(verdict, status_of_failure(head->status), "the server answered %u%s%s", head->status,
        head->reason[0] ? " " : "", head->reason);
}

static void judge_redirect(const struct fl_head *head, struct fl_verdict *verdict)
{
    if (head->location[0])
        say(verdict, FLAME_REDIRECT, "redirected");
    else
        say(verdict, FLAME_ERR_PROTOCOL, "the server answered %u without a Location", head->status);
}

/* Does the part end before it was asked to, although the object goes on? */
static bool is_short(const struct fl_head *head, const struct fl_asked *asked, uint64_t size)
{
    if (head->range_total == UINT64_MAX || head->range_last + 1 == head->range_total)
        return false;
    return asked->length == 0 || size < asked->length;
}

/* A 206 must be exactly the part that was asked for, up to the end of the object at most. */
static void judge_part(const struct fl_head *head, const struct fl_asked *asked,
                       struct fl_verdict *verdict)
{
    uint64_t size = head->range_last - head->range_first + 1;

    if (!head->has_content_range || head->range_first > head->range_last)
        say(verdict, FLAME_ERR_PROTOCOL, "a part without a Content-Range");
    else if (head->range_first != asked->offset)
        say(verdict, FLAME_ERR_PROTOCOL, "the part starts at %" PRIu64 " instead of %" PRIu64,
            head->range_first, asked->offset);
    else if (head->range_total != UINT64_MAX && head->range_last >= head->range_total)
        say(verdict, FLAME_ERR_PROTOCOL, "the part ends behind the whole");
    else if (asked->length != 0 && size > asked->length)
        say(verdict, FLAME_ERR_PROTOCOL, "the part is longer than it was asked for");
    else if (is_short(head, asked, size))
        say(verdict, FLAME_ERR_PROTOCOL, "the part is shorter than it was asked for");
    else if (head->has_length && !asked->is_head && head->length != size)
        say(verdict, FLAME_ERR_PROTOCOL, "Content-Range and Content-Length differ");
    else if (asked->etag && head->etag[0] && strcmp(asked->etag, head->etag) != 0)
        say(verdict, FLAME_ERR_CHANGED, "the part is of another version");
    else
        say(verdict, FLAME_OK, "a part");
}

static void judge_body_head(const struct fl_head *head, const struct fl_asked *asked,
                            struct fl_verdict *verdict)
{
    if (head->has_encoding)
        say(verdict, FLAME_ERR_PROTOCOL, "the server encoded the body, unasked");
    else if (head->status == 206)
        judge_part(head, asked, verdict);
    else
        say(verdict, FLAME_OK, "the whole");
}

/* What makes a head no head; NULL = nothing does. */
static const char *fault_of(const struct fl_head *head)
{
    if (head->fault)
        return head->fault;
    if (head->has_length && head->is_chunked)
        return "Content-Length and chunked";
    return head->is_chunked && head->is_http10 ? "chunked in HTTP/1.0" : NULL;
}

/* The first byte of an object that has none is no failure of the probe. */
static bool is_empty_object(const struct fl_head *head, const struct fl_asked *asked)
{
    return asked->is_probe && head->status == 416 && head->has_content_range &&
           head->range_first > head->range_last && head->range_total == 0;
}

void fl_framing_judge_head(const struct fl_head *head, const struct fl_asked *asked,
                           struct fl_verdict *verdict)
{
    const char *fault = fault_of(head);

    if (fault)
        say(verdict, FLAME_ERR_PROTOCOL, "the server sent %s", fault);
    else if (is_empty_object(head, asked))
        say(verdict, FLAME_OK, "nothing");
    else if (is_redirect(head->status))
        judge_redirect(head, verdict);
    else if (head->status == 304 && asked->is_conditional)
        say(verdict, FLAME_NOT_MODIFIED, "not modified");
    else if (head->status == 200 || (head->status == 206 && asked->for_range))
        judge_body_head(head, asked, verdict);
    else
        refuse_status(head, verdict);
}

/* ---- the object ------------------------------------------------------------------------------ */

/* entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE (RFC 9110 8.8.3) */
static bool is_entity_tag(const char *text)
{
    const char *opaque = strncmp(text, "W/", 2) == 0 ? text + 2 : text;
    size_t size = strlen(opaque);

    return size >= 2 && opaque[0] == '"' && strchr(opaque + 1, '"') == opaque + size - 1;
}

static void describe_validator(const struct fl_head *head, char *validator,
                               struct flame_object *object)
{
    bool is_weak = strncmp(head->etag, "W/", 2) == 0;

    if (is_entity_tag(head->etag)) {
        (void)snprintf(validator, FL_VALIDATOR_MAX, "etag:%s", head->etag);
        object->flags |= is_weak ? 0 : FLAME_OBJECT_STRONG;
    } else if (head->last_modified[0]) {
        (void)snprintf(validator, FL_VALIDATOR_MAX, "lm:%s", head->last_modified);
    } else {
        return;
    }
    object->validator = validator;
}

void fl_framing_describe(const struct fl_head *head, const struct fl_asked *asked, char *validator,
                         struct flame_object *object)
{
    bool is_part = head->has_content_range && head->status != 200; /* 416: of an empty object */

    if (is_part && !asked->is_probe) {
        object->offset = head->range_first;
        object->body_size = head->range_last - head->range_first + 1;
        object->flags |= FLAME_OBJECT_BODY_SIZE;
    } else if (head->has_length && !asked->is_head) {
        object->body_size = head->length;
        object->flags |= FLAME_OBJECT_BODY_SIZE;
    }
    if (is_part ? head->range_total != UINT64_MAX : head->has_length) {
        object->total_size = is_part ? head->range_total : head->length;
        object->flags |= FLAME_OBJECT_SIZE;
    }
    if (head->serves_ranges || is_part)
        object->flags |= FLAME_OBJECT_RANGES;
    describe_validator(head, validator, object);
}

void fl_framing_describe_stored(const struct fl_head *head, uint64_t size, char *validator,
                                struct flame_object *object)
{
    object->total_size = size;
    object->flags |= FLAME_OBJECT_SIZE;
    describe_validator(head, validator, object);
}

const char *fl_framing_digest(const struct fl_head *head, const struct fl_asked *asked)
{
    bool is_whole = head->status == 200 && !head->has_encoding && !asked->is_head;

    return head->repr_digest[0] || !is_whole ? head->repr_digest : head->content_digest;
}

const char *fl_validator_etag(const char *validator)
{
    return validator && strncmp(validator, "etag:", 5) == 0 ? validator + 5 : NULL;
}

const char *fl_validator_time(const char *validator)
{
    return validator && strncmp(validator, "lm:", 3) == 0 ? validator + 3 : NULL;
}

/* ---- the end --------------------------------------------------------------------------------- */

void fl_framing_judge_end(const struct fl_head *head, uint64_t received, uint32_t *proof,
                          struct fl_verdict *verdict)
{
    *proof = FLAME_PROOF_NONE;
    if (!fl_head_is_final(head)) {
        say(verdict, FLAME_ERR_TRUNCATED, "the reply ends inside its head");
        return;
    }
    if (head->has_length && received != head->length) {
        say(verdict, FLAME_ERR_TRUNCATED, "only %" PRIu64 " of %" PRIu64 " bytes came", received,
            head->length);
        return;
    }
    say(verdict, FLAME_OK, "complete");
    if (head->has_length || head->is_chunked || head->is_http2)
        *proof = FLAME_PROOF_COMPLETE;
}

/* ---- what was sent --------------------------------------------------------------------------- */

static int32_t status_of_precondition(const struct fl_sent *sent)
{
    return sent->condition == FLAME_WHEN_ABSENT ? FLAME_ERR_EXISTS : FLAME_ERR_CHANGED;
}

static int32_t status_of_refusal(const struct fl_head *head, const struct fl_sent *sent)
{
    switch (head->status) {
    case 404:
    case 410:
        return sent->is_delete ? FLAME_ERR_NOT_FOUND : FLAME_ERR_REMOTE;
    case 412:
        return status_of_precondition(sent);
    case 413:
    case 507:
        return sent->is_delete ? FLAME_ERR_REMOTE : FLAME_ERR_STORE_REFUSED;
    case 416:
        return FLAME_ERR_REMOTE;
    default:
        return status_of_failure(head->status);
    }
}

/* What a status means for a PUT, where its own words do not say it. */
static const char *hint_of(const struct fl_head *head, const struct fl_sent *sent)
{
    if (sent->is_delete)
        return "";
    if (head->status == 404 || head->status == 410)
        return ": there is no such place";
    if (head->status == 409)
        return ": what it should lie in is missing";
    return head->status == 411 ? ": it takes no body of unknown size" : "";
}

static void judge_redirected(const struct fl_head *head, const struct fl_sent *sent,
                             struct fl_verdict *verdict)
{
    if (head->status == 307 || head->status == 308)
        judge_redirect(head, verdict);
    else
        say(verdict, FLAME_ERR_POLICY, "the server redirects a %s with %u, which would change it",
            sent->is_delete ? "DELETE" : "PUT", head->status);
}

/* Only what confirms exactly this is a confirmation; 207, for one, may tell of a failure inside. */
static void judge_success(const struct fl_head *head, const struct fl_sent *sent, uint32_t *proof,
                          struct fl_verdict *verdict)
{
    bool is_done =
        head->status == 200 || head->status == 204 || (head->status == 201 && !sent->is_delete);

    if (!sent->is_all) {
        say(verdict, FLAME_ERR_UNKNOWN_OUTCOME,
            "the server answered %u before all of the body was sent", head->status);
    } else if (is_done || head->status == 202) {
        say(verdict, FLAME_OK, "done");
        *proof = is_done ? FLAME_PROOF_COMPLETE : FLAME_PROOF_NONE;
    } else {
        say(verdict, FLAME_ERR_UNKNOWN_OUTCOME, "the server answered %u, which does not tell",
            head->status);
    }
}

void fl_framing_judge_sent(const struct fl_head *head, const struct fl_sent *sent, uint32_t *proof,
                           struct fl_verdict *verdict)
{
    const char *fault = fault_of(head);

    *proof = FLAME_PROOF_NONE;
    if (fault)
        say(verdict, sent->is_all ? FLAME_ERR_UNKNOWN_OUTCOME : FLAME_ERR_PROTOCOL,
            "the server sent %s", fault);
    else if (head->status >= 200 && head->status < 300)
        judge_success(head, sent, proof, verdict);
    else if (is_redirect(head->status))
        judge_redirected(head, sent, verdict);
    else
        say(verdict, status_of_refusal(head, sent), "the server answered %u%s%s%s", head->status,
            head->reason[0] ? " " : "", head->reason, hint_of(head, sent));
}
