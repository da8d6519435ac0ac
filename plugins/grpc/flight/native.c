/* SPDX-License-Identifier: Apache-2.0 */
#include "native.h"

#include "ipc.h"
#include "ipc_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAIRS_MAX 1024

/* The metadata pair that holds the version. false = there is none. */
static bool find_pair(struct fl_flight_ipc *ipc, struct fl_flight_table *pair)
{
    struct fl_flight_vector pairs;
    struct fl_flight_bytes key;
    struct fl_flight_bytes value;

    (void)fl_flight_fb_vector(&ipc->table, SCHEMA_METADATA, 4, &pairs);
    for (uint32_t i = 0; i < pairs.count && i < PAIRS_MAX; i++) {
        if (fl_flight_fb_table_at(&pairs, i, pair) && fl_flight_fb_string(pair, PAIR_KEY, &key) &&
            fl_flight_fb_string(pair, PAIR_VALUE, &value) &&
            fl_flight_bytes_equal(key, FL_FLIGHT_META_VERSION))
            return true;
    }
    return false;
}

static void put_little(uint8_t *at, size_t value)
{
    for (uint32_t i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* A string, which may lie anywhere behind what refers to it: at the end. Returns where it is. */
static size_t append_string(struct fl_flight_buffer *header, const char *text)
{
    size_t size = strlen(text);
    uint8_t length[4];
    size_t at;

    (void)fl_flight_buffer_add(header, NULL, (0u - header->size) & 3u);
    at = header->size;
    put_little(length, size);
    (void)fl_flight_buffer_add(header, length, sizeof(length));
    (void)fl_flight_buffer_add(header, text, size + 1);
    (void)fl_flight_buffer_add(header, NULL, (0u - header->size) & 7u);
    return at;
}

bool fl_flight_native_set_version(struct fl_flight_buffer *header, uint64_t version,
                                  struct fl_flight_fault *fault)
{
    struct fl_flight_table pair;
    struct fl_flight_ipc ipc;
    char text[24];
    bool has_pair;
    size_t slot;
    size_t at;

    if (!fl_flight_ipc_open(&ipc, fl_flight_buffer_view(header), fault))
        return false;
    has_pair = ipc.kind == FL_FLIGHT_IPC_SCHEMA && find_pair(&ipc, &pair);
    if (ipc.fb.is_bad)
        return fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a malformed arrow header");
    if (!has_pair)
        return true;
    slot = pair.at +
           (size_t)fl_flight_little(header->data + pair.vtable + 4 + (size_t)2 * PAIR_VALUE, 2);
    (void)snprintf(text, sizeof(text), "%" PRIu64, version);
    at = append_string(header, text);
    if (header->failed)
        return fl_flight_fail_memory(fault);
    put_little(header->data + slot, at - slot);
    return true;
}
