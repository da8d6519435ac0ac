# SPDX-License-Identifier: Apache-2.0
# The name is there before the bytes are.
s/int32_t status = settle(.*/int32_t status = put_in_place(spot, inode, commit->flags, err);/
s/  status = put_in_place(.*/  status = settle(spot, inode->fd, commit, err);/
