# SPDX-License-Identifier: Apache-2.0
# A state stays when its bytes are in place.
s/^    if (commit->state)/    if (false)/
