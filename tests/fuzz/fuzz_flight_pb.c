/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as each of Flight's small messages: views stay inside, and what was read and written is
 * read as the same. */
#include "messages.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool same(struct fl_flight_bytes a, struct fl_flight_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void check_descriptor(struct fl_flight_bytes message)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_descriptor first;
    struct fl_flight_descriptor again;

    if (!fl_flight_read_descriptor(message, &first, &fault)) {
        require(fault.code == FL_FLIGHT_MALFORMED && fault.why);
        return;
    }
    fl_flight_write_descriptor(&out, &first);
    require(fl_flight_read_descriptor(fl_flight_buffer_view(&out), &again, &fault));
    require(first.type == again.type && same(first.cmd, again.cmd));
    require(first.paths == again.paths || first.paths > FL_FLIGHT_PATH_MAX);
    for (uint32_t i = 0; i < again.paths; i++)
        require(same(first.path[i], again.path[i]));
    fl_flight_buffer_done(&out);
}

static void check_info(struct fl_flight_bytes message)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_info first;
    struct fl_flight_info again;

    if (!fl_flight_read_info(message, &first, &fault)) {
        require(fault.code == FL_FLIGHT_MALFORMED && fault.why);
        return;
    }
    fl_flight_write_info(&out, &first);
    require(fl_flight_read_info(fl_flight_buffer_view(&out), &again, &fault));
    require(same(first.schema, again.schema) && same(first.descriptor, again.descriptor));
    require(first.total_bytes == again.total_bytes && first.total_records == again.total_records);
    for (uint32_t i = 0; i < again.endpoints; i++)
        require(same(first.endpoint[i].ticket, again.endpoint[i].ticket));
    if (first.schema.size > 0)
        require(fl_flight_schema_message(first.schema).size <= first.schema.size);
    fl_flight_buffer_done(&out);
}

static void check_action(struct fl_flight_bytes message)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_action first;
    struct fl_flight_action again;

    if (!fl_flight_read_action(message, &first, &fault))
        return;
    fl_flight_write_action(&out, &first);
    require(fl_flight_read_action(fl_flight_buffer_view(&out), &again, &fault));
    require(same(first.type, again.type) && same(first.body, again.body));
    fl_flight_buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fl_flight_bytes message = {data, size};

    check_descriptor(message);
    check_info(message);
    check_action(message);
    return 0;
}
