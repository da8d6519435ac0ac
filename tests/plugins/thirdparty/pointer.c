/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that points somewhere else and says what will be there, as one for a registry of images
 * would: "pointer:TEXT?FIELD" redirects to "pointer:TEXT" and states FIELD as its Repr-Digest;
 * "pointer:TEXT" delivers TEXT. */
#include <flame/plugin.h>

#include <string.h>

/* Nothing to remember but the host: it serves as the instance. */
static int32_t pointer_init(const struct flame_host *host, struct flame_instance **instance,
                            struct flame_error *err)
{
    (void)err;
    *instance = (struct flame_instance *)(uintptr_t)host;
    return FLAME_OK;
}

static void pointer_shutdown(struct flame_instance *instance)
{
    (void)instance;
}

static int32_t point(const struct flame_host *host, const struct flame_request *request,
                     struct flame_transfer *transfer)
{
    struct flame_object object = FLAME_INIT(flame_object);
    char target[256] = "pointer:";

    strncat(target, request->path, sizeof(target) - sizeof("pointer:"));
    object.url = target;
    host->metadata(transfer, FLAME_META_REPR_DIGEST, request->query);
    (void)host->report(transfer, &object);
    return FLAME_REDIRECT;
}

static int32_t pointer_fetch(struct flame_instance *instance, const struct flame_request *request,
                             struct flame_transfer *transfer, struct flame_error *err)
{
    const struct flame_host *host = (const struct flame_host *)instance;
    int32_t status;

    (void)err;
    if (request->query)
        return point(host, request, transfer);
    status = flame_write(host, transfer, request->path, strlen(request->path));
    return status == FLAME_OK ? flame_finish(host, transfer, FLAME_PROOF_COMPLETE) : status;
}

FLAME_PLUGIN("org.example.pointer", "1.0", "pointer", "redirects that say what they lead to")
{
    plugin->init = pointer_init;
    plugin->shutdown = pointer_shutdown;
    plugin->fetch = pointer_fetch;
}
