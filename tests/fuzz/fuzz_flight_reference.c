/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a cache says of an object that it has stored: refused with a reason and nothing
 * touched, or texts that end, a key of three parts, and a document of our own that reads the same.
 */
#include "reference.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool is_untouched(const struct fl_flight_reference *reference)
{
    const uint8_t *bytes = (const uint8_t *)reference;

    for (size_t i = 0; i < sizeof(*reference); i++)
        if (bytes[i] != 0x5a)
            return false;
    return true;
}

static void check_round_trip(const struct fl_flight_reference *first)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_reference again;

    require(fl_flight_reference_write(&out, first, &fault));
    require(fl_flight_reference_read(fl_flight_buffer_view(&out), &again, &fault));
    require(strcmp(first->endpoint, again.endpoint) == 0);
    require(strcmp(first->key.text, again.key.text) == 0);
    require(first->version == again.version);
    fl_flight_buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_reference reference;

    memset(&reference, 0x5a, sizeof(reference));
    if (!fl_flight_reference_read((struct fl_flight_bytes){data, size}, &reference, &fault)) {
        require(fault.code != FL_FLIGHT_NONE && fault.why && is_untouched(&reference));
        return 0;
    }
    require(memchr(reference.endpoint, '\0', sizeof(reference.endpoint)) != NULL);
    require(memchr(reference.key.text, '\0', sizeof(reference.key.text)) != NULL);
    check_round_trip(&reference);
    return 0;
}
