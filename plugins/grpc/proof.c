/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"

#include "flight/reader.h"
#include "message.h"

struct question {
    struct fl_flight_reader *reader;
    bool has_row;
    bool is_begun; /* the schema came */
};

static int32_t note_row(void *context, const struct fl_flight_row *row)
{
    struct question *question = context;

    (void)row;
    question->has_row = true;
    return FLAME_ENOUGH;
}

static int32_t ignore_bytes(void *context, const struct flame_slice *slices, uint32_t count)
{
    (void)context;
    (void)slices;
    (void)count;
    return FLAME_OK;
}

static bool begin_message(void *context, uint64_t size)
{
    return fl_flight_reader_begin(((struct question *)context)->reader, size);
}

static bool take_slices(void *context, const struct flame_slice *slices, uint32_t count)
{
    return fl_flight_reader_push(((struct question *)context)->reader, slices, count);
}

static enum fl_grpc_proof judge(const struct question *question, enum fl_grpc_event event,
                                const struct fl_grpc_end *end)
{
    struct fl_flight_summary summary;

    if (question->has_row)
        return FL_GRPC_HAS_ANOTHER;
    if (event != FL_GRPC_OVER || !end->is_from_peer)
        return FL_GRPC_NO_ANSWER;
    if (end->code != 0)
        return FL_GRPC_HAS_NONE;
    (void)fl_flight_reader_finish(question->reader, &summary);
    return fl_flight_reader_fault(question->reader)->code == FL_FLIGHT_NO_ROWS ? FL_GRPC_HAS_IT
                                                                               : FL_GRPC_NO_ANSWER;
}

/* If the version is another one, all of the object may come in one message, which takes its time.
 * Told once: messages without a row do not feed the clock. */
static void note_schema(struct fl_grpc_exchange *exchange, struct fl_grpc_call *call,
                        struct question *question)
{
    if (question->is_begun || !fl_flight_reader_has_schema(question->reader))
        return;
    question->is_begun = true;
    fl_grpc_progress(exchange, FLAME_PHASE_BODY);
    fl_grpc_call_vouch(call, true);
}

static int32_t ask(struct fl_grpc_exchange *exchange, struct fl_grpc_call *call,
                   struct question *question, enum fl_grpc_proof *proof)
{
    const struct fl_grpc_receiver receiver = {question, begin_message, take_slices};
    enum fl_grpc_event event;

    while ((event = fl_grpc_call_receive(call, &receiver)) == FL_GRPC_DONE)
        note_schema(exchange, call, question);
    if (event == FL_GRPC_STOPPED)
        return exchange->refused;
    *proof = judge(question, event, fl_grpc_call_end(call));
    return FLAME_OK;
}

int32_t fl_grpc_prove(struct fl_grpc_exchange *exchange, const struct fl_flight_key *key,
                      uint64_t version, enum fl_grpc_proof *proof)
{
    struct question question = {.has_row = false};
    const struct fl_flight_reader_config config = {.context = &question,
                                                   .sink = ignore_bytes,
                                                   .row = note_row,
                                                   .max_bytes = UINT64_MAX,
                                                   .takes_patches = true};
    struct fl_grpc_call *call = NULL;
    int32_t status;

    question.reader = fl_flight_reader_new(&config);
    if (!question.reader)
        return fl_grpc_fail_memory(exchange);
    status = fl_grpc_call_get(exchange, key, version, &call);
    if (status == FLAME_OK)
        status = ask(exchange, call, &question, proof);
    fl_grpc_call_free(call);
    fl_flight_reader_free(question.reader);
    return status;
}
