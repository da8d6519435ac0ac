/* SPDX-License-Identifier: Apache-2.0 */
/* What DoPut brings, message by message: an object or a patch, written to a draft as it comes.
 *
 * The first message names the object: a path of one key, of two parts where the server is to invent
 * the third, or "PATCH:<key>". The rows of {version, data} are one object, their versions mean
 * nothing. The dialect 0.5 takes one row only. A table that says so (flame.cache.format) is kept as
 * it is, message by message; 0.5 does not know that. Nothing is seen by others before finish.
 * Memory is bounded, whatever comes. No gRPC; one thread at a time. */
#ifndef FL_CACHE_UPLOAD_H
#define FL_CACHE_UPLOAD_H

#include "service.h"

struct fl_cache_upload;

/* NULL = failed. */
struct fl_cache_upload *fl_cache_upload_new(const struct fl_cache_service *service,
                                            struct fl_cache_status *status);

/* The next FlightData. After a failure there is no use in others. */
bool fl_cache_upload_message(struct fl_cache_upload *upload, const struct flame_slice *slices,
                             uint32_t count, struct fl_cache_status *status);

/* The client has sent all. Appends the PutResult that tells what was stored. */
bool fl_cache_upload_finish(struct fl_cache_upload *upload, struct fl_flight_buffer *result,
                            struct fl_cache_status *status);

/* The object, once the first message has come; "" before. */
const char *fl_cache_upload_key(const struct fl_cache_upload *upload);

/* Takes NULL. What was not finished is forgotten. */
void fl_cache_upload_free(struct fl_cache_upload *upload);

#endif
