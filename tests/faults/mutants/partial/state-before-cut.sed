# SPDX-License-Identifier: Apache-2.0
# This boot vouches for bytes that are yet to be cut.
s/^    struct fl_partial \*partial = &left->state.partial;/&\n    (void)!fl_state_write(left->state_fd, \&left->state);/
