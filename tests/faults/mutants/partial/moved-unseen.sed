# SPDX-License-Identifier: Apache-2.0
# The file is not compared with its name once it is held.
s/left->is_in_use = !fl_beside_holds(spot->dir_fd, kept->part, left->fd);/left->is_in_use = false;/
