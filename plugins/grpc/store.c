/* SPDX-License-Identifier: Apache-2.0 */
/* DoPut, and the proof that what was sent is there. */
#include "channel.h"
#include "message.h"
#include "proof.h"
#include "slot.h"
#include "source.h"
#include "status.h"
#include "upload.h"
#include "version.h"

#include <inttypes.h>
#include <string.h>

#define INVALID_ARGUMENT 3
#define RESOURCE_EXHAUSTED 8

static int32_t fail_unknown(const struct fl_grpc_exchange *exchange, const char *what)
{
    return fl_grpc_fail(exchange, FLAME_ERR_UNKNOWN_OUTCOME, what);
}

/* What the cache has confirmed must be what it has. */
static int32_t prove(struct fl_grpc_exchange *exchange, const struct fl_flight_reference *stored)
{
    enum fl_grpc_proof proof = FL_GRPC_NO_ANSWER;
    int32_t status = fl_grpc_prove(exchange, &stored->key, stored->version, &proof);

    if (status != FLAME_OK)
        return status;
    switch (proof) {
    case FL_GRPC_HAS_IT:
        return FLAME_OK;
    case FL_GRPC_HAS_ANOTHER:
        return fail_unknown(exchange, "the cache has confirmed a version, and has another one now");
    case FL_GRPC_HAS_NONE:
        return fail_unknown(exchange, "the cache has confirmed a version, but does not have it");
    case FL_GRPC_NO_ANSWER:
        break;
    }
    return fail_unknown(exchange, "the cache has confirmed a version, but does not show it");
}

/* ---- what was made --------------------------------------------------------------------------- */

static int32_t report_stored(const struct fl_grpc_upload *upload)
{
    const struct fl_grpc_exchange *exchange = upload->exchange;
    const struct flame_host *host = exchange->host;
    const struct fl_flight_reference *stored = &upload->reference;
    struct flame_object object = FLAME_INIT(flame_object);
    struct fl_flight_buffer path = {.size = 0};
    char version[FL_GRPC_VERSION_SIZE];
    int32_t status;

    fl_grpc_version_write(stored->version, version);
    host->metadata(exchange->transfer, FLAME_META_VERSION, version);
    host->metadata(exchange->transfer, FLAME_META_FLIGHT_KEY, stored->key.text);
    host->metadata(exchange->transfer, FLAME_META_FLIGHT_ENDPOINT, stored->endpoint);
    if (!fl_flight_key_encode(&stored->key, &path) || !fl_flight_buffer_add(&path, "", 1)) {
        fl_flight_buffer_done(&path);
        return fl_grpc_fail_memory(exchange);
    }
    object.flags = FLAME_OBJECT_SIZE;
    object.total_size = upload->size;
    object.validator = version;
    /* Relative: the endpoint is the cache's own idea, and may not be reachable from here. */
    object.url = (const char *)path.data;
    status = host->report(exchange->transfer, &object);
    fl_flight_buffer_done(&path);
    return status == FLAME_OK ? flame_finish(host, exchange->transfer, FLAME_PROOF_VERIFIED)
                              : status;
}

static int32_t finish(const struct fl_grpc_upload *upload)
{
    struct fl_grpc_exchange *exchange = upload->exchange;
    int32_t status;

    if (!upload->has_reference)
        return flame_finish(exchange->host, exchange->transfer, FLAME_PROOF_NONE);
    if (!fl_flight_key_covers(upload->key, upload->reference.key.text))
        return fail_unknown(exchange, "the cache says that it has stored another object");
    status = prove(exchange, &upload->reference);
    return status == FLAME_OK ? report_stored(upload) : status;
}

/* ---- how it ended ---------------------------------------------------------------------------- */

static int32_t judge_refusal(struct fl_grpc_upload *upload, const struct fl_grpc_end *end)
{
    struct fl_grpc_exchange *exchange = upload->exchange;

    if (upload->has_reference)
        return fail_unknown(exchange, "the cache has stored the object, and then failed");
    if (end->is_from_peer && end->code == RESOURCE_EXHAUSTED)
        return flame_fail(exchange->host, exchange->err, FLAME_ERR_STORE_REFUSED,
                          "the cache has no room: %s", end->details);
    if (end->is_from_peer || !upload->is_all_sent)
        return fl_grpc_fail_end(exchange, end, true);
    return flame_fail(exchange->host, exchange->err, FLAME_ERR_UNKNOWN_OUTCOME,
                      "all was sent, but the cache did not answer: %s", end->details);
}

static int32_t judge(struct fl_grpc_upload *upload)
{
    const struct fl_grpc_end *end = fl_grpc_call_end(upload->call);

    if (end->code != 0)
        return judge_refusal(upload, end);
    /* A version of it may be there, with a part of the bytes. */
    if (!upload->is_all_sent)
        return fail_unknown(upload->exchange, "the cache has ended the upload before it had all");
    return finish(upload);
}

/* Servers of the 0.5 line. */
static bool wants_one_row(const struct fl_grpc_upload *upload)
{
    const struct fl_grpc_end *end = fl_grpc_call_end(upload->call);

    return end->is_from_peer && end->code == INVALID_ARGUMENT &&
           strstr(end->details, "exactly one row");
}

static int32_t upload_again(struct fl_grpc_upload *upload)
{
    struct fl_grpc_exchange *exchange = upload->exchange;

    if (!(exchange->request->flags & FLAME_REQUEST_SOURCE_SIZE))
        return fl_grpc_fail(exchange, FLAME_ERR_UNSUPPORTED,
                            "this cache takes an object as one row only, and a stream cannot be "
                            "sent a second time");
    fl_grpc_upload_clear(upload);
    exchange->channel->takes_one_row = true;
    return fl_grpc_upload_one_row(upload);
}

static int32_t store(struct fl_grpc_upload *upload)
{
    const struct flame_request *request = upload->exchange->request;
    bool is_file = (request->flags & FLAME_REQUEST_SOURCE_SIZE) != 0;
    int32_t status;

    if (upload->exchange->channel->takes_one_row && is_file &&
        request->source_size <= FL_GRPC_STORE_MAX)
        status = fl_grpc_upload_one_row(upload);
    else
        status = fl_grpc_upload_rows(upload);
    if (status == FLAME_OK && wants_one_row(upload))
        status = upload_again(upload);
    return status == FLAME_OK ? judge(upload) : status;
}

int32_t fl_grpc_store(struct fl_grpc_exchange *exchange)
{
    struct fl_flight_key key;
    struct fl_grpc_upload upload = {.exchange = exchange, .key = &key};
    int32_t status = fl_grpc_key_read(exchange, FL_FLIGHT_KEY_OBJECT | FL_FLIGHT_KEY_SESSION, &key);

    if (status == FLAME_OK)
        status = store(&upload);
    fl_grpc_upload_clear(&upload);
    return status;
}
