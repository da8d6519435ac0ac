/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply is worth: the verdict on its head, and at the end on how its body was framed. Every
 * rule that keeps an OK from being wrong stands here. Pure, no libcurl, any thread. */
#ifndef FL_HTTP_FRAMING_H
#define FL_HTTP_FRAMING_H

#include "head.h"

#include <flame/plugin.h>

/* What was asked, as far as the verdict depends on it. */
struct fl_asked {
    bool for_range;      /* a Range header was sent */
    bool is_conditional; /* If-None-Match or If-Modified-Since was sent */
    bool is_head;        /* no body is wanted */
    bool is_probe;       /* GET of the first byte, in place of HEAD */
    uint64_t offset;
    uint64_t length;  /* 0 = to the end */
    const char *etag; /* a part of this version only; NULL = none was named */
};

/* A PUT or DELETE, as far as it went. */
struct fl_sent {
    bool is_delete;
    bool is_all;        /* nothing was left to be sent when the final head came */
    uint32_t condition; /* enum flame_condition */
};

struct fl_verdict {
    int32_t status;    /* OK: the body is wanted */
    char message[160]; /* for a failure */
};

/* A complete, final head. OK, NOT_MODIFIED, REDIRECT or a failure. */
void fl_framing_judge_head(const struct fl_head *head, const struct fl_asked *asked,
                           struct fl_verdict *verdict);

/* The final head of the answer to a PUT or DELETE. OK with *proof set: it was done, or (PROOF_NONE)
 * only accepted. REDIRECT, or a failure; UNKNOWN_OUTCOME where the answer does not tell. */
void fl_framing_judge_sent(const struct fl_head *head, const struct fl_sent *sent, uint32_t *proof,
                           struct fl_verdict *verdict);

/* What the head says of the object that a PUT of `size` bytes made. */
void fl_framing_describe_stored(const struct fl_head *head, uint64_t size, char *validator,
                                struct flame_object *object);

/* The Repr-Digest of the object. A Content-Digest is the same where the whole came unencoded
 * (RFC 9530 2, 3). "" = there is none. */
const char *fl_framing_digest(const struct fl_head *head, const struct fl_asked *asked);

/* The object that the head describes; strings point into `head` or `validator` (320 bytes). */
void fl_framing_describe(const struct fl_head *head, const struct fl_asked *asked, char *validator,
                         struct flame_object *object);

/* The body has ended without an error of the library's: what proves that it is all of it?
 * OK with *proof set, or a failure. */
void fl_framing_judge_end(const struct fl_head *head, uint64_t received, uint32_t *proof,
                          struct fl_verdict *verdict);

#define FL_VALIDATOR_MAX 320

/* The value of an If-Range, If-None-Match ("etag:...") or If-Modified-Since ("lm:...") header. */
const char *fl_validator_etag(const char *validator); /* NULL = it is none */
const char *fl_validator_time(const char *validator);

#endif
