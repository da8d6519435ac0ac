# SPDX-License-Identifier: Apache-2.0
# The hidden name stays after a failure.
s/(void)unlinkat(spot->dir_fd, inode->name, 0);/;/
