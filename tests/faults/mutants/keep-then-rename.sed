# SPDX-License-Identifier: Apache-2.0
# Between the look and the rename somebody may come.
s/if (flags \& FL_PUBLISH_KEEP)/if (0)/
