/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer/cancel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct flame_cancel *flame_cancel_new(void)
{
    struct flame_cancel *cancel = calloc(1, sizeof(*cancel));

    if (!cancel)
        return NULL;
    atomic_init(&cancel->is_set, 0);
    cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cancel->fd < 0) {
        free(cancel);
        return NULL;
    }
    return cancel;
}

void flame_cancel_set(struct flame_cancel *cancel)
{
    static const uint64_t one = 1;
    int saved = errno; /* we may be inside a signal handler */

    atomic_store(&cancel->is_set, 1);
    if (write(cancel->fd, &one, sizeof(one)) != sizeof(one) || saved != errno)
        errno = saved; /* EAGAIN would mean that it is readable already */
}

void flame_cancel_free(struct flame_cancel *cancel)
{
    if (!cancel)
        return;
    (void)close(cancel->fd);
    free(cancel);
}
