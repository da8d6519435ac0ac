# SPDX-License-Identifier: Apache-2.0
# Other bytes are written under the old state.
s/^    if (wipe_state(&publish->kept) != 0)/    if (false)/
s/^    fl_kept_done(&publish->kept, &publish->spot, false);/    ;/
