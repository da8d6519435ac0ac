# SPDX-License-Identifier: Apache-2.0
# The umask is not asked.
s/MODE & ~umask_now/MODE/
