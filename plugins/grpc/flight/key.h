/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of Flame's object cache, and the tickets and descriptors that carry them.
 *
 * A key is <application>/<session>/<object>. Two parts name all objects of a session or, for a
 * store, leave the object's name to the server; with '*' for the session, all of an application.
 * The cache refuses empty parts, ".." anywhere and "\"; what has a ':' it stores and can never find
 * again, since a ticket is <key>:<version>. So do we, and we refuse what is no UTF-8 or holds
 * control characters. Any thread. */
#ifndef FL_FLIGHT_KEY_H
#define FL_FLIGHT_KEY_H

#include "buffer.h"
#include "fault.h"

#define FL_FLIGHT_KEY_MAX 1024 /* bytes */

enum fl_flight_key_kind {
    FL_FLIGHT_KEY_OBJECT = 1,      /* three parts */
    FL_FLIGHT_KEY_SESSION = 2,     /* two parts */
    FL_FLIGHT_KEY_APPLICATION = 4, /* two parts, the second is "*" */
};

struct fl_flight_key {
    char text[FL_FLIGHT_KEY_MAX + 1];
    enum fl_flight_key_kind kind;
};

/* From plain text, as it stands in a ticket or a descriptor. `kinds`: which are wanted, ORed. KEY
 * otherwise; *key is untouched then. */
bool fl_flight_key_parse(struct fl_flight_key *key, struct fl_flight_bytes text, uint32_t kinds,
                         struct fl_flight_fault *fault);

/* From the path of a URL, "/app/session/object": percent-encodings are decoded, once. An encoded
 * '/' is refused, it would make another part. */
bool fl_flight_key_decode(struct fl_flight_key *key, const char *path, uint32_t kinds,
                          struct fl_flight_fault *fault);

/* Append the path of a URL that decodes to the key, with the '/' in front. */
bool fl_flight_key_encode(const struct fl_flight_key *key, struct fl_flight_buffer *out);

/* Does a key name this object, given as three parts? An object itself; a session or an application
 * what is inside. */
bool fl_flight_key_covers(const struct fl_flight_key *key, const char *object);

/* Append a ticket. Version 0 = the object, whatever the caller has. false = no memory. */
bool fl_flight_ticket_write(struct fl_flight_buffer *out, const struct fl_flight_key *key,
                            uint64_t version);

/* <key> or <key>:<version>, three parts; without a version it is 0. KEY otherwise. */
bool fl_flight_ticket_parse(struct fl_flight_bytes ticket, struct fl_flight_key *key,
                            uint64_t *version, struct fl_flight_fault *fault);

/* Append a FlightDescriptor, as DoPut and GetFlightInfo want it: a path of one element, the key. */
bool fl_flight_descriptor_write(struct fl_flight_buffer *out, const struct fl_flight_key *key);

/* What a FlightDescriptor names: the path of DoPut, or with *is_patch the command "PATCH:<key>",
 * which has three parts whatever `kinds` says. KEY or MALFORMED otherwise. */
bool fl_flight_descriptor_parse(struct fl_flight_bytes descriptor, uint32_t kinds,
                                struct fl_flight_key *key, bool *is_patch,
                                struct fl_flight_fault *fault);

#endif
