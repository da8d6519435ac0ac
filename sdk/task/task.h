/* SPDX-License-Identifier: Apache-2.0 */
/* A task of the core as the SDK does it: at a place that we name, with what the user's context says
 * of that place, and with failures that say what was being done.
 *
 * The caller's task says how and is never changed. TLS settings of its own go before the context's
 * as a whole: what comes from two hands does not fit together. No state; any thread. */
#ifndef SDK_TASK_TASK_H
#define SDK_TASK_TASK_H

#include "base/error.h"

#include <flame/context.h>

struct sdk_call {
    struct flame *flame;
    const struct flame_context *context; /* or NULL */
    const struct flame_task *task;       /* the caller's, or NULL */
    const char *url;
    const char *doing; /* "cannot remove 'x'": what a failure begins with */
    const char *hint;  /* what to do when nobody answers there; or NULL */
    uint32_t verb;
    uint32_t flags; /* FLAME_TASK_*, beside the task's */
    /* list: one entry; or NULL */
    int32_t (*entry)(void *data, const struct flame_result *entry);
    void *entry_data;
};

/* As flame_run(), which see. Fails also with INVALID: the task has a url. */
int32_t sdk_call_run(const struct sdk_call *call, struct flame_result *result,
                     struct flame_error *err) FL_CHECK;

/* A copy of a caller's task in our size, whatever his header's; all zero for NULL. */
void sdk_task_copy(const struct flame_task *task, struct flame_task *out);

/* "cannot upload FILE as NAME to WHERE"; a descriptor has no name. NULL = no memory. */
char *sdk_task_uploading(const struct flame_task *task, const char *name,
                         const char *where) FL_CHECK;

#endif
