# SPDX-License-Identifier: Apache-2.0
# What another boot left in memory is taken for good.
s/strcmp(a->boot, b->boot) == 0 && a->mount == b->mount/true/
