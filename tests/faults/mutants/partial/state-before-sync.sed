# SPDX-License-Identifier: Apache-2.0
# The state speaks of bytes before they are on the disk.
s/    if (TEMP_FAILURE_RETRY(fdatasync(publish->inode.fd)) != 0) {/    kept->synced = partial->durable = least(durable, (uint64_t)now.st_size); (void)!record(publish, partial, err);\n&/
