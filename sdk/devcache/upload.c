/* SPDX-License-Identifier: Apache-2.0 */
#include "upload.h"

#include "envelope.h"
#include "ipc.h"
#include "keys.h"
#include "messages.h"
#include "reader.h"
#include "reference.h"

#include <stdlib.h>
#include <string.h>

/* Of a file or a patch: offsets of 32 bits, as the real cache. */
#define BYTES_MAX ((uint64_t)INT32_MAX)

struct fl_cache_upload {
    const struct fl_cache_service *service;
    struct fl_flight_reader *reader;
    struct fl_cache_draft *draft;
    struct fl_flight_key key;
    struct fl_cache_status status; /* what the reader's callbacks failed with */
    uint64_t rows;
    bool is_named;
    bool is_patch;
    bool is_native;
};

/* ---- rows of a file -------------------------------------------------------------------------- */

static int32_t take_row(void *context, const struct fl_flight_row *row)
{
    struct fl_cache_upload *upload = context;

    (void)row;
    upload->rows++;
    if (upload->rows == 1 || upload->service->dialect != FL_CACHE_DIALECT_0_5)
        return FLAME_OK;
    (void)fl_cache_fail(&upload->status, FL_CACHE_INVALID_ARGUMENT, "Expected exactly one row");
    return FLAME_ERR_REMOTE;
}

static int32_t take_bytes(void *context, const struct flame_slice *slices, uint32_t count)
{
    struct fl_cache_upload *upload = context;

    return fl_cache_draft_write(upload->draft, slices, count, &upload->status) ? FLAME_OK
                                                                               : FLAME_ERR_IO;
}

/* What the reader complains of. */
static bool reader_failed(struct fl_cache_upload *upload, struct fl_cache_status *status)
{
    if (upload->status.code != FL_CACHE_OK)
        return fl_cache_fail(status, upload->status.code, "%s", upload->status.text);
    return fl_cache_fail_fault(status, fl_flight_reader_fault(upload->reader));
}

/* ---- messages of a table --------------------------------------------------------------------- */

/* Read through a whole FlightData; its header is in the envelope then. */
static bool walk(struct fl_flight_envelope *envelope, const struct flame_slice *slices,
                 uint32_t count, struct fl_flight_fault *fault)
{
    struct fl_flight_cursor cursor;
    struct fl_flight_cursor part;
    enum fl_flight_event event;

    fl_flight_cursor_init(&cursor, slices, count);
    fl_flight_envelope_begin(envelope, cursor.left);
    while ((event = fl_flight_envelope_step(envelope, &cursor, fault)) == FL_FLIGHT_EVENT_BODY)
        fl_flight_envelope_body(envelope, &cursor, &part);
    if (event == FL_FLIGHT_EVENT_MORE)
        return fl_flight_fail(fault, FL_FLIGHT_TRUNCATED, "a message is cut short");
    return event == FL_FLIGHT_EVENT_END;
}

/* A batch or a dictionary: whatever the table needs, if only it is sound. */
static bool is_batch(const struct fl_flight_envelope *envelope, struct fl_flight_fault *fault)
{
    struct fl_flight_fault judged = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_ipc ipc;

    if (!fl_flight_ipc_open(&ipc, fl_flight_buffer_view(&envelope->header), &judged))
        return judged.code == FL_FLIGHT_COLUMNS || fl_flight_fail(fault, judged.code, judged.why);
    return ipc.kind == FL_FLIGHT_IPC_BATCH ||
           fl_flight_fail(fault, FL_FLIGHT_MALFORMED, "a second schema");
}

static bool keep(struct fl_cache_upload *upload, const struct flame_slice *slices, uint32_t count,
                 struct fl_cache_status *status)
{
    return fl_cache_draft_write(upload->draft, slices, count, status) &&
           fl_cache_draft_part(upload->draft, false, status);
}

/* The schema is kept as its header alone: the descriptor goes, the version is set when asked. */
static bool take_native(struct fl_cache_upload *upload, const struct flame_slice *slices,
                        uint32_t count, struct fl_cache_status *status)
{
    struct fl_flight_envelope envelope = {.left = 0};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    bool is_schema = !upload->is_native;
    struct flame_slice header;
    bool done;

    upload->is_native = true;
    done = walk(&envelope, slices, count, &fault) && (is_schema || is_batch(&envelope, &fault));
    header = (struct flame_slice){envelope.header.data, envelope.header.size};
    if (!done)
        (void)fl_cache_fail_fault(status, &fault);
    else
        done = is_schema ? keep(upload, &header, 1, status) : keep(upload, slices, count, status);
    fl_flight_envelope_done(&envelope);
    return done;
}

