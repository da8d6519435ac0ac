/* SPDX-License-Identifier: Apache-2.0 */
/* A task, checked once: the caller's struct cut to our size, its URL parsed, its digest understood,
 * its options canonical, every limit a number. Strings of the caller are borrowed.
 *
 * Constant after fl_task_init() and fl_task_settle(): any thread. */
#ifndef FL_REQUEST_TASK_H
#define FL_REQUEST_TASK_H

#include "base/text.h"
#include "config/config.h"
#include "request/address.h"
#include "sink/digest.h"
#include "url/url.h"

#include <flame/fetch.h>

/* Every limit of a task; all ones = off. */
struct fl_limits {
    uint64_t max_bytes;
    uint64_t rate_floor; /* bytes a second */
    uint32_t rate_window_ms;
    uint32_t connect_ms;
    uint32_t first_byte_ms;
    uint32_t stall_ms;
    uint32_t total_ms;
    uint32_t source_ms; /* one of several sources */
    uint32_t max_redirects;
};

/* How often, after which pause, for how long. */
struct fl_retry_limits {
    uint32_t attempts; /* at each source; 1 or more */
    uint32_t delay_ms;
    uint32_t max_ms; /* UINT32_MAX = off */
};

struct fl_task {
    struct flame_task said;  /* the caller's; zero where his header is older */
    uint32_t verb;           /* enum flame_verb */
    struct fl_url url;       /* where it starts */
    struct fl_digest digest; /* expected; NONE = not said */
    bool is_digest_in_url;   /* by the url's fragment */
    struct fl_pairs options; /* canonical */
    struct fl_limits limits;
    struct fl_address_policy addresses;
    uint32_t durability; /* enum flame_durability, not DEFAULT */
    struct fl_retry_limits retry;
    uint32_t lock_ms;
    uint32_t connections;   /* parts at once; 1 = the whole in one */
    uint64_t part_min_size; /* bytes */
    uint64_t max_entries;
    uint64_t bytes_per_second;
    uint64_t space_reserve;
    const char *dest_root; /* or NULL; borrowed from the configuration or `options` */
    bool may_cross_schemes;
};

/* Check what can be checked without the plugin. `default_port` is that of the URL's scheme.
 * Fails with INVALID, INVALID_URL, NO_MEMORY. fl_task_done() it, also after a failure. */
int32_t fl_task_init(struct fl_task *task, uint32_t verb, const struct flame_task *said,
                     uint32_t default_port, struct flame_error *err) FL_CHECK;

/* Check the options against the tables, `plugin_options` among them, and settle every limit: the
 * task's own number, else the option in effect. Fails with INVALID, NO_MEMORY. */
int32_t fl_task_settle(struct fl_task *task, const struct fl_config *config,
                       const struct flame_option *const *plugin_options,
                       struct flame_error *err) FL_CHECK;

void fl_task_done(struct fl_task *task);

#endif
