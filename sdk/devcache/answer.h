/* SPDX-License-Identifier: Apache-2.0 */
/* What DoGet answers: a schema, then the parts of the object that the client does not have.
 *
 * A ticket <key>:<version> of the current version gets the schema alone: not modified. 0.6 sends to
 * a client that has the base, or a patch, the newer patches only; 0.5 has no column `kind`, its
 * patches carry version 0 and do not make the object a newer one. Any other version gets all. A
 * table goes out as it came, whatever the layout and the compression, its schema with the version.
 *
 * Layout ONE maps the file and sends each part as one row in one message; BATCHES reads 1 MiB at a
 * time, and compresses that. One thread at a time. No gRPC. */
#ifndef FL_CACHE_ANSWER_H
#define FL_CACHE_ANSWER_H

#include "service.h"

struct fl_cache_answer;

/* NULL = refused: a bad ticket, no such object. */
struct fl_cache_answer *fl_cache_answer_new(const struct fl_cache_service *service,
                                            struct fl_flight_bytes ticket,
                                            struct fl_cache_status *status);

/* See fl_cache_reply_next(). */
enum fl_cache_step fl_cache_answer_next(struct fl_cache_answer *answer,
                                        struct fl_cache_message *out,
                                        struct fl_cache_status *status);

/* See fl_cache_reply_spoil_schema(), fl_cache_reply_drop_last(). */
void fl_cache_answer_spoil_schema(struct fl_cache_answer *answer);
void fl_cache_answer_drop_last(struct fl_cache_answer *answer);

/* Takes NULL. Pieces that are still held elsewhere stay good, also without the store. */
void fl_cache_answer_free(struct fl_cache_answer *answer);

#endif
