# SPDX-License-Identifier: Apache-2.0
# A failed sync of the directory passes as success.
s/FLAME_ERR_DURABILITY_UNKNOWN/FLAME_OK/
