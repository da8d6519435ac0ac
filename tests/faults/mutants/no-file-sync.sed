# SPDX-License-Identifier: Apache-2.0
# The name is given to a file that may still be in memory only.
s/!lazy && TEMP_FAILURE_RETRY(fsync(fd)) != 0/false/
