/* SPDX-License-Identifier: Apache-2.0 */
/* The key of a fetch: equal keys mean that the result of one would do for the other. It is made of
 * all that decides which bytes come: URL, mirrors, digest, headers, secrets, options. Pure
 * function, any thread. */
#ifndef FL_REQUEST_KEY_H
#define FL_REQUEST_KEY_H

#include "request/task.h"

#define FL_KEY_BYTES 32

/* A hash: nothing of what it was made of can be read in it. */
void fl_task_key(const struct fl_task *task, const struct fl_config *config,
                 uint8_t key[FL_KEY_BYTES]);

#endif