/* ---- the calls ------------------------------------------------------------------------------- */

struct fl_cache_upload *fl_cache_upload_new(const struct fl_cache_service *service,
                                            struct fl_cache_status *status)
{
    struct fl_cache_upload *upload = calloc(1, sizeof(*upload));
    struct fl_flight_reader_config config = {.context = upload,
                                             .sink = take_bytes,
                                             .row = take_row,
                                             .max_bytes = BYTES_MAX,
                                             .takes_patches = true};

    if (!upload) {
        (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    upload->service = service;
    upload->reader = fl_flight_reader_new(&config);
    upload->draft = fl_cache_draft_new(service->store, status);
    if (upload->reader && upload->draft)
        return upload;
    (void)fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
    fl_cache_upload_free(upload);
    return NULL;
}

void fl_cache_upload_free(struct fl_cache_upload *upload)
{
    if (!upload)
        return;
    fl_flight_reader_free(upload->reader);
    fl_cache_draft_free(upload->draft);
    free(upload);
}

const char *fl_cache_upload_key(const struct fl_cache_upload *upload)
{
    return upload->is_named ? upload->key.text : "";
}

/* The descriptor stands in the first message. */
static bool take_name(struct fl_cache_upload *upload, struct fl_cache_status *status)
{
    struct fl_flight_bytes descriptor = fl_flight_reader_descriptor(upload->reader);

    if (upload->is_named)
        return true;
    if (descriptor.size == 0)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                             "the first message names no object");
    upload->is_named =
        fl_cache_descriptor_read(descriptor, &upload->key, &upload->is_patch, status);
    return upload->is_named;
}

bool fl_cache_upload_message(struct fl_cache_upload *upload, const struct flame_slice *slices,
                             uint32_t count, struct fl_cache_status *status)
{
    bool is_read;

    if (upload->is_native)
        return take_native(upload, slices, count, status);
    is_read = fl_flight_reader_message(upload->reader, slices, count);
    if (is_read)
        return take_name(upload, status);
    if (fl_flight_reader_fault(upload->reader)->code != FL_FLIGHT_NATIVE ||
        upload->service->dialect == FL_CACHE_DIALECT_0_5)
        return reader_failed(upload, status);
    if (!take_name(upload, status))
        return false;
    if (upload->is_patch)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "an arrow table is no patch");
    return take_native(upload, slices, count, status);
}

static bool end_file(struct fl_cache_upload *upload, struct fl_cache_status *status)
{
    struct fl_flight_summary summary;

    if (!fl_flight_reader_finish(upload->reader, &summary)) {
        if (summary.rows == 0)
            return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT, "No data received");
        return reader_failed(upload, status);
    }
    if (summary.has_kind)
        return fl_cache_fail(status, FL_CACHE_INVALID_ARGUMENT,
                             "an upload has the columns version and data, no kind");
    return fl_cache_draft_part(upload->draft, false, status);
}

static bool store(struct fl_cache_upload *upload, uint64_t *version, struct fl_cache_status *status)
{
    struct fl_cache_store *objects = upload->service->store;

    upload->draft->record.is_native = upload->is_native;
    if (upload->is_patch)
        return fl_cache_store_patch(objects, upload->draft, &upload->key, version, status);
    return fl_cache_key_complete(&upload->key, status) &&
           fl_cache_store_put(objects, upload->draft, &upload->key, version, status);
}

static bool tell(struct fl_cache_upload *upload, uint64_t version, struct fl_flight_buffer *result,
                 struct fl_cache_status *status)
{
    struct fl_flight_reference reference = {.key = upload->key, .version = version};
    struct fl_flight_fault fault = {FL_FLIGHT_NONE, NULL};
    struct fl_flight_buffer document = {.size = 0};
    bool done;

    memcpy(reference.endpoint, upload->service->endpoint, sizeof(reference.endpoint));
    done = fl_flight_reference_write(&document, &reference, &fault);
    fl_flight_write_single(result, fl_flight_buffer_view(&document));
    fl_flight_buffer_done(&document);
    if (!done)
        return fl_cache_fail_fault(status, &fault);
    return !result->failed || fl_cache_fail(status, FL_CACHE_RESOURCE_EXHAUSTED, "out of memory");
}

bool fl_cache_upload_finish(struct fl_cache_upload *upload, struct fl_flight_buffer *result,
                            struct fl_cache_status *status)
{
    uint64_t version;

    if (!upload->is_native && !end_file(upload, status))
        return false;
    return store(upload, &version, status) && tell(upload, version, result, status);
}
