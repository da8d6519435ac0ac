# SPDX-License-Identifier: Apache-2.0
# Bytes behind the good ones stay.
s/TEMP_FAILURE_RETRY(ftruncate(left->fd, (off_t)left->usable)) != 0/false/
