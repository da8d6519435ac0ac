/* SPDX-License-Identifier: Apache-2.0 */
/* Hops: the places one task is sent to, the first by the caller, the others by redirects that were
 * judged here.
 *
 * A redirect is followed only if it weakens nothing: to the same scheme, from http to https, or to
 * a scheme that the plugin's manifest names and the configuration allows, never to file. Not more
 * than the task's limit, and nowhere twice; what changes something (store, remove) within its
 * origin only. What belongs to the task's own origin (headers, secrets, netrc) stays there: is_home
 * says whether a hop is at that origin.
 *
 * One thread per trail. */
#ifndef FL_REQUEST_HOP_H
#define FL_REQUEST_HOP_H

#include "registry/registry.h"
#include "request/task.h"

struct fl_hop {
    const struct fl_task *task;
    struct fl_plugin *plugin;
    struct fl_url url;
    bool is_home;    /* same origin as the task's URL */
    uint32_t number; /* 0 = the task's own URL */
    char **seen;     /* URLs of the hops before; `number` of them */
};

/* One of the task's sources: its own URL or a mirror; a new trail begins. Fails with UNSUPPORTED,
 * INVALID_URL, NO_MEMORY. */
int32_t fl_hop_first(const struct fl_task *task, struct fl_registry *registry, const char *url,
                     struct fl_hop *hop, struct flame_error *err) FL_CHECK;

/* Move on to where a redirect leads: `target`, absolute or relative, as the peer said it.
 * Fails with PROTOCOL (malformed, or with userinfo), POLICY (weaker), LIMIT (too many, a loop; with
 * FLAME_ERROR_REDIRECTS), UNSUPPORTED, NO_MEMORY; the hop is then unchanged. */
int32_t fl_hop_follow(struct fl_hop *hop, struct fl_registry *registry, const char *target,
                      struct flame_error *err) FL_CHECK;

/* The plugin's view of the hop; borrowed from it and from the task. */
void fl_hop_request(const struct fl_hop *hop, struct flame_request *request);

void fl_hop_done(struct fl_hop *hop);

#endif
