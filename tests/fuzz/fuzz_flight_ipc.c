/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stream of FlightData, cut as the first byte says: nothing breaks, the bounds hold,
 * and the same stream in one piece has the same outcome. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MAX (1u << 20)

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check(const struct outcome *outcome)
{
    require((outcome->code == FL_FLIGHT_NONE) == (outcome->why == NULL));
    require(outcome->bytes.size == outcome->summary.bytes && outcome->bytes.size <= BYTES_MAX);
    require(outcome->rows_told == outcome->summary.rows);
    require(outcome->code != FL_FLIGHT_NONE || outcome->summary.rows > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feeding cut = {.max_bytes = BYTES_MAX};
    struct feeding whole = {.max_bytes = BYTES_MAX};
    struct fl_flight_bytes frames;
    struct outcome a;
    struct outcome b;

    if (size < 2)
        return 0;
    frames = (struct fl_flight_bytes){data + 1, size - 1};
    cut.piece = 1 + data[0] % 63;
    cut.is_one_push = data[0] & 0x40;
    cut.takes_patches = whole.takes_patches = data[0] & 0x80;
    feed(frames, &cut, &a);
    feed(frames, &whole, &b);
    check(&a);
    check(&b);
    require(a.code == b.code);
    if (a.code == FL_FLIGHT_NONE)
        require(a.bytes.size == b.bytes.size &&
                (a.bytes.size == 0 || memcmp(a.bytes.data, b.bytes.data, a.bytes.size) == 0));
    outcome_done(&a);
    outcome_done(&b);
    return 0;
}
