/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: who may have which, and how to keep them out of messages.
 *
 * A task's secrets (and the userinfo of its URL) are for its own origin: same scheme, host and
 * port. net.proxy_auth is for the proxy that net.proxy names. The configuration's are for the
 * origin they stand under. Nothing else gets any. Pure functions, any thread. */
#ifndef FL_REQUEST_SECRET_H
#define FL_REQUEST_SECRET_H

#include "request/task.h"

/* The secret `name` for use at `origin`; *value is borrowed. NOT_FOUND: there is none. POLICY:
 * there is one, but not for that origin. */
int32_t fl_secret_find(const struct fl_task *task, const struct fl_config *config, const char *name,
                       const char *origin, const char **value) FL_CHECK;

/* Replace in place by "***" whatever in `text` is a secret of the task or of the configuration:
 * secrets, userinfo, header values and the values in the URL's query, in the forms in which a peer
 * got them and may send them back; also one that the end of `text` cuts. Very short ones would
 * shred any text and are left. */
void fl_secret_redact(const struct fl_task *task, const struct fl_config *config, char *text);

#endif
