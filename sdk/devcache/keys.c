/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include "messages.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SHOWN_MAX 256
#define PATCH "PATCH:"

static struct fl_flight_bytes next_part(struct fl_flight_bytes *left)
{
    const uint8_t *slash = left->size > 0 ? memchr(left->data, '/', left->size) : NULL;
    struct fl_flight_bytes part = {left->data, slash ? (size_t)(slash - left->data) : left->size};
    size_t skip = part.size + (slash != NULL);

    left->data += skip;
    left->size -= skip;
    return part;
}

static bool is_bad(struct fl_flight_bytes part)
{
    for (size_t i = 0; i < part.size; i++) {
        if (part.data[i] == '\\' ||
            (part.data[i] == '.' && i + 1 < part.size && part.data[i + 1] == '.'))
            return true;
    }
    return part.size == 0;
}

static size_t count_parts(struct fl_flight_bytes text)
{
    size_t parts = 1;

    for (size_t i = 0; i < text.size; i++)
        parts += text.data[i] == '/';
    return parts;
}

/* The first thing that the real cache would complain of; else what key.h says. */
static bool refuse(struct fl_flight_bytes text, uint32_t kinds, const char *why,
                   struct fl_cache_status *status)
{
    bool is_object = kinds == FL_FLIGHT_KEY_OBJECT;
    size_t parts = count_parts(text);
    struct fl_flight_bytes left = text;
    char shown[SHOWN_MAX + 1];

    fl_cache_show(text, shown, sizeof(shown));
    if (is_object && parts != 3)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                             "Invalid key '%s': expected '<app>/<ssn>/<uuid>'", shown);
    for (size_t i = 0; i < parts; i++) {
        struct fl_flight_bytes part = next_part(&left);

        if (!is_bad(part))
            continue;
        fl_cache_show(part, shown, sizeof(shown));
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "Invalid key component: '%s'",
                             shown);
    }
    if (parts != 2 && parts != 3)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                             "Invalid path '%s': expected '<app>/<ssn>' or '<app>/<ssn>/<uuid>'",
                             shown);
    return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "Invalid key '%s': %s", shown, why);
}

bool fl_cache_key_read(struct fl_flight_bytes text, uint32_t kinds, struct fl_flight_key *key,
                       struct fl_cache_status *status)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};

    return fl_flight_key_parse(key, text, kinds, &fault) || refuse(text, kinds, fault.why, status);
}

bool fl_cache_ticket_read(struct fl_flight_bytes ticket, struct fl_flight_key *key,
                          uint64_t *version, struct fl_cache_status *status)
{
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    const uint8_t *colon = ticket.size > 0 ? memchr(ticket.data, ':', ticket.size) : NULL;
    struct fl_flight_bytes text = {ticket.data,
                                   colon ? (size_t)(colon - ticket.data) : ticket.size};

    if (!fl_cache_key_read(text, FL_FLIGHT_KEY_OBJECT, key, status))
        return false;
    return fl_flight_ticket_parse(ticket, key, version, &fault) ||
           fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "Invalid ticket: %s", fault.why);
}

bool fl_cache_descriptor_read(struct fl_flight_bytes descriptor, struct fl_flight_key *key,
                              bool *is_patch, struct fl_cache_status *status)
{
    const uint32_t kinds = FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION;
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_descriptor read;

    if (fl_flight_descriptor_parse(descriptor, kinds, key, is_patch, &fault))
        return true;
    if (fault.code != FL_FLIGHT_KEY || !fl_flight_read_descriptor(descriptor, &read, &fault))
        return fl_cache_fail_fault(status, &fault);
    if (read.type == FL_FLIGHT_DESCRIPTOR_PATH && read.paths == 1)
        return refuse(read.path[0], kinds, fault.why, status);
    if (read.type != FL_FLIGHT_DESCRIPTOR_CMD || read.cmd.size < strlen(PATCH) ||
        memcmp(read.cmd.data, PATCH, strlen(PATCH)) != 0)
        return fl_cache_fail_fault(status, &fault);
    read.cmd.data += strlen(PATCH);
    read.cmd.size -= strlen(PATCH);
    return refuse(read.cmd, FL_FLIGHT_KEY_OBJECT, fault.why, status);
}

bool fl_cache_key_complete(struct fl_flight_key *key, struct fl_cache_status *status)
{
    size_t size = strlen(key->text);
    uint8_t random[16];
    char uuid[40];

    if (key->kind == FL_FLIGHT_KEY_OBJECT)
        return true;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return fl_cache_fail_errno(status, "could not name the object");
    random[6] = (uint8_t)((random[6] & 0x0f) | 0x40); /* RFC 9562: version 4, variant 1 */
    random[8] = (uint8_t)((random[8] & 0x3f) | 0x80);
    (void)snprintf(uuid, sizeof(uuid),
                   "/%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   random[0], random[1], random[2], random[3], random[4], random[5], random[6],
                   random[7], random[8], random[9], random[10], random[11], random[12], random[13],
                   random[14], random[15]);
    if (size + strlen(uuid) > FL_FLIGHT_KEY_MAX)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "the key is too long");
    memcpy(key->text + size, uuid, strlen(uuid) + 1);
    key->kind = FL_FLIGHT_KEY_OBJECT;
    return true;
}
