/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a cancel token (fetch.h). Set once, for good. Any thread. */
#ifndef FL_TRANSFER_CANCEL_H
#define FL_TRANSFER_CANCEL_H

#include <flame/fetch.h>

#include <stdatomic.h>

struct flame_cancel {
    atomic_int is_set;
    int fd; /* eventfd, readable for ever once set */
};

#endif
