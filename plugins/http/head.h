/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP reply, read strictly: status line, fields, blank line (RFC 9112 2, 5, 6).
 *
 * libcurl takes replies for good that are not: cut inside the head, two lengths, "10abc". So the
 * lines that it hands out are read again here, and framing.h judges from them. Pure, no libcurl,
 * bounded, any thread. */
#ifndef FL_HTTP_HEAD_H
#define FL_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_HEAD_BYTES_MAX (300u * 1024) /* of all heads of one reply, interim ones included */
#define FL_HEAD_COUNT_MAX 32            /* heads of one reply */
#define FL_LOCATION_MAX 8192

struct fl_head {
    uint32_t status;   /* 0 = no status line yet */
    bool is_http2;     /* or later: framed by the protocol itself */
    bool is_http10;    /* or earlier */
    bool is_complete;  /* the blank line was seen */
    bool is_chunked;   /* Transfer-Encoding: chunked, and nothing else */
    bool has_encoding; /* a Content-Encoding that is not identity */
    bool has_length;
    bool has_content_range; /* total UINT64_MAX: "*"; first > last: unsatisfied */
    bool serves_ranges;
    uint64_t length;
    uint64_t range_first;
    uint64_t range_last;
    uint64_t range_total;
    const char *fault; /* what makes the head malformed; static text, or NULL */
    uint32_t heads;
    size_t bytes;
    char reason[64];
    char etag[256]; /* "" = none, or too long to be used */
    char last_modified[64];
    char content_type[128];
    char repr_digest[256];
    char content_digest[256];
    char retry_after[64];
    char location[FL_LOCATION_MAX];
};

/* One line as it came, line end included. A status line begins a new head. Lines behind a complete
 * head (trailers) are counted only. false = enough: head->fault says why. */
bool fl_head_line(struct fl_head *head, const char *line, size_t size);

/* Is this head the last one, not an interim 1xx? */
bool fl_head_is_final(const struct fl_head *head);

#endif
