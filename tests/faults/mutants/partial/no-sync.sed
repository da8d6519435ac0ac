# SPDX-License-Identifier: Apache-2.0
# Bytes are called durable that may still be in memory only.
s/TEMP_FAILURE_RETRY(fdatasync(publish->inode.fd)) != 0/false/
