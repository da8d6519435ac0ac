/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"

#include <stdlib.h>
#include <string.h>

#define PIECES 64

void fl_flight_body_begin(struct fl_flight_body *body, const struct fl_flight_batch *batch)
{
    body->batch = *batch;
    body->at = 0;
    body->index = 0;
    body->is_entered = false;
    body->prefix_size = 0;
}

void fl_flight_body_done(struct fl_flight_body *body)
{
    fl_flight_inflate_free(body->inflate);
    free(body->room);
    *body = (struct fl_flight_body){.taker = body->taker};
}

static const struct fl_flight_region *current(const struct fl_flight_body *body)
{
    return &body->batch.region[body->index];
}

static uint64_t region_left(const struct fl_flight_body *body)
{
    return current(body)->offset + current(body)->size - body->at;
}

/* ---- beginning a buffer ---------------------------------------------------------------------- */

static bool enter(struct fl_flight_body *body, uint64_t content, struct fl_flight_fault *fault)
{
    enum fl_flight_role role = current(body)->role;

    body->is_entered = true;
    body->content = content;
    body->given = 0;
    return role == FL_FLIGHT_ROLE_VALIDITY ||
           body->taker.enter(body->taker.context, role, content, fault);
}

/* One inflater and one room serve all buffers, of all batches, one after another. */
static bool prepare_inflate(struct fl_flight_body *body, struct fl_flight_fault *fault)
{
    if (body->inflate && body->inflate_codec != body->batch.codec) {
        fl_flight_inflate_free(body->inflate);
        body->inflate = NULL;
    }
    if (body->inflate)
        fl_flight_inflate_reset(body->inflate);
    else
        body->inflate = fl_flight_inflate_new(body->batch.codec);
    if (!body->room)
        body->room = malloc(FL_FLIGHT_ROOM);
    body->inflate_codec = body->batch.codec;
    return (body->inflate && body->room) || fl_flight_fail_memory(fault);
}

static bool enter_compressed(struct fl_flight_body *body, struct fl_flight_fault *fault)
{
    uint64_t announced = fl_flight_little(body->prefix, 8);

    body->prefix_size = 0;
    body->is_raw = announced == UINT64_MAX;
    body->is_end = announced == 0; /* some writers put a frame behind it nevertheless */
    if (body->is_raw)
        return enter(body, current(body)->size - 8, fault);
    if (announced > INT64_MAX)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a compressed buffer of negative length");
    return prepare_inflate(body, fault) && enter(body, announced, fault);
}

/* true without is_entered = more bytes are needed first. */
static bool begin_region(struct fl_flight_body *body, struct fl_flight_cursor *cursor,
                         struct fl_flight_fault *fault)
{
    const struct fl_flight_region *region = current(body);

    if (body->at < region->offset)
        body->at += fl_flight_cursor_skip(cursor, region->offset - body->at);
    if (body->at < region->offset)
        return true;
    body->is_raw = true;
    if (body->batch.codec == FL_FLIGHT_PLAIN || region->size == 0 ||
        region->role == FL_FLIGHT_ROLE_VALIDITY)
        return enter(body, region->size, fault);
    if (region->size < 8)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a compressed buffer without a length");
    while (body->prefix_size < 8 && cursor->left > 0) {
        struct flame_slice piece = fl_flight_cursor_next(cursor, 8 - body->prefix_size);

        memcpy(body->prefix + body->prefix_size, piece.data, (size_t)piece.size);
        body->prefix_size += (uint32_t)piece.size;
        body->at += piece.size;
    }
    return body->prefix_size < 8 || enter_compressed(body, fault);
}

/* ---- its content ----------------------------------------------------------------------------- */

static bool give(struct fl_flight_body *body, const struct flame_slice *slices, uint32_t count,
                 struct fl_flight_fault *fault)
{
    return body->taker.content(body->taker.context, current(body)->role, slices, count, fault);
}

static bool take_raw(struct fl_flight_body *body, struct fl_flight_cursor *cursor,
                     struct fl_flight_fault *fault)
{
    struct flame_slice pieces[PIECES];
    uint64_t size;

    while (cursor->left > 0 && region_left(body) > 0) {
        uint32_t count = fl_flight_cursor_pieces(cursor, region_left(body), pieces, PIECES, &size);

        body->at += size;
        if (!give(body, pieces, count, fault))
            return false;
    }
    return true;
}

/* One step of inflation; *goes_on = another one may bring more of the same input. */
static bool inflate_some(struct fl_flight_body *body, struct fl_flight_window *window,
                         bool *goes_on, struct fl_flight_fault *fault)
{
    size_t before = window->in_size;
    struct flame_slice got = {body->room, 0};

    window->out = body->room;
    window->out_size = FL_FLIGHT_ROOM;
    if (!fl_flight_inflate_step(body->inflate, window, &body->is_end, fault))
        return false;
    got.size = FL_FLIGHT_ROOM - window->out_size;
    if (got.size > body->content - body->given)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED,
                              "a compressed buffer is longer than it says");
    body->given += got.size;
    if (got.size == 0 && window->in_size == before && before > 0 && !body->is_end)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a compressed buffer does not go on");
    *goes_on = !body->is_end && (window->in_size > 0 || window->out_size == 0);
    return got.size == 0 || give(body, &got, 1, fault);
}

static bool take_compressed(struct fl_flight_body *body, struct fl_flight_cursor *cursor,
                            struct fl_flight_fault *fault)
{
    while (cursor->left > 0 && region_left(body) > 0) {
        struct flame_slice piece = fl_flight_cursor_next(cursor, region_left(body));
        struct fl_flight_window window = {.in = piece.data, .in_size = (size_t)piece.size};
        bool goes_on = !body->is_end;

        body->at += piece.size;
        while (goes_on) {
            if (!inflate_some(body, &window, &goes_on, fault))
                return false;
        }
    }
    return true;
}

static bool take_content(struct fl_flight_body *body, struct fl_flight_cursor *cursor,
                         struct fl_flight_fault *fault)
{
    if (current(body)->role == FL_FLIGHT_ROLE_VALIDITY) {
        body->at += fl_flight_cursor_skip(cursor, region_left(body));
        return true;
    }
    return body->is_raw ? take_raw(body, cursor, fault) : take_compressed(body, cursor, fault);
}

static bool leave_region(struct fl_flight_body *body, struct fl_flight_fault *fault)
{
    body->is_entered = false;
    body->index++;
    if (body->is_raw)
        return true;
    if (!body->is_end)
        return fl_flight_fail(fault, FL_FLIGHT_TRUNCATED, "a compressed buffer is cut short");
    return body->given == body->content ||
           fl_flight_fail(fault, FL_FLIGHT_MALFORMED,
                          "a compressed buffer is shorter than it says");
}

bool fl_flight_body_push(struct fl_flight_body *body, struct fl_flight_cursor *cursor,
                         struct fl_flight_fault *fault)
{
    while (body->index < body->batch.regions) {
        if (!body->is_entered && !begin_region(body, cursor, fault))
            return false;
        if (!body->is_entered)
            return true;
        if (!take_content(body, cursor, fault))
            return false;
        if (region_left(body) > 0)
            return true;
        if (!leave_region(body, fault))
            return false;
    }
    body->at += fl_flight_cursor_skip(cursor, cursor->left);
    return true;
}

bool fl_flight_body_end(const struct fl_flight_body *body, struct fl_flight_fault *fault)
{
    return body->index == body->batch.regions ||
           fl_flight_fail(fault, FL_FLIGHT_TRUNCATED, "the body of a message is cut short");
}
