/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>

static int32_t judge_target(const struct fl_call *call, int dir, const char *name)
{
    const struct flame_request *request = call->request;
    struct fl_version there;
    int32_t status = fl_version_at(call, dir, name, &there);

    if (status != FLAME_OK)
        return status;
    if (there.status.st_mode == 0)
        return fl_fail_errno(call, ENOENT, "cannot remove it");
    if (!S_ISREG(there.status.st_mode))
        return fl_fail_kind(call, there.status.st_mode);
    if (request->condition == FLAME_WHEN_SAME && !fl_version_is(&there, request->validator))
        return flame_fail(call->host, call->err, FLAME_ERR_CHANGED, "it is another version now");
    return FLAME_OK;
}

int32_t fl_file_remove(struct flame_instance *instance, const struct flame_request *request,
                       struct flame_transfer *transfer, struct flame_error *err)
{
    struct fl_call call;
    const char *name = NULL;
    fl_auto_fd int dir = -1;
    int32_t status = fl_call_begin(&call, instance, request, transfer, err);

    if (status == FLAME_OK)
        status = fl_call_allows(&call, FL_ALLOW(ALWAYS) | FL_ALLOW(SAME));
    if (status == FLAME_OK)
        status = fl_place_open(&call, &dir, &name);
    if (status == FLAME_OK)
        status = fl_judge_filesystem(&call, dir);
    if (status == FLAME_OK)
        status = judge_target(&call, dir, name);
    if (status != FLAME_OK)
        return status;
    if (unlinkat(dir, name, 0) != 0)
        return fl_fail_errno(&call, errno, "cannot remove it");
    status = fl_sync_directory(&call, dir);
    return status == FLAME_OK ? flame_finish(call.host, transfer, FLAME_PROOF_COMPLETE) : status;
}
