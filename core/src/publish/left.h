/* SPDX-License-Identifier: Apache-2.0 */
/* What an earlier run left under a partial's names. */
#ifndef FL_PUBLISH_LEFT_H
#define FL_PUBLISH_LEFT_H

#include "publish/object.h"

/* Remove it, the state first, so that the names are free; only the state if `is_ours`: the partial
 * is this publish's own. Fails with LOCKED (another process writes into it), IO. */
int32_t fl_left_clear(const struct fl_spot *spot, const struct fl_kept *kept, bool is_ours,
                      struct flame_error *err) FL_CHECK;

#endif
