# SPDX-License-Identifier: Apache-2.0
# The umask is not asked.
s/0666 \& ~umask_now/0666/
