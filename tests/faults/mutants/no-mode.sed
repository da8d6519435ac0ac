# SPDX-License-Identifier: Apache-2.0
# The file stays private.
s/inode->is_private && TEMP_FAILURE_RETRY(fchmod(fd, inode->mode)) != 0/false/
