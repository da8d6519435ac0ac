# SPDX-License-Identifier: Apache-2.0
# Others may open the file while it is written.
s/S_IRUSR | S_IWUSR/0666/
