/* SPDX-License-Identifier: Apache-2.0 */
/* Names that end in ".test" are looked up by the test itself: the program's getaddrinfo() is found
 * before that of the C library, also by plugins and libraries (the program needs ENABLE_EXPORTS).
 * Any thread may look up; begin and end are the test's. Only one of a program's files may include
 * it. */
#ifndef HANGING_LOOKUP_H
#define HANGING_LOOKUP_H

#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static atomic_bool lookups_are_over; /* all that hang shall end */
static atomic_int lookups_under_way; /* that hang */

/* The test's own: as getaddrinfo(), of a name in ".test". */
static int look_up(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **out);

/* The C library's. */
static inline int look_up_for_real(const char *node, const char *service,
                                   const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(
            RTLD_NEXT, "getaddrinfo");

    return real(node, service, hints, out);
}

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **out)
{
    return node && strstr(node, ".test") ? look_up(node, service, hints, out)
                                         : look_up_for_real(node, service, hints, out);
}

/* For look_up(): returns when the test ends its lookups. */
static inline int hang(void)
{
    atomic_fetch_add(&lookups_under_way, 1);
    while (!atomic_load(&lookups_are_over))
        usleep(1000);
    atomic_fetch_sub(&lookups_under_way, 1);
    return EAI_AGAIN;
}

static inline void begin_lookups(void)
{
    atomic_store(&lookups_are_over, false);
}

/* Waits until none hangs any more. */
static inline void end_lookups(void)
{
    atomic_store(&lookups_are_over, true);
    while (atomic_load(&lookups_under_way) > 0)
        usleep(1000);
}

#endif
