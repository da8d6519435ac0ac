/* SPDX-License-Identifier: Apache-2.0 */
#include "cursor.h"

void fl_flight_cursor_init(struct fl_flight_cursor *cursor, const struct flame_slice *slices,
                           uint32_t count)
{
    *cursor = (struct fl_flight_cursor){.slices = slices};
    for (uint32_t i = 0; i < count; i++)
        cursor->left += slices[i].size;
}

struct flame_slice fl_flight_cursor_next(struct fl_flight_cursor *cursor, uint64_t max)
{
    struct flame_slice piece = {NULL, 0};
    uint64_t here;

    if (cursor->left == 0 || max == 0)
        return piece;
    while (cursor->slices->size == cursor->offset) {
        cursor->slices++;
        cursor->offset = 0;
    }
    here = cursor->slices->size - cursor->offset;
    piece.data = (const uint8_t *)cursor->slices->data + cursor->offset;
    piece.size = here < max ? here : max;
    cursor->offset += piece.size;
    cursor->left -= piece.size;
    return piece;
}

uint32_t fl_flight_cursor_pieces(struct fl_flight_cursor *cursor, uint64_t max,
                                 struct flame_slice *pieces, uint32_t capacity, uint64_t *size)
{
    uint32_t count = 0;

    *size = 0;
    while (count < capacity && *size < max && cursor->left > 0) {
        pieces[count] = fl_flight_cursor_next(cursor, max - *size);
        *size += pieces[count++].size;
    }
    return count;
}

uint64_t fl_flight_cursor_skip(struct fl_flight_cursor *cursor, uint64_t max)
{
    uint64_t skipped = 0;

    while (skipped < max && cursor->left > 0)
        skipped += fl_flight_cursor_next(cursor, max - skipped).size;
    return skipped;
}

bool fl_flight_gather(const struct flame_slice *slices, uint32_t count, size_t max,
                      struct fl_flight_buffer *out, struct fl_flight_fault *fault)
{
    struct fl_flight_cursor cursor;

    fl_flight_cursor_init(&cursor, slices, count);
    if (cursor.left > max)
        return fl_flight_fail(fault, FL_FLIGHT_LIMIT, "a message is too large");
    while (cursor.left > 0) {
        struct flame_slice piece = fl_flight_cursor_next(&cursor, UINT64_MAX);

        if (!fl_flight_buffer_add(out, piece.data, (size_t)piece.size))
            return fl_flight_fail_memory(fault);
    }
    return true;
}
