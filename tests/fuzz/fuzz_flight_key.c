/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a key, a path, a ticket, the result of a store: what is accepted keeps the rules of
 * the cache, and comes back from what is written of it. */
#include "reference.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANY (FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION | FL_FLIGHT_KEY_APPLICATION)

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_key(const struct fl_flight_key *key)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer path = {.size = 0};
    struct fl_flight_key again;

    require(strlen(key->text) <= FL_FLIGHT_KEY_MAX);
    require(!strstr(key->text, "..") && !strpbrk(key->text, "\\:\n") && !strstr(key->text, "//"));
    require(fl_flight_key_encode(key, &path) && fl_flight_buffer_add(&path, "", 1));
    require(fl_flight_key_decode(&again, (const char *)path.data, ANY, &fault));
    require(strcmp(again.text, key->text) == 0 && again.kind == key->kind);
    require(key->kind == FL_FLIGHT_KEY_APPLICATION ||
            (key->kind == FL_FLIGHT_KEY_OBJECT) == fl_flight_key_covers(key, key->text));
    fl_flight_buffer_done(&path);
}

static void check_ticket(struct fl_flight_bytes bytes)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_key key;
    struct fl_flight_key again;
    uint64_t version;
    uint64_t second;

    if (!fl_flight_ticket_parse(bytes, &key, &version, &fault)) {
        require(fault.code == FL_FLIGHT_KEY && fault.why);
        return;
    }
    check_key(&key);
    require(fl_flight_ticket_write(&out, &key, version));
    require(fl_flight_ticket_parse(fl_flight_buffer_view(&out), &again, &second, &fault));
    require(version == second && strcmp(key.text, again.text) == 0);
    fl_flight_buffer_done(&out);
}

static void check_reference(struct fl_flight_bytes bytes)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer out = {.size = 0};
    struct fl_flight_reference first;
    struct fl_flight_reference again;

    if (!fl_flight_reference_read(bytes, &first, &fault))
        return;
    check_key(&first.key);
    require(fl_flight_reference_write(&out, &first, &fault));
    require(fl_flight_reference_read(fl_flight_buffer_view(&out), &again, &fault));
    require(strcmp(first.endpoint, again.endpoint) == 0 && first.version == again.version);
    fl_flight_buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_bytes bytes = {data, size};
    char *path = malloc(size + 1);
    struct fl_flight_key key;

    require(path != NULL);
    if (size > 0)
        memcpy(path, data, size);
    path[size] = '\0';
    if (fl_flight_key_parse(&key, bytes, ANY, &fault))
        check_key(&key);
    fault = (struct fl_flight_fault){FL_FLIGHT_NONE, NULL};
    if (fl_flight_key_decode(&key, path, ANY, &fault))
        check_key(&key);
    check_ticket(bytes);
    check_reference(bytes);
    free(path);
    return 0;
}
