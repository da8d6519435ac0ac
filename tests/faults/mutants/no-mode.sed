# SPDX-License-Identifier: Apache-2.0
# The file stays private.
s/TEMP_FAILURE_RETRY(fchmod(fd, commit->mode)) != 0/false/
