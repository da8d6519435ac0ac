# SPDX-License-Identifier: Apache-2.0
# A power cut takes the names away.
s/(void)TEMP_FAILURE_RETRY(fsync(publish->spot.dir_fd));/;/
