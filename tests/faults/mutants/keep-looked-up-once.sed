# SPDX-License-Identifier: Apache-2.0
# Keep is judged at the beginning only.
s/errnum != EEXIST || (flags \& FL_PUBLISH_KEEP)/errnum != EEXIST/
s/fl_spot_judge(spot, flags, err)/fl_spot_judge(spot, 0, err)/
s/if (flags \& FL_PUBLISH_KEEP)/if (0)/
