# SPDX-License-Identifier: Apache-2.0
# OK is said of a name that a power cut takes away.
s/TEMP_FAILURE_RETRY(fsync(spot->dir_fd))/0/
