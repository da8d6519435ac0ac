/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include "messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WILD "*"
#define PATCH "PATCH:"

static bool refuse(struct fl_flight_fault *fault, const char *why)
{
    return fl_flight_fail(fault, FL_FLIGHT_KEY, why);
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Length of the UTF-8 sequence that `lead` begins; 0 = none does. */
static size_t sequence_size(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The second byte excludes what is too long for its value, surrogates, and what is over U+10FFFF.
 */
static bool is_second(uint8_t lead, uint8_t second)
{
    if (lead == 0xe0)
        return second >= 0xa0;
    if (lead == 0xed)
        return second < 0xa0;
    if (lead == 0xf0)
        return second >= 0x90;
    return lead != 0xf4 || second < 0x90;
}

static bool is_utf8(struct fl_flight_bytes text)
{
    size_t at = 0;

    while (at < text.size) {
        size_t size = sequence_size(text.data[at]);

        if (size == 0 || size > text.size - at)
            return false;
        if (size > 1 && !is_second(text.data[at], text.data[at + 1]))
            return false;
        for (size_t i = 1; i < size; i++) {
            if ((text.data[at + i] & 0xc0) != 0x80)
                return false;
        }
        at += size;
    }
    return true;
}

static const char *text_fault(struct fl_flight_bytes text)
{
    if (text.size > FL_FLIGHT_KEY_MAX)
        return "the key is too long";
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            return "the key holds a control character";
        if (text.data[i] == '\\')
            return "the key holds a backslash";
        if (text.data[i] == ':')
            return "the key holds a ':', the cache could never find it";
    }
    return is_utf8(text) ? NULL : "the key is no utf-8";
}

/* ---- parts ----------------------------------------------------------------------------------- */

static bool is_part(const char *part, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++) {
        if (part[i] == '.' && part[i + 1] == '.')
            return false;
    }
    return size > 0;
}

static bool is_wild(const char *part, size_t size)
{
    return size == 1 && part[0] == WILD[0];
}

/* Sets the kind. A '*' for a whole part is a wildcard, and only the second of two may be one. */
static const char *parts_fault(struct fl_flight_key *key)
{
    const char *part = key->text;
    uint32_t parts = 0;
    uint32_t wild = 0; /* which part, from 1 */

    for (;;) {
        size_t size = strcspn(part, "/");

        parts++;
        if (!is_part(part, size))
            return "the key has an empty part or '..'";
        if (is_wild(part, size))
            wild = wild ? UINT32_MAX : parts;
        if (!part[size])
            break;
        part += size + 1;
    }
    if (parts != 2 && parts != 3)
        return "the key is not <application>/<session>/<object>";
    if (wild && (wild != 2 || parts != 2))
        return "the key has a '*' where no wildcard can be";
    key->kind = parts == 3 ? FL_FLIGHT_KEY_OBJECT
                           : (wild ? FL_FLIGHT_KEY_APPLICATION : FL_FLIGHT_KEY_SESSION);
    return NULL;
}

static const char *kind_fault(enum fl_flight_key_kind kind)
{
    switch (kind) {
    case FL_FLIGHT_KEY_SESSION:
        return "the key names a session, not an object";
    case FL_FLIGHT_KEY_APPLICATION:
        return "the key names an application, not an object";
    default:
        return "the key names an object";
    }
}

bool fl_flight_key_parse(struct fl_flight_key *key, struct fl_flight_bytes text, uint32_t kinds,
                         struct fl_flight_fault *fault)
{
    const char *why = text_fault(text);
    struct fl_flight_key read;

    if (why)
        return refuse(fault, why);
    if (text.size > 0)
        memcpy(read.text, text.data, text.size);
    read.text[text.size] = '\0';
    why = parts_fault(&read);
    if (why)
        return refuse(fault, why);
    if (!(kinds & (uint32_t)read.kind))
        return refuse(fault, kind_fault(read.kind));
    *key = read;
    return true;
}

/* ---- urls ------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte at *at, which moves behind it; -1 for a broken encoding or an encoded '/'. */
static int decode_byte(const char **at)
{
    int high;
    int low;

    if (**at != '%')
        return (uint8_t) * (*at)++;
    high = hex_digit((*at)[1]);
    low = high < 0 ? -1 : hex_digit((*at)[2]);
    *at += low < 0 ? 0 : 3;
    return low < 0 || high * 16 + low == '/' ? -1 : high * 16 + low;
}

bool fl_flight_key_decode(struct fl_flight_key *key, const char *path, uint32_t kinds,
                          struct fl_flight_fault *fault)
{
    uint8_t text[FL_FLIGHT_KEY_MAX];
    size_t size = 0;

