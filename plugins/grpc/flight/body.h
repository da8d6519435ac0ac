/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a record batch, pushed in whatever pieces: from bytes on the wire to the contents of
 * its buffers (Arrow: Buffer, BodyCompression).
 *
 * A compressed buffer begins with its length, or with -1 when it is stored as it is. What a frame
 * brings is that length exactly, neither less nor more, through FL_FLIGHT_ROOM bytes of memory
 * however large it is; what follows the frame in its place is padding. Plain bytes are handed on
 * where they lie. Validity bitmaps are skipped: nothing is null (ipc.h). One thread at a time. */
#ifndef FL_FLIGHT_BODY_H
#define FL_FLIGHT_BODY_H

#include "cursor.h"
#include "ipc.h"

#define FL_FLIGHT_ROOM ((size_t)256 * 1024)

/* Who takes the contents. Both may fail with a code of their own. */
struct fl_flight_taker {
    void *context;
    /* A buffer begins whose content is `size` bytes. Once for each but the bitmaps, in their order,
     * also for those without bytes. */
    bool (*enter)(void *context, enum fl_flight_role role, uint64_t size,
                  struct fl_flight_fault *fault);
    /* Some of its content; borrowed. */
    bool (*content)(void *context, enum fl_flight_role role, const struct flame_slice *slices,
                    uint32_t count, struct fl_flight_fault *fault);
};

/* {0} before the first batch. */
struct fl_flight_body {
    struct fl_flight_taker taker; /* set by the owner */
    /* private */
    struct fl_flight_batch batch;
    uint64_t at;      /* in the body */
    uint32_t index;   /* of the region */
    uint64_t content; /* of the region, as announced */
    uint64_t given;   /* of it */
    bool is_entered;
    bool is_raw;
    bool is_end; /* the frame is complete */
    uint8_t prefix[8];
    uint32_t prefix_size;
    struct fl_flight_inflate *inflate;
    enum fl_flight_codec inflate_codec;
    uint8_t *room;
};

void fl_flight_body_begin(struct fl_flight_body *body, const struct fl_flight_batch *batch);

/* Takes all that the cursor has. */
bool fl_flight_body_push(struct fl_flight_body *body, struct fl_flight_cursor *cursor,
                         struct fl_flight_fault *fault);

/* The body is complete: TRUNCATED if a buffer is not. */
bool fl_flight_body_end(const struct fl_flight_body *body, struct fl_flight_fault *fault);

void fl_flight_body_done(struct fl_flight_body *body);

#endif
