/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, tickets and descriptors as clients send them: what is wrong is said in the words that
 * flame-object-cache was recorded with. What key.h refuses beyond that (a ':', control characters,
 * too long) is said in its own. Any thread. */
#ifndef FL_CACHE_KEYS_H
#define FL_CACHE_KEYS_H

#include "key.h"
#include "status.h"

/* The key of one object, of a ticket <key> or <key>:<version>. */
bool fl_cache_ticket_read(struct fl_flight_bytes ticket, struct fl_flight_key *key,
                          uint64_t *version, struct fl_cache_status *status);

/* A key of the kinds that are wanted (enum fl_flight_key_kind, ORed). */
bool fl_cache_key_read(struct fl_flight_bytes text, uint32_t kinds, struct fl_flight_key *key,
                       struct fl_cache_status *status);

/* What an upload is named: see fl_flight_descriptor_parse(). */
bool fl_cache_descriptor_read(struct fl_flight_bytes descriptor, struct fl_flight_key *key,
                              bool *is_patch, struct fl_cache_status *status);

/* Give a key of two parts its third, a random UUID. */
bool fl_cache_key_complete(struct fl_flight_key *key, struct fl_cache_status *status);

#endif