    if (*path != '/')
        return refuse(fault, "the url has no key");
    for (path++; *path;) {
        int byte = decode_byte(&path);

        if (byte < 0)
            return refuse(fault, "the key has a malformed percent-encoding or an encoded '/'");
        if (size == sizeof(text))
            return refuse(fault, "the key is too long");
        text[size++] = (uint8_t)byte;
    }
    return fl_flight_key_parse(key, (struct fl_flight_bytes){text, size}, kinds, fault);
}

bool fl_flight_key_encode(const struct fl_flight_key *key, struct fl_flight_buffer *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~!$&'()*+,;=@/";
    char hex[4];

    (void)fl_flight_buffer_add(out, "/", 1);
    for (const char *at = key->text; *at; at++) {
        (void)snprintf(hex, sizeof(hex), "%%%02X", (unsigned)(uint8_t)*at);
        if (strchr(plain, *at))
            (void)fl_flight_buffer_add(out, at, 1);
        else
            (void)fl_flight_buffer_add(out, hex, 3);
    }
    return !out->failed;
}

/* ---- meaning --------------------------------------------------------------------------------- */

bool fl_flight_key_covers(const struct fl_flight_key *key, const char *object)
{
    size_t size = strlen(key->text);

    if (key->kind == FL_FLIGHT_KEY_OBJECT)
        return strcmp(key->text, object) == 0;
    if (key->kind == FL_FLIGHT_KEY_APPLICATION)
        size -= strlen("/" WILD);
    return strncmp(key->text, object, size) == 0 && object[size] == '/';
}

bool fl_flight_ticket_write(struct fl_flight_buffer *out, const struct fl_flight_key *key,
                            uint64_t version)
{
    char number[24];
    int size = snprintf(number, sizeof(number), ":%" PRIu64, version);

    return fl_flight_buffer_add(out, key->text, strlen(key->text)) &&
           fl_flight_buffer_add(out, number, (size_t)size);
}

/* One to twenty digits and nothing else. */
static bool read_version(const uint8_t *at, size_t size, uint64_t *version)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++) {
        uint64_t digit = (uint64_t)at[i] - '0';

        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *version = value;
    return size > 0;
}

bool fl_flight_ticket_parse(struct fl_flight_bytes ticket, struct fl_flight_key *key,
                            uint64_t *version, struct fl_flight_fault *fault)
{
    const uint8_t *colon = ticket.size > 0 ? memchr(ticket.data, ':', ticket.size) : NULL;
    struct fl_flight_bytes text = {ticket.data, ticket.size};
    uint64_t read = 0;

    if (colon) {
        text.size = (size_t)(colon - ticket.data);
        if (!read_version(colon + 1, ticket.size - text.size - 1, &read))
            return refuse(fault, "the ticket's version is no number");
    }
    if (!fl_flight_key_parse(key, text, FL_FLIGHT_KEY_OBJECT, fault))
        return false;
    *version = read;
    return true;
}

bool fl_flight_descriptor_write(struct fl_flight_buffer *out, const struct fl_flight_key *key)
{
    struct fl_flight_descriptor descriptor = {.type = FL_FLIGHT_DESCRIPTOR_PATH, .paths = 1};

    descriptor.path[0] = fl_flight_text(key->text);
    fl_flight_write_descriptor(out, &descriptor);
    return !out->failed;
}

bool fl_flight_descriptor_parse(struct fl_flight_bytes descriptor, uint32_t kinds,
                                struct fl_flight_key *key, bool *is_patch,
                                struct fl_flight_fault *fault)
{
    size_t prefix = strlen(PATCH);
    struct fl_flight_descriptor read;
    bool is_command;

    if (!fl_flight_read_descriptor(descriptor, &read, fault))
        return false;
    is_command = read.type == FL_FLIGHT_DESCRIPTOR_CMD && read.cmd.size >= prefix &&
                 memcmp(read.cmd.data, PATCH, prefix) == 0;
    if (!is_command && (read.type != FL_FLIGHT_DESCRIPTOR_PATH || read.paths != 1))
        return refuse(fault, "the descriptor has neither a path of one key nor a patch");
    if (is_command) {
        kinds = FL_FLIGHT_KEY_OBJECT;
        read.path[0] = (struct fl_flight_bytes){read.cmd.data + prefix, read.cmd.size - prefix};
    }
    if (!fl_flight_key_parse(key, read.path[0], kinds, fault))
        return false;
    *is_patch = is_command;
    return true;
}
