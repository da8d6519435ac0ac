# SPDX-License-Identifier: Apache-2.0
# The second sync finds clean pages and lies.
s/TEMP_FAILURE_RETRY(fsync(fd)) != 0/fsync(fd) != 0 \&\& fsync(fd) != 0/
