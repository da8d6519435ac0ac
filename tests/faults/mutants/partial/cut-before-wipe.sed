# SPDX-License-Identifier: Apache-2.0
# The bytes go while the state still speaks of them.
s/^    if (wipe_state(&publish->kept) != 0)/    if (ftruncate(fd, 0) != 0 || wipe_state(\&publish->kept) != 0)/
