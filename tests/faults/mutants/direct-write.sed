# SPDX-License-Identifier: Apache-2.0
# The bytes go straight into the destination.
s/openat(spot->dir_fd, "\.", O_TMPFILE | O_RDWR/openat(spot->dir_fd, spot->name, O_CREAT | O_TRUNC | O_RDWR/
