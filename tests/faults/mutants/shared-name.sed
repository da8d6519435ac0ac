# SPDX-License-Identifier: Apache-2.0
# All writers of a directory share one hidden name.
s/".flame-%s-%016llx", kind, number/".flame-%s-%016llx", kind, 0 * number/
s/O_CREAT | O_EXCL/O_CREAT | O_TRUNC/
