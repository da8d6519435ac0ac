/* SPDX-License-Identifier: Apache-2.0 */
/* Where an object cache is: "grpc://host:9090", a scheme of the grpc plugin, a host, a port, and
 * nothing else. No state; any thread. */
#ifndef SDK_OBJECT_ENDPOINT_H
#define SDK_OBJECT_ENDPOINT_H

#include "base/error.h"
#include "key.h"

/* The origin of an endpoint, normalised, its scheme grpc or grpcs; `said_by` (or NULL) is who named
 * it, for the message. *out: free() it. Fails with INVALID, NO_MEMORY. */
int32_t sdk_endpoint_origin(const char *endpoint, const char *said_by, char **out,
                            struct flame_error *err) FL_CHECK;

/* The URL of a key at an origin. NULL = no memory. */
char *sdk_endpoint_url(const char *origin, const struct fl_flight_key *key) FL_CHECK;

/* A key as plain text. Fails with INVALID, and says which key. */
int32_t sdk_key_parse(const char *text, uint32_t wanted, struct fl_flight_key *out,
                      struct flame_error *err) FL_CHECK;

#endif
