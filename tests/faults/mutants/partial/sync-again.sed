# SPDX-License-Identifier: Apache-2.0
# A later sync finds clean pages and lies.
s/publish->lost = errno;/;/
s/return fl_fail_errno(err, publish->lost, "cannot sync/return fl_fail_errno(err, EIO, "cannot sync/
