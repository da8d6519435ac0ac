/* SPDX-License-Identifier: Apache-2.0 */
/* The events of these verbs, beside those of events.h; the same rules. */
#ifndef SDK_CLI_TOLD_H
#define SDK_CLI_TOLD_H

#include "events.h"

#include <flame/context.h>

void sdk_event_value(struct cli_events *events, const struct flame_context_value *value);

struct sdk_published {
    const char *url;    /* with its digest behind '#' */
    const char *digest; /* "sha256:<hex>" */
    const char *name;
    uint64_t size;
};
void sdk_event_published(struct cli_events *events, const struct sdk_published *published);

/* `size` UINT64_MAX = not known. */
void sdk_event_object(struct cli_events *events, const char *key, uint64_t size);
void sdk_event_objects(struct cli_events *events, const char *endpoint, uint64_t count);
void sdk_event_object_removed(struct cli_events *events, const char *endpoint, const char *key,
                              bool is_prefix);

#endif
