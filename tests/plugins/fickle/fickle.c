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
    if (request->offset > 0 && request->condition != FLAME_WHEN_SAME)
        atomic_fetch_add(&fickle_script.bare, 1);
    return &fickle_script.answers[number < fickle_script.count ? number : fickle_script.count - 1];
}

static int is_part(const struct fickle_answer *answer, const struct flame_request *request)
{
    if (answer->flags & FICKLE_WHOLE)
        return 0;
    return (answer->flags & FICKLE_DEAF) || request->condition != FLAME_WHEN_SAME ||
           (answer->validator && strcmp(answer->validator, request->validator) == 0);
}

static uint64_t size_of_part(const struct fickle_answer *answer,
                             const struct flame_request *request, uint64_t offset)
{
    uint64_t left = answer->size > offset ? answer->size - offset : 0;

    if (request->length == 0 || request->length >= left)
        return left;
    return request->length + (uint64_t)(int64_t)answer->stretch;
}

/* The body that follows: where it begins, how large it is. */
static struct flame_object describe(const struct fickle_answer *answer,
                                    const struct flame_request *request)
{
    struct flame_object object = FLAME_INIT(flame_object);

    object.validator = answer->validator;
    object.total_size = object.body_size = answer->size;
    if (is_part(answer, request)) {
        object.offset = request->offset + (uint64_t)(int64_t)answer->shift;
        object.body_size = size_of_part(answer, request, object.offset);
    }
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

/* What a part has too much, is wrong. */
static int32_t deliver_body(const struct flame_host *host, struct flame_transfer *transfer,
                            const struct fickle_answer *answer, const struct flame_object *object)
{
    static const char wrong[FICKLE_STRETCH_MAX];
    int is_longer = answer->stretch > 0 && object->body_size < answer->size - object->offset;
    uint64_t spill = is_longer && object->offset > 0 ? (uint64_t)answer->stretch : 0;
    uint64_t size = object->body_size;
    int32_t status;

    if (answer->cut > 0 && answer->cut < size) {
        status = deliver(host, transfer, answer->bytes + object->offset, answer->cut);
        return status == FLAME_OK ? FLAME_ERR_NETWORK : status;
    }
    status = deliver(host, transfer, answer->bytes + object->offset, size - spill);
    return status == FLAME_OK ? flame_write(host, transfer, wrong, spill) : status;
}

static int32_t fickle_fetch(struct flame_instance *instance, const struct flame_request *request,
                            struct flame_transfer *transfer, struct flame_error *err)
{
    const struct flame_host *host = (const struct flame_host *)instance;
    const struct fickle_answer *answer = next_answer(request);
    struct flame_object object = describe(answer, request);
    char elsewhere[256];
    int32_t status = FLAME_OK;

    (void)snprintf(elsewhere, sizeof(elsewhere), "%s+", request->url);
    if (answer->flags & FICKLE_ELSEWHERE)
        object.url = elsewhere;
    if (answer->digest)
        host->metadata(transfer, FLAME_META_REPR_DIGEST, answer->digest);
    if (!(answer->flags & FICKLE_SILENT))
        status = host->report(transfer, &object);
    if (status == FLAME_OK && (answer->flags & FICKLE_ELSEWHERE))
        return FLAME_REDIRECT;
    if (status == FLAME_OK)
        status = deliver_body(host, transfer, answer, &object);
    if (status == FLAME_ERR_NETWORK)
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
