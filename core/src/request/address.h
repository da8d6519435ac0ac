/* SPDX-License-Identifier: Apache-2.0 */
/* The address policy: whom may we connect to? Judged on the numeric address about to be used, never
 * on the text of a URL, so that names, redirects and rebinding cannot go around it.
 *
 * Always refused: link-local (169.254/16 with its metadata services, fe80::/10), fd00:ec2::254,
 * 0.0.0.0/8, ::, multicast and broadcast. Loopback and private networks pass unless the
 * configuration says no. An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64, 6to4)
 * is judged by that too. Pure functions, any thread. */
#ifndef FL_REQUEST_ADDRESS_H
#define FL_REQUEST_ADDRESS_H

#include "base/error.h"

#include <stdbool.h>

struct fl_address_policy {
    bool allow_loopback;
    bool allow_private;
};

/* Fails with POLICY, also for text that is no numeric address. */
int32_t fl_address_check(const struct fl_address_policy *policy, const char *address,
                         struct flame_error *err) FL_CHECK;

/* Equal numbers = equal answers. */
uint64_t fl_address_policy_id(const struct fl_address_policy *policy);

#endif
