/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that says of itself that it can do ranges and conditions, and then answers what its
 * script says (fickle.h): a part of another version, another total, from elsewhere, ... */
#include "fickle.h"

#include <flame/plugin.h>

#include <string.h>

#define PIECE (256u << 10)

FLAME_EXPORT_ struct fickle_script fickle_script;

/* Nothing to remember but the host: it serves as the instance. */
static int32_t fickle_init(const struct flame_host *host, struct flame_instance **instance,
                           struct flame_error *err)
{
    (void)err;
    *instance = (struct flame_instance *)(uintptr_t)host;
    return FLAME_OK;
}

static void fickle_shutdown(struct flame_instance *instance)
{
    (void)instance;
}

static const struct fickle_answer *next_answer(const struct flame_request *request)
{
    uint32_t number = atomic_fetch_add(&fickle_script.asked, 1);

    if (request->offset > 0)
        atomic_fetch_add(&fickle_script.rests, 1);
    return &fickle_script.answers[number < fickle_script.count ? number : fickle_script.count - 1];
}

static int is_part(const struct fickle_answer *answer, const struct flame_request *request)
{
    if (answer->flags & FICKLE_WHOLE)
        return 0;
    return (answer->flags & FICKLE_DEAF) || request->condition != FLAME_WHEN_SAME ||
           (answer->validator && strcmp(answer->validator, request->validator) == 0);
}

/* The body that follows: where it begins and ends. */
static struct flame_object describe(const struct fickle_answer *answer,
                                    const struct flame_request *request, uint64_t *end)
{
    struct flame_object object = FLAME_INIT(flame_object);

    *end = answer->size;
    object.validator = answer->validator;
    object.total_size = answer->size;
    if (is_part(answer, request)) {
        object.offset = request->offset + (uint64_t)(int64_t)answer->shift;
        if (request->length > 0 && request->length < *end - object.offset)
            *end = object.offset + request->length;
    }
    object.body_size = *end - object.offset;
    if (!(answer->flags & FICKLE_SIZELESS))
        object.flags |= FLAME_OBJECT_BODY_SIZE;
    if (!(answer->flags & (FICKLE_SIZELESS | FICKLE_TOTALLESS)))
        object.flags |= FLAME_OBJECT_SIZE;
    if ((answer->flags & FICKLE_STRONG) || (answer->validator && !(answer->flags & FICKLE_WEAK)))
        object.flags |= FLAME_OBJECT_STRONG;
    return object;
}

static int32_t deliver(const struct flame_host *host, struct flame_transfer *transfer,
                       const char *bytes, uint64_t size)
{
    int32_t status = FLAME_OK;

    for (uint64_t done = 0; status == FLAME_OK && done < size; done += PIECE)
        status =
            flame_write(host, transfer, bytes + done, size - done < PIECE ? size - done : PIECE);
    return status;
}

static int32_t fickle_fetch(struct flame_instance *instance, const struct flame_request *request,
                            struct flame_transfer *transfer, struct flame_error *err)
{
    const struct flame_host *host = (const struct flame_host *)instance;
    const struct fickle_answer *answer = next_answer(request);
    uint64_t end;
    struct flame_object object = describe(answer, request, &end);
    int is_cut = answer->cut > 0 && answer->cut < end - object.offset;
    int32_t status = FLAME_OK;

    if (!(answer->flags & FICKLE_SILENT))
        status = host->report(transfer, &object);
    if (is_cut)
        end = object.offset + answer->cut;
    if (status == FLAME_OK)
        status = deliver(host, transfer, answer->bytes + object.offset, end - object.offset);
    if (status == FLAME_OK && is_cut)
        return flame_fail(host, err, FLAME_ERR_NETWORK, "the line broke");
    return status == FLAME_OK ? flame_finish(host, transfer, FLAME_PROOF_COMPLETE) : status;
}

FLAME_PLUGIN("org.example.fickle", "1.0", "fickle", "answers as it is told")
{
    plugin->caps = FLAME_CAN_RANGE | FLAME_CAN_SAME;
    plugin->init = fickle_init;
    plugin->shutdown = fickle_shutdown;
    plugin->fetch = fickle_fetch;
}
