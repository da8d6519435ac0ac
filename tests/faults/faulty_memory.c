/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator of faulty_libc.so, over that of the C library. */
#include "faulty_libc.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static _Thread_local int is_walking;

#define BLOCKS 16384
#define STREAM_BUFFER 1024 /* and more is what the C library keeps for a stream until the end */
static struct {
    atomic_uintptr_t address; /* 0 = free */
    uintptr_t caller;
} blocks[BLOCKS];
static atomic_size_t block_end; /* behind the last that was ever used */

/* ---- whose allocation it is ------------------------------------------------------------------ */

enum owner { OURS, FOREIGN, TRANSPARENT, LOADER };

/* Whose code is at that address? Transparent is what allocates for whoever called it. */
static enum owner owner_of(uintptr_t address)
{
    static const char *const transparent[] = {"/libc.so.", "/libjansson.so.", "/libyaml-0.so.",
                                              "/faulty_libc.so"};
    struct dl_find_object found;
    const char *path;

    if (_dl_find_object((void *)address, &found) != 0)
        return FOREIGN;
    path = found.dlfo_link_map->l_name;
    if (!*path || strstr(path, "/libflame-fetch.so") || strstr(path, "/libflame-sdk.so") ||
        strstr(path, "/flame/plugins/"))
        return OURS;
    if (strstr(path, "/ld-linux"))
        return LOADER;
    for (size_t i = 0; i < sizeof(transparent) / sizeof(*transparent); i++)
        if (strstr(path, transparent[i]))
            return TRANSPARENT;
    return FOREIGN;
}

struct walk {
    enum owner owner;
    int met_loader;
};

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *data)
{
    enum owner owner = owner_of(_Unwind_GetIP(context));
    struct walk *walk = data;

    walk->met_loader |= owner == LOADER;
    if (owner == TRANSPARENT || owner == LOADER)
        return _URC_NO_REASON;
    walk->owner = owner;
    return _URC_END_OF_STACK;
}

/* Who asked in truth. */
static struct walk asker(uintptr_t caller)
{
    struct walk walk = {.owner = owner_of(caller)};

    if (walk.owner == OURS || walk.owner == FOREIGN || is_walking)
        return walk;
    is_walking = 1;
    (void)_Unwind_Backtrace(look, &walk);
    is_walking = 0;
    return walk;
}

static int is_ours(uintptr_t caller)
{
    return asker(caller).owner == OURS;
}

/* ---- blocks that are in use --------------------------------------------------------------------
 */

/* What the loader keeps for a plugin and the C library for a stream is nobody's loss. */
static void *remember(void *block, size_t size, const void *caller)
{
    struct walk walk;

    if (!block || !faulty.only_ours || !faulty.is_counting)
        return block;
    walk = asker((uintptr_t)caller);
    if (walk.owner != OURS || walk.met_loader ||
        (owner_of((uintptr_t)caller) != OURS && size >= STREAM_BUFFER))
        return block;
    for (size_t i = 0; i < BLOCKS; i++) {
        uintptr_t nobody = 0;
        size_t end_now = block_end;

        if (!atomic_compare_exchange_strong(&blocks[i].address, &nobody, (uintptr_t)block))
            continue;
        blocks[i].caller = (uintptr_t)caller;
        while (end_now <= i && !atomic_compare_exchange_weak(&block_end, &end_now, i + 1))
            continue;
        return block;
    }
    abort();
}

static void forget(const void *block)
{
    for (size_t i = 0; block && i < block_end; i++) {
        uintptr_t address = (uintptr_t)block;

        if (blocks[i].address == address &&
            atomic_compare_exchange_strong(&blocks[i].address, &address, 0))
            return;
    }
}

unsigned long faulty_blocks_left(uintptr_t *caller)
{
    unsigned long left = 0;

    for (size_t i = 0; i < block_end; i++)
        if (blocks[i].address != 0) {
            *caller = blocks[i].caller;
            left++;
        }
    return left;
}

/* ---- the calls ------------------------------------------------------------------------------- */

static int is_refused(const void *caller)
{
    unsigned long count;

    if (!faulty.is_counting || (faulty.only_ours && !is_ours((uintptr_t)caller)))
        return 0;
    count = atomic_fetch_add(&faulty.allocations, 1) + 1;
    if (faulty.fatal == 0 || count < faulty.fatal || (count > faulty.fatal && !faulty.is_lasting))
        return 0;
    atomic_fetch_add(&faulty.failed, 1);
    faulty.last_caller = (uintptr_t)caller;
    errno = ENOMEM;
    return 1;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    return is_refused(CALLER) ? NULL : remember(__libc_malloc(size), size, CALLER);
}

void *calloc(size_t count, size_t size)
{
    return is_refused(CALLER) ? NULL : remember(__libc_calloc(count, size), count * size, CALLER);
}

void *realloc(void *old, size_t size)
{
    if (is_refused(CALLER))
        return NULL;
    forget(old);
    return remember(__libc_realloc(old, size), size, CALLER);
}

void free(void *block)
{
    forget(block);
    __libc_free(block);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return is_refused(CALLER) ? NULL : remember(__libc_memalign(alignment, size), size, CALLER);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    int before = errno;
    void *made =
        is_refused(CALLER) ? NULL : remember(__libc_memalign(alignment, size), size, CALLER);

    errno = before;
    if (!made)
        return ENOMEM;
    *out = made;
    return 0;
}
