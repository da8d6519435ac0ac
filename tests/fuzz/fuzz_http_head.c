/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the lines of a reply's head: never a body that is proven and not framed, nor a PUT
 * or DELETE that is confirmed by anything but a confirmation. */
#include "framing.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_verdict(const struct fl_head *head, const struct fl_asked *asked)
{
    char validator[FL_VALIDATOR_MAX];
    struct flame_object object = FLAME_INIT(flame_object);
    struct fl_verdict verdict;
    uint32_t proof;

    fl_framing_judge_head(head, asked, &verdict);
    require(verdict.status == FLAME_OK || verdict.message[0]);
    require(verdict.status != FLAME_OK || head->status == 200 ||
            (head->status == 206 && asked->for_range) ||
            (head->status == 416 && asked->is_probe && head->range_total == 0));
    require(verdict.status != FLAME_OK || (!head->fault && !head->has_encoding));
    if (verdict.status != FLAME_OK)
        return;
    fl_framing_describe(head, asked, validator, &object);
    require(!(object.flags & FLAME_OBJECT_STRONG) ||
            (object.validator && strncmp(validator, "etag:\"", 6) == 0));
    require(object.offset == (head->status == 206 ? asked->offset : 0));
    require(!asked->is_head || !(object.flags & FLAME_OBJECT_BODY_SIZE));
    require(!*fl_framing_digest(head, asked) || head->repr_digest[0] || head->status == 200);
    fl_framing_judge_end(head, 5, &proof, &verdict);
    require(proof == FLAME_PROOF_NONE || head->is_complete);
    require(proof == FLAME_PROOF_NONE || head->has_length || head->is_chunked || head->is_http2);
    require(proof == FLAME_PROOF_NONE || !head->has_length || head->length == 5);
}

static void check_sent(const struct fl_head *head, const struct fl_sent *sent)
{
    struct fl_verdict verdict;
    uint32_t proof = 9;

    fl_framing_judge_sent(head, sent, &proof, &verdict);
    require(verdict.message[0]);
    require(proof == FLAME_PROOF_NONE || verdict.status == FLAME_OK);
    require(verdict.status != FLAME_NOT_MODIFIED && verdict.status != FLAME_ENOUGH);
    require(verdict.status != FLAME_REDIRECT ||
            (head->location[0] && (head->status == 307 || head->status == 308)));
    if (verdict.status != FLAME_OK)
        return;
    require(sent->is_all && !head->fault);
    require(head->status == 202 ? proof == FLAME_PROOF_NONE : proof == FLAME_PROOF_COMPLETE);
    require(head->status == 200 || head->status == 202 || head->status == 204 ||
            (head->status == 201 && !sent->is_delete));
}

static void check_all_sent(const struct fl_head *head)
{
    for (uint32_t bits = 0; bits < 16; bits++) {
        const struct fl_sent sent = {
            .is_delete = bits & 1, .is_all = bits & 2, .condition = bits >> 2};

        check_sent(head, &sent);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fl_asked whole;
    static const struct fl_asked part = {.for_range = true, .offset = 5, .length = 10};
    static const struct fl_asked probe = {
        .for_range = true, .is_head = true, .is_probe = true, .length = 1};
    struct fl_head *head = calloc(1, sizeof(*head));
    bool goes_on = true;

    require(head != NULL);
    while (size > 0 && goes_on) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end + 1 - data) : size;

        goes_on = fl_head_line(head, (const char *)data, length);
        require(goes_on == (head->fault == NULL));
        data += length;
        size -= length;
    }
    require(head->bytes <= FL_HEAD_BYTES_MAX + 65536 * 2);
    if (fl_head_is_final(head)) {
        check_verdict(head, &whole);
        check_verdict(head, &part);
        check_verdict(head, &probe);
        check_all_sent(head);
    }
    free(head);
    return 0;
}
