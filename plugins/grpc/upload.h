/* SPDX-License-Identifier: Apache-2.0 */
/* One DoPut: the file in rows of 1 MiB, as it is read; or as one row, for servers that take no
 * other. The server keeps nothing of an upload that we break off, so a source that turns out to be
 * another one is simply not ended. One thread. */
#ifndef FL_GRPC_UPLOAD_H
#define FL_GRPC_UPLOAD_H

#include "call.h"
#include "flight/key.h"
#include "flight/reference.h"

struct fl_grpc_upload {
    struct fl_grpc_exchange *exchange;
    const struct fl_flight_key *key;
    struct fl_grpc_call *call; /* ended, unless refused */
    uint64_t size;             /* bytes of the file */
    bool is_all_sent;          /* the server may have stored it, whatever it says */
    bool has_reference;        /* it said what it stored */
    struct fl_flight_reference reference;
};

/* Returns OK once the server has ended the call: fl_grpc_call_end() says how. A failure is of the
 * source, of the host or of an answer that makes no sense. The caller clears the upload. */
int32_t fl_grpc_upload_rows(struct fl_grpc_upload *upload);
int32_t fl_grpc_upload_one_row(struct fl_grpc_upload *upload);

/* Forget the call and what it brought. */
void fl_grpc_upload_clear(struct fl_grpc_upload *upload);

#endif
